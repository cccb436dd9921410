/**
 * What a policy means for all inputs at once: the same reading as `decide`, on
 * symbols in place of one call. It goes from the last rule to the first, each
 * overruling those below it where it matches.
 *
 * @module
 */

import { ARCH_OFFSET, argOffset, NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { Condition, Policy, ReturnValue } from "../profile/policy.ts";
import type { Node } from "./diagram.ts";
import type { CompareOp } from "./symbolic_word.ts";
import type { Symbols } from "./symbols.ts";

/**
 * Reads a policy on all inputs.
 *
 * @throws {LimitReached} when a function becomes too large.
 *
 * @param policy The policy.
 * @param symbols The input.
 * @returns The function whose leaves are what a filter has to return.
 */
export function decideAll(policy: Policy, symbols: Symbols): Node {
  const { and, constant } = symbols.algebra;
  const { choose } = symbols.diagram;
  const returning = (value: ReturnValue): Node => symbols.leaf(constant(value));
  let answer = returning(policy.badArchValue);
  for (const { auditArch, rules } of policy.arches.toReversed()) {
    let here = returning(policy.defaultValue);
    for (const { first, last, conditions, value } of rules.toReversed()) {
      let matches = numbersWhere(first, last, symbols);
      for (const condition of conditions) {
        const holds = holdsWhere(condition, policy.littleEndian, symbols);
        matches = and(matches, holds);
      }
      here = choose(matches, returning(value), here);
    }
    answer = choose(test(symbols, "jeq", ARCH_OFFSET, auditArch), here, answer);
  }
  return answer;
}

function numbersWhere(first: number, last: number, symbols: Symbols): Node {
  if (first === last) return test(symbols, "jeq", NR_OFFSET, first);
  return symbols.algebra.except(
    test(symbols, "jge", NR_OFFSET, first),
    test(symbols, "jgt", NR_OFFSET, last),
  );
}

/** Where `(args[arg] & mask) op value`, by halves: the high one decides first. */
function holdsWhere(
  { arg, op, mask, value }: Condition,
  littleEndian: boolean,
  symbols: Symbols,
): Node {
  const { and, or, not } = symbols.algebra;
  const half = (compare: CompareOp, name: "lo" | "hi"): Node =>
    test(
      symbols,
      compare,
      argOffset(arg, name, littleEndian),
      halfOf(value, name),
      halfOf(mask, name),
    );
  const equal = (): Node => and(half("jeq", "hi"), half("jeq", "lo"));
  const beyond = (low: CompareOp): Node =>
    or(half("jgt", "hi"), and(half("jeq", "hi"), half(low, "lo")));
  switch (op) {
    case "eq":
      return equal();
    case "ne":
      return not(equal());
    case "lt":
      return not(beyond("jge"));
    case "le":
      return not(beyond("jgt"));
    case "gt":
      return beyond("jgt");
    case "ge":
      return beyond("jge");
  }
}

function halfOf(value: bigint, half: "lo" | "hi"): number {
  return Number(BigInt.asUintN(32, half === "lo" ? value : value >> 32n));
}

/** Where `(word & mask) op k`. */
function test(
  { algebra, input }: Symbols,
  op: CompareOp,
  offset: number,
  k: number,
  mask = 0xffff_ffff,
): Node {
  const masked = algebra.binary("and", input(offset), algebra.constant(mask));
  return algebra.compare(op, masked, algebra.constant(k));
}
