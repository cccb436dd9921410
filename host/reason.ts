/**
 * The message of any thrown value, because `catch` gives `unknown`.
 *
 * @module
 */

/**
 * Returns the message of a thrown value.
 *
 * @param error The thrown value.
 * @returns Its message, or the value as text.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Returns the system's message, without the number and the path that Deno adds.
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
 * @param error The thrown value.
 * @returns A text such as `No such file or directory`.
 */
export function reasonOf(error: unknown): string {
  return messageOf(error).replace(/ \(os error \d+\).*$/s, "");
}
