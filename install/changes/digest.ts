/**
 * Synchronous digests, so that plans stay plain functions.
 *
 * @module
 */

/** Hashes a text: SHA-256 of its UTF-8, hexadecimal, lower case. */
export type TextDigest = (text: string) => string;

/**
 * Loads the function on use, because importing `node:crypto` would cost every
 * command of the single file 10 ms.
 *
 * @returns SHA-256.
 */
export async function loadDigest(): Promise<TextDigest> {
  const { createHash } = await import("node:crypto");
  return (text) => createHash("sha256").update(text, "utf8").digest("hex");
}
