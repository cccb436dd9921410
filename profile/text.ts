/**
 * Text handling for messages: decodes bytes, converts offsets to lines, and
 * quotes strings safely.
 *
 * @module
 */

import { quoteText } from "../tables/printable.ts";
import { type Diagnostic, ProfileError } from "./diagnostic.ts";

/** A position in a text, both from 1; columns count UTF-16 units. */
export interface Place {
  /** Line. */
  readonly line: number;
  /** Column. */
  readonly column: number;
}

/** Maximum number of characters of a string in a message. */
const MAX_SHOWN = 60;

/**
 * Decodes UTF-8 and keeps a byte order mark, so that encoding the text again
 * gives the same bytes.
 *
 * @param bytes UTF-8.
 * @returns The text.
 * @throws {ProfileError} if the bytes are UTF-16 or invalid UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (looksLikeUtf16(bytes)) {
    throw badText("text-utf16", "The text is UTF-16", "save it as UTF-8", {
      line: 1,
      column: 1,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const end = firstInvalidByte(bytes);
    const before = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      bytes.subarray(0, end),
    );
    const seen = bytes[end];
    const message = seen === undefined
      ? "The text is not UTF-8: it ends within a character"
      : `The text is not UTF-8: byte 0x${hexByte(seen)} at offset ${end}`;
    const place = diagnosticAt(lineStartsOf(before), before.length);
    throw badText("text-utf8", message, "save it as UTF-8", place);
  }
}

/**
 * Finds the beginnings of the lines of a text. A line ends with LF, CR or CR
 * LF.
 *
 * @param text The text; a byte order mark does not count as a column.
 * @returns Offsets of the first character of each line, rising, at least one.
 */
export function lineStartsOf(text: string): number[] {
  const starts = [text.charCodeAt(0) === 0xfeff ? 1 : 0];
  if (text.includes("\r")) {
    for (const end of text.matchAll(/\r\n?|\n/g)) {
      starts.push(end.index + end[0].length);
    }
    return starts;
  }
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    starts.push(at + 1);
  }
  return starts;
}

/**
 * Converts an offset to line and column.
 *
 * @param lineStarts Offsets of the lines, rising.
 * @param offset Offset in UTF-16 units.
 * @returns Line and column from 1.
 */
export function diagnosticAt(
  lineStarts: readonly number[],
  offset: number,
): Place {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return {
    line: low + 1,
    column: Math.max(offset - (lineStarts[low] ?? 0), 0) + 1,
  };
}

/**
 * Quotes a string for a message: truncated to a readable length, and without
 * characters that could break the line or reorder it.
 *
 * @param text Any string.
 * @returns The string in double quotes.
 */
export function quote(text: string): string {
  const shown = text.length > MAX_SHOWN
    ? `${text.slice(0, MAX_SHOWN)}…`.replace(/[\ud800-\udbff]…$/, "…")
    : text;
  return quoteText(shown);
}

/**
 * Folds the case of a key as Go's `encoding/json` does for fields of a struct.
 * Beyond ASCII two characters fold to a letter: U+017F (long s) to `s`, U+212A
 * (Kelvin sign) to `k`. Source: Go, encoding/json/fold.go, and Podman 4.3.1.
 *
 * @example A long s
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { foldKey } from "./text.ts";
 *
 * assertEquals(foldKey("\u017fecComp"), "seccomp");
 * ```
 *
 * @param key The key.
 * @returns The key in lower case.
 */
export function foldKey(key: string): string {
  return key.replaceAll("\u017f", "s").toLowerCase();
}

/**
 * Reports whether the bytes start with a UTF-16 byte order mark, or with ASCII
 * in UTF-16.
 */
function looksLikeUtf16(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  if (a === undefined || b === undefined) return false;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) ||
    (a === 0 && b !== 0) || (a !== 0 && b === 0);
}

/** Finds the first byte that cannot continue the text before it, by halving. */
function firstInvalidByte(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startsAsUtf8(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Reports whether the bytes are the beginning of a UTF-8 text. */
function startsAsUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Writes a byte in hex. */
function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** Builds an error about the whole text. */
function badText(
  code: string,
  message: string,
  fix: string,
  place: Place,
): ProfileError {
  const diagnostic: Diagnostic = {
    severity: "error",
    code,
    path: "",
    message,
    fix,
    ...place,
  };
  return new ProfileError([diagnostic]);
}
