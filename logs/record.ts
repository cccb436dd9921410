/**
 * A record: the report of a log about one call that a filter did not simply
 * allow.
 *
 * Parts that a form of log lacks are absent: no form has the arguments of the
 * call, and only Android's and strace's name a thread.
 *
 * @module
 */

/** Effect of the filter, if the log shows it. */
export type RecordedAction =
  | "KILL_PROCESS"
  | "KILL_THREAD"
  | "TRAP"
  | "ERRNO"
  | "USER_NOTIF"
  | "TRACE"
  | "LOG"
  | "ALLOW";

/** Origin of a record. */
export type RecordForm =
  | "audit"
  | "strace"
  | "android"
  | "minijail"
  | "chromium";

/** A user or group: its number, and its name if the log has one. */
export interface RecordedId {
  /** A u32; 4294967295 means "unset". Absent if the log has only a name. */
  readonly id?: number;
  /** Name on the machine that wrote the log. */
  readonly name?: string;
}

/** One record of a log. */
export interface LogRecord {
  /** Origin. */
  readonly form: RecordForm;
  /** Time in milliseconds since 1970, if the log shows an instant. */
  readonly time?: number;
  /** Time as written, if it lacks a year or a time zone. */
  readonly written?: string;
  /** `seconds.milliseconds:serial` of the audit system: one event, one id. */
  readonly id?: string;
  /** Machine that wrote the record. */
  readonly host?: string;
  /** `AUDIT_ARCH_*`, a u32; absent on kernels before 3.16 and in minijail. */
  readonly auditArch?: number;
  /** Architecture as written, if it is unknown. */
  readonly archText?: string;
  /** Number as in `seccomp_data.nr`, a u32. */
  readonly nr?: number;
  /** Name of the call as written, if the record has one. */
  readonly callText?: string;
  /** True if the call was made by a compatibility ABI such as i386 or x32. */
  readonly compat?: boolean;
  /** The filter's action; absent if the record does not show it. */
  readonly action?: RecordedAction;
  /** Signal that the call caused: 0 for none, 31 for SIGSYS. */
  readonly signal?: number;
  /** User who logged in. */
  readonly auid?: RecordedId;
  /** User. */
  readonly uid?: RecordedId;
  /** Group. */
  readonly gid?: RecordedId;
  /** Label of the security module. */
  readonly subj?: string;
  /** Process. */
  readonly pid?: number;
  /** Name of the thread, up to 15 bytes. */
  readonly comm?: string;
  /** Path of the program. */
  readonly exe?: string;
  /** Address of the call in the program. */
  readonly ip?: bigint;
}
