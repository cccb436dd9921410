/**
 * The seccomp section of an OCI runtime configuration, as the runtime-spec
 * names it (config-linux.md, Seccomp).
 *
 * @module
 */

/** Comparison operators of the runtime-spec. */
export type ScmpOp =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

/** Actions of the runtime-spec. */
export type ScmpAction =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

/** One comparison of an argument. */
export interface LinuxSeccompArg {
  /** Index of the argument, 0 to 5. */
  readonly index: number;
  /** A u64; the mask of `SCMP_CMP_MASKED_EQ`. */
  readonly value: bigint;
  /** A u64; the value of `SCMP_CMP_MASKED_EQ`, 0 if absent. */
  readonly valueTwo: bigint;
  /** The comparison. */
  readonly op: ScmpOp;
}

/** One entry of `syscalls`. */
export interface LinuxSyscall {
  /** Names as written. */
  readonly names: readonly string[];
  /** The action. */
  readonly action: ScmpAction;
  /** Data of the action as written, if present. */
  readonly errnoRet?: number;
  /** Comparisons as written; empty if absent. */
  readonly args: readonly LinuxSeccompArg[];
  /** Path in the document, such as `syscalls[12]`. */
  readonly path: string;
}

/** A parsed and checked seccomp section. */
export interface LinuxSeccomp {
  /** Action for calls that no rule matches. */
  readonly defaultAction: ScmpAction;
  /** Data of the default action, if present. */
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_*` names as written, only known ones; empty if absent. */
  readonly architectures: readonly string[];
  /** `SECCOMP_FILTER_FLAG_*` names; absence differs from an empty list. */
  readonly flags?: readonly string[];
  /** Socket of a notification listener. */
  readonly listenerPath?: string;
  /** Opaque data for the listener. */
  readonly listenerMetadata?: string;
  /** The rules, in order. */
  readonly syscalls: readonly LinuxSyscall[];
}
