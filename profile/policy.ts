/**
 * The policy: the meaning of a profile for a target, in numbers. It is the
 * narrow waist of the system: everything above it works with names and
 * runtimes, everything below only with architectures, numbers and arguments.
 *
 * A policy is read top down: the first matching rule of the architecture
 * decides; if none matches, `defaultValue` does; if no architecture matches,
 * `badArchValue` does.
 *
 * @module
 */

/**
 * One comparison, `(args[arg] & mask) op value`, unsigned. A 32-bit comparison
 * has a mask without high bits.
 *
 * @category Profiles
 */
export interface Condition {
  /** Index of the argument, 0 to 5. */
  readonly arg: number;
  /** The comparison. */
  readonly op: "eq" | "ne" | "lt" | "le" | "gt" | "ge";
  /** A u64 mask that is applied to the argument first. */
  readonly mask: bigint;
  /** A u64 to compare with. */
  readonly value: bigint;
}

/** A comparison of one argument. */
export type ConditionOp = Condition["op"];

/**
 * The value that a filter returns: action and data in one u32, as
 * `SECCOMP_RET_*`.
 */
export type ReturnValue = number;

/**
 * One rule: its range of numbers, its conditions, its answer.
 *
 * @category Profiles
 */
export interface Rule {
  /** First number of the range, a u32 as in `seccomp_data.nr`. */
  readonly first: number;
  /**
   * Last number of the range, a u32; if it is below `first`, the range is
   * empty.
   */
  readonly last: number;
  /**
   * Conditions that must all be true; a rule without conditions always matches.
   */
  readonly conditions: readonly Condition[];
  /** The value that the filter returns, a u32 as `SECCOMP_RET_*`. */
  readonly value: number;
  /** Origin of the rule, such as `syscalls[12]`, for messages. */
  readonly source: string;
}

/**
 * The rules of one `seccomp_data.arch` value.
 *
 * @category Profiles
 */
export interface ArchPolicy {
  /** `AUDIT_ARCH_*`, a u32. x86_64 and x32 share one. */
  readonly auditArch: number;
  /** Names for messages, such as `["x86_64", "x32"]`. */
  readonly names: readonly string[];
  /** First match wins. */
  readonly rules: readonly Rule[];
}

/**
 * The answer that a filter must return for every input.
 *
 * @category Profiles
 */
export interface Policy {
  /** Answer if no rule matches. */
  readonly defaultValue: number;
  /** Answer if no architecture matches. */
  readonly badArchValue: number;
  /** Byte order of the machine that runs the filter. */
  readonly littleEndian: boolean;
  /** One entry per `auditArch`, in the order of their tests. */
  readonly arches: readonly ArchPolicy[];
}

/**
 * Refuses a policy without a byte order, or with numbers that no call can have:
 * the meaning of such a policy would depend on its reader.
 *
 * @example A negative number, as bit operators make them
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { checkPolicy } from "./policy.ts";
 *
 * const arch = { auditArch: 0xc000_003e | 0, names: ["x86_64"], rules: [] };
 * const policy = { defaultValue: 0, badArchValue: 0, littleEndian: true, arches: [arch] };
 * assertThrows(() => checkPolicy(policy), RangeError, "arches[0].auditArch");
 * ```
 *
 * @param policy The policy.
 * @throws {RangeError} for the first such number, with its location.
 * @throws {TypeError} if the byte order is missing.
 */
export function checkPolicy(policy: Policy): void {
  const { defaultValue, badArchValue, littleEndian, arches } = policy;
  // In untyped code, a missing value would mean big-endian.
  if (typeof littleEndian !== "boolean") {
    throw new TypeError(
      `Cannot use the policy: littleEndian is ${littleEndian}: give true or false`,
    );
  }
  requireU32(defaultValue, "defaultValue");
  requireU32(badArchValue, "badArchValue");
  for (const [i, { auditArch, rules }] of arches.entries()) {
    requireU32(auditArch, `arches[${i}].auditArch`);
    for (let r = 0; r < rules.length; r++) {
      const fault = faultOf(rules[r] as Rule);
      if (fault === undefined) continue;
      throw new RangeError(
        `Cannot use the policy: arches[${i}].rules[${r}].${fault}`,
      );
    }
  }
}

function requireU32(value: number, path: string): void {
  if (isU32(value)) return;
  throw new RangeError(`Cannot use the policy: ${path} is ${value}: ${U32}`);
}

const U32 = "give an integer from 0 to 2^32 - 1";

function isU32(value: number): boolean {
  return value >>> 0 === value;
}

function isU64(value: bigint): boolean {
  return BigInt.asUintN(64, value) === value;
}

function faultOf(rule: Rule): string | undefined {
  const { first, last, value, conditions } = rule;
  // Covers most rules with one test.
  if (
    first >>> 0 === first && last >>> 0 === last && value >>> 0 === value &&
    conditions.length === 0
  ) return undefined;
  if (!isU32(first)) return `first is ${first}: ${U32}`;
  if (!isU32(last)) return `last is ${last}: ${U32}`;
  if (!isU32(value)) return `value is ${value}: ${U32}`;
  for (const [c, { arg, mask, value }] of conditions.entries()) {
    const at = `conditions[${c}]`;
    if (!(isU32(arg) && arg < 6)) return `${at}.arg is ${arg}: give 0 to 5`;
    if (isU64(mask) && isU64(value)) continue;
    return `${at} compares with ${value} under ${mask}: give integers from 0 to 2^64 - 1`;
  }
  return undefined;
}
