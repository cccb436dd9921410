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
import { compare, type CompareOp, constant, mask } from "./word.ts";

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
  const { diagram, leaf } = symbols;
  const returning = (value: ReturnValue): Node => leaf(constant(value));
  let answer = returning(policy.badArchValue);
  for (const { auditArch, rules } of policy.arches.toReversed()) {
    let here = returning(policy.defaultValue);
    for (const { first, last, conditions, value } of rules.toReversed()) {
      let matches = first === last
        ? test(symbols, "jeq", NR_OFFSET, first)
        : diagram.except(
          test(symbols, "jge", NR_OFFSET, first),
          test(symbols, "jgt", NR_OFFSET, last),
        );
      for (const condition of conditions) {
        const holds = holdsWhere(condition, policy.littleEndian, symbols);
        matches = diagram.and(matches, holds);
      }
      here = diagram.choose(matches, returning(value), here);
    }
    const where = test(symbols, "jeq", ARCH_OFFSET, auditArch);
    answer = diagram.choose(where, here, answer);
  }
  return answer;
}

/** Where `(args[arg] & mask) op value`, by halves: the high one decides first. */
function holdsWhere(
  { arg, op, mask: kept, value }: Condition,
  littleEndian: boolean,
  symbols: Symbols,
): Node {
  const { and, or, not } = symbols.diagram;
  const high = (compareOp: CompareOp): Node => {
    const offset = argOffset(arg, "hi", littleEndian);
    const [k, bits] = [value, kept].map((u64) => u32(u64 >> 32n));
    return test(symbols, compareOp, offset, k, bits);
  };
  const low = (compareOp: CompareOp): Node => {
    const offset = argOffset(arg, "lo", littleEndian);
    const [k, bits] = [value, kept].map(u32);
    return test(symbols, compareOp, offset, k, bits);
  };
  const equal = (): Node => and(high("jeq"), low("jeq"));
  const beyond = (compareOp: CompareOp): Node =>
    or(high("jgt"), and(high("jeq"), low(compareOp)));
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

/** Where `(word & bits) op k`. */
function test(
  { diagram, input }: Symbols,
  op: CompareOp,
  offset: number,
  k = 0,
  bits = 0xffff_ffff,
): Node {
  return compare(diagram, op, mask(input(offset), bits), constant(k));
}

/** The low half of a u64. */
function u32(u64: bigint): number {
  return Number(BigInt.asUintN(32, u64));
}
