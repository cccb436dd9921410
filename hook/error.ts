/**
 * Errors that keep a container from starting.
 *
 * @module
 */

/**
 * Reason of a refusal, in kebab-case; scripts and logs may rely on it.
 *
 * @category Containers
 */
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
 * Thrown if continuing would put a policy at risk: the container must not
 * start, and nothing may be written to standard output.
 *
 * @category Containers
 */
export class RefusedError extends Error {
  /** Name of the class. */
  override readonly name = "RefusedError";
  /** Reason, in kebab-case. */
  readonly code: RefusalCode;

  /**
   * Builds the error.
   *
   * @param code Reason, in kebab-case.
   * @param message The action that failed, what was seen, and the remedy.
   * @param options Its cause.
   */
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
