/**
 * The errors for unusable programs and for text that is not assembly.
 *
 * @module
 */

/**
 * Thrown for a program that cannot be read, written or run, and returned for
 * one that the kernel would refuse.
 *
 * @example Distinguishing reasons
 * ```ts
 * import { ProgramError, simulate } from "@x/seccomp-tree";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const program = [{ op: "ld.abs", jt: 0, jf: 0, k: 0 }] as const;
 * const error = assertThrows(
 *   () => simulate(program, { arch: "x86_64", call: "read" }),
 *   ProgramError,
 * );
 * assertEquals([error.reason, error.pc], ["no-final-return", 0]);
 * ```
 * @category Filters
 */
export class ProgramError extends Error {
  /** Name of the class. */
  override readonly name = "ProgramError";
  /** Stable identifier in kebab-case, such as `jump-out-of-range`. */
  readonly reason: string;
  /**
   * Index of the instruction, from 0; `undefined` if the error concerns the
   * whole program.
   */
  readonly pc: number | undefined;

  /**
   * Builds the error.
   *
   * @param reason Stable identifier in kebab-case.
   * @param message The action that failed, what was seen, and the remedy.
   * @param pc Index of the instruction.
   */
  constructor(reason: string, message: string, pc?: number) {
    super(message);
    this.reason = reason;
    this.pc = pc;
  }
}

/**
 * Thrown for assembly text that cannot be read. It is the first error of the
 * text; `all` contains all of them.
 *
 * @example Position of a mistake
 * ```ts
 * import { AssemblyError, parseFilters } from "@x/seccomp-tree";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseFilters("ld [0]\njeqq #1\n"), AssemblyError);
 * assertEquals([error.line, error.column], [2, 1]);
 * ```
 * @category Filters
 */
export class AssemblyError extends SyntaxError {
  /** Name of the class. */
  override readonly name = "AssemblyError";
  /** Stable identifier in kebab-case, such as `unknown-label`. */
  readonly reason: string;
  /** Line in the text, from 1. */
  readonly line: number;
  /** Column in the text, from 1, in UTF-16 units. */
  readonly column: number;
  /** The message without the position. */
  readonly detail: string;
  /** All errors of the text, in its order; this one first. */
  readonly all: readonly AssemblyError[];

  /**
   * Builds the error; the message begins with the position.
   *
   * @param reason Stable identifier in kebab-case.
   * @param detail The action that failed, what was seen, and the remedy.
   * @param place Line and column, both from 1.
   * @param all All errors of the text, in its order; only this one if absent.
   */
  constructor(
    reason: string,
    detail: string,
    place: { readonly line: number; readonly column: number },
    all?: readonly AssemblyError[],
  ) {
    super(`${place.line}:${place.column}: ${detail}`);
    this.reason = reason;
    this.detail = detail;
    this.line = place.line;
    this.column = place.column;
    this.all = all ?? [this];
  }
}
