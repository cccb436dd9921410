/**
 * Diagnostics: the problems of a profile, each with its code, position and fix.
 *
 * @module
 */

/**
 * One finding about an input.
 *
 * @category Profiles
 */
export interface Diagnostic {
  /** Errors stop the work, warnings do not. */
  readonly severity: "error" | "warning" | "note";
  /** Stable identifier in kebab-case, such as `unknown-action`. */
  readonly code: string;
  /**
   * Path in the document, such as `linux.seccomp.syscalls[12].args[0].op`;
   * empty for the whole document.
   */
  readonly path: string;
  /** The problem and what was seen, without a final period. */
  readonly message: string;
  /** Remedy, without a final period. */
  readonly fix?: string;
  /** Line in the text, from 1. */
  readonly line?: number;
  /** Column in the text, from 1, in UTF-16 units. */
  readonly column?: number;
}

/**
 * Thrown once for all errors of one input.
 *
 * @example All problems at once, each with its place
 * ```ts
 * import { ProfileError, resolveProfile } from "@x/seccomp-tree";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const text = `{
 *   "defaultAction": "SCMP_ACT_ALOW",
 *   "syscalls": [{ "names": ["read"], "action": "allow" }]
 * }`;
 * const error = assertThrows(() => resolveProfile(text, { arch: "x86_64" }), ProfileError);
 * assertEquals(error.diagnostics.map((d) => [d.line, d.column, d.path, d.fix]), [
 *   [2, 20, "defaultAction", 'did you mean "SCMP_ACT_ALLOW"'],
 *   [3, 47, "syscalls[0].action", 'did you mean "SCMP_ACT_ALLOW"'],
 * ]);
 * ```
 * @category Profiles
 */
export class ProfileError extends Error {
  /** Name of the class. */
  override readonly name = "ProfileError";
  /** All diagnostics, errors and warnings, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];

  /**
   * Builds the error from its diagnostics.
   *
   * @param diagnostics All diagnostics; at least one is an error.
   */
  constructor(diagnostics: readonly Diagnostic[]) {
    super(
      diagnostics.filter((d) => d.severity === "error")
        .map((d) => {
          const place = d.path === "" ? "" : `${d.path}: `;
          const fix = d.fix === undefined ? "" : `: ${d.fix}`;
          return `${place}${d.message}${fix}`;
        }).join("\n"),
    );
    this.diagnostics = diagnostics;
  }
}
