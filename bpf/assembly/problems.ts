/**
 * Collects the errors of a text, so that all of them are reported at once.
 *
 * @module
 */

import { AssemblyError } from "../error.ts";
import type { TextPlace } from "./draft.ts";

/** Maximum number of errors to keep. */
const MOST_PROBLEMS = 1000;

/** The errors found so far. */
export class AssemblyProblems {
  readonly #found: AssemblyError[] = [];

  /**
   * Adds an error.
   *
   * @param reason Stable identifier in kebab-case.
   * @param message The action that failed, what was seen, and the remedy.
   * @param place Its position.
   */
  add(reason: string, message: string, place: TextPlace): void {
    if (!this.full) this.#found.push(new AssemblyError(reason, message, place));
  }

  /**
   * Runs a function, and records an error in the text that aborts it.
   *
   * @param work Reads a part of the text.
   * @returns The result; `undefined` after an error.
   */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof AssemblyError)) throw error;
      if (!this.full) this.#found.push(error);
      return undefined;
    }
  }

  /** True if the maximum number of errors is reached. */
  get full(): boolean {
    return this.#found.length >= MOST_PROBLEMS;
  }

  /** True if there are errors. */
  get any(): boolean {
    return this.#found.length > 0;
  }

  /**
   * Throws the errors, in the order of the text and one per line, if there are
   * any.
   *
   * @throws {AssemblyError} the first one, with all of them.
   */
  report(): void {
    const sorted = this.#found.toSorted((a, b) =>
      a.line - b.line || a.column - b.column
    ).filter((error, i, all) => error.line !== all[i - 1]?.line);
    const [first] = sorted;
    if (first === undefined) return;
    throw new AssemblyError(first.reason, first.detail, first, sorted);
  }
}
