/**
 * The policy: what a profile means for a target, in numbers. It is the waist
 * of the system: everything above knows names and runtimes, everything below
 * knows architectures, numbers and arguments only.
 *
 * A policy is read top down: the first rule of the architecture that matches
 * decides; where none matches, `defaultValue` does; where no architecture
 * matches, `badArchValue` does.
 *
 * @module
 */

/** A comparison of one argument. */
export type ConditionOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/**
 * One comparison, `(args[arg] & mask) op value`, unsigned. A 32-bit comparison
 * has a mask without high bits.
 */
export interface Condition {
  /** Index of the argument, 0 to 5. */
  readonly arg: number;
  /** The comparison. */
  readonly op: ConditionOp;
  /** A u64 that is and-ed to the argument first. */
  readonly mask: bigint;
  /** A u64 to compare with. */
  readonly value: bigint;
}

/** What a filter returns: action and data in one u32, as `SECCOMP_RET_*`. */
export type ReturnValue = number;

/** One rule: the numbers it covers, its conditions, its outcome. */
export interface Rule {
  /** First number covered, a u32 as in `seccomp_data.nr`. */
  readonly first: number;
  /** Last number covered, a u32, not below `first`. */
  readonly last: number;
  /** All must hold; none means that the rule always matches. */
  readonly conditions: readonly Condition[];
  /** What the filter returns. */
  readonly value: ReturnValue;
  /** Where the rule comes from, such as `syscalls[12]`, for people. */
  readonly source: string;
}

/** The rules of one `seccomp_data.arch` value. */
export interface ArchPolicy {
  /** `AUDIT_ARCH_*`, a u32. x86_64 and x32 share one. */
  readonly auditArch: number;
  /** Names for people, such as `["x86_64", "x32"]`. */
  readonly names: readonly string[];
  /** First match wins. */
  readonly rules: readonly Rule[];
}

/** What a filter has to return for every input. */
export interface Policy {
  /** Where no rule matches. */
  readonly defaultValue: ReturnValue;
  /** Where no architecture matches. */
  readonly badArchValue: ReturnValue;
  /** Byte order of the machine that runs the filter. */
  readonly littleEndian: boolean;
  /** One entry per `auditArch`, in the order in which they should be tested. */
  readonly arches: readonly ArchPolicy[];
}
