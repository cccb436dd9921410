/**
 * What is thrown where the kernel or a library refuses a call.
 *
 * @module
 */

/** Names of the errno values that the calls of this folder answer with; asm-generic/errno-base.h, asm-generic/errno.h. */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  7: "E2BIG",
  8: "ENOEXEC",
  9: "EBADF",
  10: "ECHILD",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  24: "EMFILE",
  26: "ETXTBSY",
  28: "ENOSPC",
  33: "EDOM",
  34: "ERANGE",
  36: "ENAMETOOLONG",
  38: "ENOSYS",
  40: "ELOOP",
  90: "EMSGSIZE",
  95: "EOPNOTSUPP",
  105: "ENOBUFS",
  125: "ECANCELED",
  524: "ENOTSUPP",
};

/**
 * Names an errno value.
 *
 * @example Names
 * ```ts
 * import { errnoName } from "@x/seccomp-tree/ffi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(errnoName(22), "EINVAL");
 * assertEquals(errnoName(4000), "errno 4000");
 * ```
 *
 * @param errno A positive errno value.
 * @returns The name in the headers, or `errno N` where this folder meets none.
 */
export function errnoName(errno: number): string {
  return ERRNO_NAMES[errno] ?? `errno ${errno}`;
}

/** What a {@linkcode SyscallError} is made of. */
export interface SyscallFailure {
  /** The call that failed, such as `seccomp`. */
  readonly syscall: string;
  /** Its errno, positive; 0 where the call did not fail but its answer is of no use. */
  readonly errno: number;
  /** What to check, without a final period. */
  readonly hint: string;
}

/** Thrown where a call to the kernel or to a library fails. */
export class SyscallError extends Error {
  /** Tells this class from others. */
  override readonly name = "SyscallError";
  /** The call that failed. */
  readonly syscall: string;
  /** Its errno, positive; 0 where the call itself did not fail. */
  readonly errno: number;
  /** Name of the errno, such as `EINVAL`. */
  readonly errnoName: string;
  /** What to check. */
  readonly hint: string;

  /**
   * Builds the error.
   *
   * @param action What could not be done, such as `Cannot load the filter`.
   * @param failure The call, its errno and what to check.
   */
  constructor(action: string, failure: SyscallFailure) {
    const seen = failure.errno === 0
      ? failure.syscall
      : `${failure.syscall} answers ${errnoName(failure.errno)}`;
    const hint = failure.hint === "" ? "" : `; ${failure.hint}`;
    super(`${action}: ${seen}${hint}`);
    this.syscall = failure.syscall;
    this.errno = failure.errno;
    this.errnoName = failure.errno === 0 ? "" : errnoName(failure.errno);
    this.hint = failure.hint;
  }
}
