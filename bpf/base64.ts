/**
 * Base64 with exactly one spelling for each sequence of bytes (RFC 4648,
 * section 4), as in the annotation `run.oci.seccomp_bpf_data`.
 *
 * Decoding is strict, while crun skips unknown characters: no other characters,
 * no white space, exactly the required padding, and zero for the unused bits of
 * the last character.
 *
 * @module
 */

const ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const PADDING = "=";

/** Value of each character outside the alphabet. */
const NOT_IN_ALPHABET = 255;
/** Values of the characters below 128; built on first use. */
let values: Uint8Array | undefined;

/**
 * Writes bytes as base64, padded, on one line.
 *
 * @param bytes Any bytes.
 * @returns Four characters for every three bytes or part of them.
 */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [b0 = 0, b1, b2] = bytes.subarray(i, i + 3);
    text += letter(b0 >> 2) + letter((b0 & 3) << 4 | (b1 ?? 0) >> 4) +
      (b1 === undefined ? PADDING : letter((b1 & 15) << 2 | (b2 ?? 0) >> 6)) +
      (b2 === undefined ? PADDING : letter(b2 & 63));
  }
  return text;
}

/**
 * Reads base64.
 *
 * @throws {SyntaxError} if the text is not what `encodeBase64` would write.
 *
 * @example A space is not skipped
 * ```ts
 * import { decodeBase64 } from "./base64.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(decodeBase64("BgAA"), new Uint8Array([6, 0, 0]));
 * assertThrows(() => decodeBase64("Bg AA"), SyntaxError);
 * ```
 *
 * @param text Base64 with padding.
 * @returns The bytes.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const padding = text.endsWith("==") ? 2 : text.endsWith(PADDING) ? 1 : 0;
  const letters = text.length - padding;
  for (let i = 0; i < letters; i++) {
    if (valueAt(text, i) === NOT_IN_ALPHABET) {
      throw unreadable(
        `${JSON.stringify(text.charAt(i))} at character ${
          i + 1
        } is not in A-Z a-z 0-9 + /`,
      );
    }
  }
  if (text.length % 4 !== 0) {
    throw unreadable(`${text.length} characters, which is not a multiple of 4`);
  }
  const bytes = new Uint8Array(text.length / 4 * 3 - padding);
  let at = 0;
  for (let i = 0; i < text.length; i += 4) {
    // Padding reads as 255; its bits are dropped below.
    const bits = valueAt(text, i) << 18 | valueAt(text, i + 1) << 12 |
      (valueAt(text, i + 2) & 63) << 6 | valueAt(text, i + 3) & 63;
    bytes[at++] = bits >> 16;
    if (at < bytes.length) bytes[at++] = bits >> 8;
    if (at < bytes.length) bytes[at++] = bits;
  }
  if (padding > 0) {
    const spare = valueAt(text, letters - 1) & (padding === 2 ? 15 : 3);
    if (spare !== 0) {
      throw unreadable(
        `the last letter ${
          JSON.stringify(text.charAt(letters - 1))
        } has bits after the last byte`,
      );
    }
  }
  return bytes;
}

function letter(value: number): string {
  return ALPHABET.charAt(value);
}

function valueAt(text: string, index: number): number {
  values ??= valuesByCharacter();
  return values[text.charCodeAt(index)] ?? NOT_IN_ALPHABET;
}

function valuesByCharacter(): Uint8Array {
  const values = new Uint8Array(128).fill(NOT_IN_ALPHABET);
  for (let i = 0; i < ALPHABET.length; i++) values[ALPHABET.charCodeAt(i)] = i;
  return values;
}

function unreadable(why: string): SyntaxError {
  return new SyntaxError(`Cannot decode base64: ${why}`);
}
