/**
 * Errors for calls that the kernel or a library refuses.
 *
 * @module
 */

import { errnoText } from "../tables/errno.ts";

/**
 * Details of a {@linkcode SyscallError}.
 *
 * @category Kernel
 */
export interface SyscallFailure {
  /** The call that failed, such as `seccomp`. */
  readonly syscall: string;
  /**
   * Its errno, positive; 0 if the call succeeded but its result is unusable.
   */
  readonly errno: number;
  /** Remedy, without a final period. */
  readonly hint: string;
}

/**
 * Thrown if a call to the kernel or to a library fails.
 *
 * @category Kernel
 */
export class SyscallError extends Error {
  /** Name of the class. */
  override readonly name = "SyscallError";
  /** The call that failed. */
  readonly syscall: string;
  /** Its errno, positive; 0 if the call itself did not fail. */
  readonly errno: number;
  /** Name of the errno, such as `EINVAL`. */
  readonly errnoName: string;
  /** Remedy. */
  readonly hint: string;

  /**
   * Builds the error.
   *
   * @param action The action that failed, such as `Cannot load the filter`.
   * @param failure The call, its errno and the remedy.
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
