/**
 * Digests without waiting, so that plans stay plain functions.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Hashes a text.
 *
 * @param text Any text.
 * @returns SHA-256 of its UTF-8, hexadecimal, lower case.
 */
export function sha256Of(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
