/**
 * The meaning of a policy, stated directly. All code that compiles or proves is
 * checked against this file, so it is written to be obviously correct rather
 * than fast: it scans the rules from the top and stops at the first match.
 *
 * @module
 */

import type {
  ArchPolicy,
  Condition,
  Policy,
  ReturnValue,
  Rule,
} from "../profile/policy.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";

/** An outcome and its origin. */
export interface Verdict {
  /** The value that a filter must return. */
  readonly value: ReturnValue;
  /** The architecture that the call belongs to; absent for unknown ones. */
  readonly arch?: ArchPolicy;
  /** The rule that decided; absent if a default did. */
  readonly rule?: Rule;
}

/**
 * Decides one call as the policy states. Takes time linear in the number of
 * rules of the architecture.
 *
 * @example Deciding a call
 * ```ts
 * import { decide } from "./decide.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = {
 *   defaultValue: 0x0005_0001,
 *   badArchValue: 0,
 *   littleEndian: true,
 *   arches: [{
 *     auditArch: 0xc000_003e,
 *     names: ["x86_64"],
 *     rules: [{ first: 0, last: 1, conditions: [], value: 0x7fff_0000, source: "syscalls[0]" }],
 *   }],
 * };
 * const call = { arch: 0xc000_003e, instructionPointer: 0n, args: [0n, 0n, 0n, 0n, 0n, 0n] };
 * assertEquals(decide(policy, { ...call, nr: 1 }).value, 0x7fff_0000);
 * assertEquals(decide(policy, { ...call, nr: 2 }).value, 0x0005_0001);
 * ```
 *
 * @param policy The policy.
 * @param data The call.
 * @returns The outcome, with the rule that decided.
 */
export function decide(policy: Policy, data: SeccompData): Verdict {
  const arch = policy.arches.find((a) => a.auditArch === data.arch);
  if (arch === undefined) return { value: policy.badArchValue };
  const rule = arch.rules.find((r) =>
    r.first <= data.nr && data.nr <= r.last &&
    r.conditions.every((condition) => holds(condition, data))
  );
  if (rule === undefined) return { value: policy.defaultValue, arch };
  return { value: rule.value, arch, rule };
}

/**
 * Evaluates a condition, comparing unsigned 64-bit numbers.
 *
 * @param condition The condition.
 * @param data The call.
 * @returns The result of `(args[arg] & mask) op value`.
 */
export function holds(condition: Condition, data: SeccompData): boolean {
  const seen = (data.args[condition.arg] ?? 0n) & condition.mask;
  switch (condition.op) {
    case "eq":
      return seen === condition.value;
    case "ne":
      return seen !== condition.value;
    case "lt":
      return seen < condition.value;
    case "le":
      return seen <= condition.value;
    case "gt":
      return seen > condition.value;
    case "ge":
      return seen >= condition.value;
  }
}
