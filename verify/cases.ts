/**
 * What a policy means for all inputs at once: the same reading as `decide`, on
 * symbols in place of one call. It goes from the last rule to the first, each
 * overruling those below it where it matches.
 *
 * @module
 */

import { ARCH_OFFSET, argOffset, NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { Condition, Policy, ReturnValue } from "../profile/policy.ts";
import { ALWAYS, NEVER, type Node } from "./diagram.ts";
import type { Symbols } from "./symbols.ts";
import {
  compare,
  type CompareOp,
  compute,
  constant,
  type Word,
} from "./word.ts";

/** The test of the machine for each comparison, or for its opposite. */
const TESTS: Readonly<Record<Condition["op"], CompareOp>> = {
  eq: "jeq",
  ne: "jeq",
  lt: "jge",
  le: "jgt",
  gt: "jgt",
  ge: "jge",
};

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
  const { diagram, input, leaf } = symbols;
  const { and, choose, except, or } = diagram;
  const test = (op: CompareOp, offset: number, k: number): Node =>
    compare(diagram, op, input(offset), constant(k));
  const returning = (value: ReturnValue): Node => leaf(constant(value));
  let answer = returning(policy.badArchValue);
  for (const { auditArch, rules } of policy.arches.toReversed()) {
    let here = returning(policy.defaultValue);
    // Of rules on the same numbers: where one matches, and what it gives.
    let [any, given] = [NEVER, here];
    const reversed = rules.toReversed();
    for (const [i, { first, last, conditions, value }] of reversed.entries()) {
      const matches = conditions.map((c) => holdsWhere(c, policy, symbols))
        .reduce(and, ALWAYS);
      any = or(any, matches);
      given = choose(matches, returning(value), given);
      const above = reversed[i + 1];
      if (above?.first === first && above.last === last) continue;
      const there = first === last
        ? test("jeq", NR_OFFSET, first)
        : except(test("jge", NR_OFFSET, first), test("jgt", NR_OFFSET, last));
      here = choose(and(there, any), given, here);
      [any, given] = [NEVER, returning(policy.defaultValue)];
    }
    answer = choose(test("jeq", ARCH_OFFSET, auditArch), here, answer);
  }
  return answer;
}

/**
 * Where `(args[arg] & mask) op value`: on the high halves, and on the low ones
 * where those are equal. Word by word keeps functions of the words small.
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
  const test = TESTS[op];
  const low = d.and(on("hi", "jeq"), on("lo", test));
  const holds = test === "jeq" ? low : d.or(on("hi", "jgt"), low);
  // These three hold where their test does not.
  return ["ne", "lt", "le"].includes(op) ? d.not(holds) : holds;
}

function halfOf(u64: bigint, half: "lo" | "hi"): Word {
  return constant(Number(BigInt.asUintN(32, half === "lo" ? u64 : u64 >> 32n)));
}
