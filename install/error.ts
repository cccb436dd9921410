/**
 * The errors that stop an installation.
 *
 * @module
 */

/** Reason of a refusal, in kebab-case; scripts may rely on it. */
export type InstallErrorCode =
  | "usage"
  | "foreign"
  | "not-found"
  | "not-understood"
  | "locked"
  | "in-use"
  | "failed"
  | "not-verified"
  | "not-proved";

/** Thrown if an installation must stop; all changes are undone. */
export class InstallError extends Error {
  /** Name of the class. */
  override readonly name = "InstallError";
  /** Reason, in kebab-case. */
  readonly code: InstallErrorCode;

  /**
   * Builds the error.
   *
   * @param code Reason, in kebab-case.
   * @param message The action that failed, what was seen, and the remedy.
   * @param options Its cause.
   */
  constructor(
    code: InstallErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
  }
}
