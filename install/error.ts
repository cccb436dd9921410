/**
 * The errors that stop an installation.
 *
 * @module
 */

/** Why something was refused, in kebab-case; scripts may rely on it. */
export type InstallErrorCode =
  | "usage"
  | "foreign"
  | "not-found"
  | "not-understood"
  | "locked"
  | "failed"
  | "not-verified"
  | "not-proved";

/** Thrown if nothing may be changed; what was changed is undone. */
export class InstallError extends Error {
  /** Name of the class. */
  override readonly name = "InstallError";
  /** Why, in kebab-case. */
  readonly code: InstallErrorCode;

  /**
   * Builds the error.
   *
   * @param code Why, in kebab-case.
   * @param message What failed, what was seen, what would do.
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
