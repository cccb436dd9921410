/**
 * Digests over fields with their lengths, so that two different lists of fields
 * never hash the same bytes (crun's cache hashes strings without separators).
 *
 * @module
 */

/**
 * Hashes bytes.
 *
 * @param bytes Any bytes.
 * @returns SHA-256 in lower-case hexadecimal, 64 digits.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Hashes a list of fields.
 *
 * @example The end of a field matters
 * ```ts
 * import { assertNotEquals } from "@std/assert";
 * import { digestFields } from "./digest.ts";
 *
 * assertNotEquals(await digestFields(["ab", "c"]), await digestFields(["a", "bc"]));
 * ```
 *
 * @param fields Any texts.
 * @returns SHA-256 in lower-case hexadecimal over the length in bytes (u64, little-endian) and the UTF-8 of each.
 */
export async function digestFields(fields: readonly string[]): Promise<string> {
  const encoder = new TextEncoder();
  const parts = fields.map((field) => encoder.encode(field));
  const size = parts.reduce((sum, part) => sum + 8 + part.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setBigUint64(at, BigInt(part.length), true);
    bytes.set(part, at + 8);
    at += 8 + part.length;
  }
  return await sha256(bytes);
}
