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
import type { Symbols } from "./symbols.ts";
import {
  compare,
  type CompareOp,
  compute,
  constant,
  type Word,
} from "./word.ts";

/** The test of the machine for each comparison, and whether it is the opposite. */
const TESTS: Readonly<Record<Condition["op"], readonly [CompareOp, boolean]>> =
  {
    eq: ["jeq", false],
    ne: ["jeq", true],
    lt: ["jge", true],
    le: ["jgt", true],
    gt: ["jgt", false],
    ge: ["jge", false],
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
  const { and, choose, except } = diagram;
  const test = (op: CompareOp, offset: number, k: number): Node =>
    compare(diagram, op, input(offset), constant(k));
  const returning = (value: ReturnValue): Node => leaf(constant(value));
  let answer = returning(policy.badArchValue);
  for (const { auditArch, rules } of policy.arches.toReversed()) {
    let here = returning(policy.defaultValue);
    for (const { first, last, conditions, value } of rules.toReversed()) {
      let matches = first === last
        ? test("jeq", NR_OFFSET, first)
        : except(test("jge", NR_OFFSET, first), test("jgt", NR_OFFSET, last));
      for (const condition of conditions) {
        const holds = holdsWhere(condition, policy.littleEndian, symbols);
        matches = and(matches, holds);
      }
      here = choose(matches, returning(value), here);
    }
    answer = choose(test("jeq", ARCH_OFFSET, auditArch), here, answer);
  }
  return answer;
}

/** Where `(args[arg] & mask) op value`, on words of 64 bits. */
function holdsWhere(
  { arg, op, mask: kept, value }: Condition,
  littleEndian: boolean,
  { diagram, input }: Symbols,
): Node {
  // The lower bits first, as in a `Word`.
  const long = (["lo", "hi"] as const)
    .flatMap((half) => input(argOffset(arg, half, littleEndian)));
  const seen = compute(diagram, "and", long, constant64(kept));
  const [test, opposite] = TESTS[op];
  const holds = compare(diagram, test, seen, constant64(value));
  return opposite ? diagram.not(holds) : holds;
}

function constant64(u64: bigint): Word {
  return [u64, u64 >> 32n].flatMap((half) =>
    constant(Number(BigInt.asUintN(32, half)))
  );
}
