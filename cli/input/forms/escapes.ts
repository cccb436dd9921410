/**
 * Reads bytes that are strings with escapes.
 *
 * ```text
 * "\x20\x00\x00\x00\x04\x00\x00\x00" "\x15\x00\x00\x03\x3e\x00\x00\xc0"
 * ```
 *
 * @module
 */

import { AssemblyError } from "../../../bpf/error.ts";

const ESCAPE =
  /\\x(?<hex>[0-9a-f]{2})|\\(?<octal>[0-7]{1,3})|\\(?<letter>[abefnrtv"'\\])|(?<plain>[ -~])/iy;

const LETTERS: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '"': 34,
  "'": 39,
  "\\": 92,
};

/**
 * Reads strings with escapes, which are joined.
 *
 * @param text Strings in quotes as in C, or only their content.
 * @throws {AssemblyError} at the first character that is not part of a string.
 */
export function readEscapes(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const quoted = /["']/.test(text.replaceAll(/\\["']/g, ""));
  let quote: string | undefined;
  const fail = (message: string, at: number): AssemblyError => {
    const before = text.slice(0, at).split("\n");
    return new AssemblyError("escape", `Cannot read string: ${message}`, {
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
    });
  };
  const start = quoted ? text.search(/["']/) : 0;
  let opened = 0;
  for (let at = start; at < text.length;) {
    const character = text.charAt(at);
    if (quoted && quote === undefined) {
      if (/["']/.test(character)) [quote, opened] = [character, at];
      else if (!/[\s,;+()\\\]}bB]/.test(character)) {
        throw fail(`${JSON.stringify(character)} is outside of quotes`, at);
      }
      at++;
      continue;
    }
    if (character === quote) {
      quote = undefined;
      at++;
      continue;
    }
    if (!quoted && /\s/.test(character)) {
      at++;
      continue;
    }
    ESCAPE.lastIndex = at;
    const match = ESCAPE.exec(text);
    if (match === null) {
      throw fail(`${JSON.stringify(character)} does not begin a byte`, at);
    }
    const { hex, octal, letter, plain } = match.groups ?? {};
    const byte = hex !== undefined
      ? Number(`0x${hex}`)
      : octal !== undefined
      ? Number(`0o${octal}`)
      : letter !== undefined
      ? LETTERS[letter.toLowerCase()]
      : plain?.charCodeAt(0);
    if (byte === undefined || byte > 0xff || plain === "\\") {
      throw fail(`${JSON.stringify(match[0])} is not a byte`, at);
    }
    bytes.push(byte);
    at += match[0].length;
  }
  if (quote !== undefined) throw fail("it does not end", opened);
  return new Uint8Array(bytes);
}
