/**
 * The message of anything thrown, since `catch` gives `unknown`.
 *
 * @module
 */

/**
 * Takes the message of a thrown thing.
 *
 * @param error What was thrown.
 * @returns Its message, or the thing as text.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Takes what the system said, without the number and the path that Deno adds.
 *
 * @example A file that is missing
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { reasonOf } from "./reason.ts";
 *
 * const error = new Error("No such file or directory (os error 2): open '/x'");
 * assertEquals(reasonOf(error), "No such file or directory");
 * ```
 *
 * @param error What was thrown.
 * @returns Such as `No such file or directory`.
 */
export function reasonOf(error: unknown): string {
  return messageOf(error).replace(/ \(os error \d+\).*$/s, "");
}
