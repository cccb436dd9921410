/**
 * The errors that are thrown if the kernel or a library refuses a call.
 *
 * @module
 */

import { errnoText } from "../tables/errno.ts";

/** What a {@linkcode SyscallError} is made of. */
export interface SyscallFailure {
  /** The call that failed, such as `seccomp`. */
  readonly syscall: string;
  /** Its errno, positive; 0 if the call did not fail but its answer is of no use. */
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
  /** Its errno, positive; 0 if the call itself did not fail. */
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
      : `${failure.syscall} answers ${errnoText(failure.errno)}`;
    const hint = failure.hint === "" ? "" : `; ${failure.hint}`;
    super(`${action}: ${seen}${hint}`);
    this.syscall = failure.syscall;
    this.errno = failure.errno;
    this.errnoName = failure.errno === 0 ? "" : errnoText(failure.errno);
    this.hint = failure.hint;
  }
}
