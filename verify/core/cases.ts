/**
 * The meaning of a policy for all inputs at once: the same reading as `decide`,
 * on symbols instead of one call. It proceeds from the last rule to the first,
 * and each rule overrides the later ones if it matches. The numbers form a line
 * that is cut at the boundaries of rules, and the result then becomes a
 * function of the number's bits.
 *
 * @module
 */

import { ARCH_OFFSET, argOffset, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import type { Condition, Policy, ReturnValue } from "../../profile/policy.ts";
import { ALWAYS, type Diagram, type Node } from "./diagram.ts";
import type { Symbols } from "./symbols.ts";
import {
  compare,
  type CompareOp,
  compute,
  constant,
  type Word,
  WORD_BITS,
} from "./word.ts";

/**
 * Reads a policy on all inputs.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param policy The policy.
 * @param symbols The input.
 * @returns The function whose leaves are the values that a filter must return.
 */
export function decideAll(policy: Policy, symbols: Symbols): Node {
  const { diagram: d, input, leaf } = symbols;
  const { and, choose } = d;
  const leaves = new Map<ReturnValue, Node>();
  const returning = (value: ReturnValue): Node => {
    if (!leaves.has(value)) leaves.set(value, leaf(constant(value)));
    return leaves.get(value) as Node;
  };
  // Many calls have the same rules.
  const known = new Map<string, Node>();
  const holding = (c: Condition): Node => {
    const key = `${c.arg} ${c.op} ${c.mask} ${c.value}`;
    if (!known.has(key)) known.set(key, holdsWhere(c, policy, symbols));
    return known.get(key) as Node;
  };
  let answer = returning(policy.badArchValue);
  for (const { auditArch, rules } of policy.arches.toReversed()) {
    const line: Piece[] = [{ first: 0, rest: returning(policy.defaultValue) }];
    for (const { first, last, conditions, value } of rules.toReversed()) {
      const matches = conditions.map(holding).reduce(and, ALWAYS);
      const given = returning(value);
      const [from, to] = [cut(line, first), cut(line, last + 1)];
      for (const piece of line.slice(from, to)) {
        piece.rest = choose(matches, given, piece.rest);
      }
    }
    const here = compare(d, "jeq", input(ARCH_OFFSET), constant(auditArch));
    answer = choose(here, onLine(line, input(NR_OFFSET), d), answer);
  }
  return answer;
}

/**
 * Numbers from `first` up to the next piece, which all have the same `rest`.
 */
interface Piece {
  readonly first: number;
  rest: Node;
}

/** Finds or creates the piece that begins with a number. */
function cut(line: Piece[], first: number): number {
  let i = 0;
  for (let step = 1 << 31 - Math.clz32(line.length); step > 0; step >>= 1) {
    if ((line[i + step - 1]?.first ?? Infinity) < first) i += step;
  }
  if (line[i]?.first !== first && first < 2 ** WORD_BITS) {
    line.splice(i, 0, { first, rest: (line[i - 1] as Piece).rest });
  }
  return i;
}

/**
 * Makes the function of a word that is `rest` on each piece, highest bit first.
 */
function onLine(line: readonly Piece[], word: Word, d: Diagram): Node {
  /** The same for 2^bits values from `first`, with piece `i` at the start. */
  function part(first: number, bits: number, i: number): Node {
    const end = line[i + 1]?.first ?? Infinity;
    if (first + 2 ** bits <= end) return (line[i] as Piece).rest;
    const middle = first + 2 ** (bits - 1);
    let j = i;
    while ((line[j + 1]?.first ?? Infinity) <= middle) j++;
    const high = part(middle, bits - 1, j);
    const low = part(first, bits - 1, i);
    return d.choose(word[bits - 1] as Node, high, low);
  }
  return part(0, WORD_BITS, 0);
}

/**
 * The inputs with `(args[arg] & mask) op value`: on the high halves, and on the
 * low ones if those are equal. Working word by word keeps functions of the
 * words small.
 */
function holdsWhere(
  { arg, op, mask: kept, value }: Condition,
  { littleEndian }: Policy,
  { diagram: d, input }: Symbols,
): Node {
  const on = (half: "lo" | "hi", test: CompareOp): Node => {
    const seen = input(argOffset(arg, half, littleEndian));
    const masked = compute(d, "and", seen, halfOf(kept, half));
    return compare(d, test, masked, halfOf(value, half));
  };
  const strict = op === "gt" || op === "le";
  const test = op === "eq" || op === "ne" ? "jeq" : strict ? "jgt" : "jge";
  const low = d.and(on("hi", "jeq"), on("lo", test));
  const holds = test === "jeq" ? low : d.or(on("hi", "jgt"), low);
  // These three are the negations of their opposites.
  return op === "ne" || op === "lt" || op === "le" ? d.not(holds) : holds;
}

function halfOf(u64: bigint, half: "lo" | "hi"): Word {
  return constant(Number(BigInt.asUintN(32, half === "lo" ? u64 : u64 >> 32n)));
}
