/**
 * The errors that keep a container from starting.
 *
 * @module
 */

/** Why something was refused, in kebab-case; scripts and logs may rely on it. */
export type RefusalCode =
  | "bad-input"
  | "bad-config"
  | "foreign-annotation"
  | "doubtful-store"
  | "failed-proof"
  | "deadline"
  | "not-optimized"
  | "not-verified"
  | "bad-bundle"
  | "bad-settings";

/**
 * Thrown where going on would put a policy at risk: the container must not
 * start, nothing may be written to standard output.
 */
export class RefusedError extends Error {
  /** Name of the class. */
  override readonly name = "RefusedError";
  /** Why, in kebab-case. */
  readonly code: RefusalCode;

  /**
   * Builds the error.
   *
   * @param code Why, in kebab-case.
   * @param message What failed, what was seen, what would do.
   * @param options Its cause.
   */
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
