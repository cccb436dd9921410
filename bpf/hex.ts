/**
 * Bytes as hexadecimal digits.
 *
 * @module
 */

/**
 * Writes bytes as lower-case hexadecimal digits without separators.
 *
 * @param bytes Any bytes.
 * @returns Two digits per byte.
 */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/**
 * Reads hexadecimal digits of either case.
 *
 * @throws {SyntaxError} if there is any other character, or an odd number of
 * digits.
 *
 * @example Both ways
 * ```ts
 * import { fromHex, toHex } from "./hex.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toHex(fromHex("06FF")), "06ff");
 * ```
 *
 * @param text Two digits per byte.
 * @returns The bytes.
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const stranger = text.search(/[^0-9a-f]/i);
  if (stranger >= 0) {
    throw new SyntaxError(
      `Cannot decode hex: ${
        JSON.stringify(text.charAt(stranger))
      } at character ${stranger + 1} is not a hexadecimal digit`,
    );
  }
  if (text.length % 2 !== 0) {
    throw new SyntaxError(
      `Cannot decode hex: ${text.length} digits; a byte has two`,
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number(`0x${text.slice(2 * i, 2 * i + 2)}`);
  }
  return bytes;
}
