/**
 * The tokens of JSON: whitespace and comments, strings, numbers, words.
 *
 * @module
 */

import type { ProfileError } from "../diagnostic.ts";
import { type JsonScanner, unexpected } from "./scanner.ts";
import { quote } from "../text.ts";

/** Meaning of an escape of one letter. */
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x22, '"'],
  [0x5c, "\\"],
  [0x2f, "/"],
  [0x62, "\b"],
  [0x66, "\f"],
  [0x6e, "\n"],
  [0x72, "\r"],
  [0x74, "\t"],
]);

/** A number of RFC 8259. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Characters that end a plain stretch of a string. */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const UNPLAIN = /[\\\u0000-\u001f]/;
/** A run of characters that a person would call one word or number. */
const WORD = /[\w.+$-]+/y;
/** Maximum length of an interned string. */
const MAX_SHARED_LENGTH = 32;
/** Maximum number of interned strings. */
const MAX_SHARED = 4096;
/** Four hexadecimal digits. */
const HEX4 = /[0-9a-fA-F]{4}/y;

/**
 * Skips whitespace and comments.
 *
 * @param s The scanner.
 * @throws {ProfileError} if a comment does not end.
 */
export function skipBlank(s: JsonScanner): void {
  for (;;) {
    const c = s.text.charCodeAt(s.at);
    if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) s.at++;
    else if (c === 0x2f) skipComment(s);
    else return;
  }
}

/** Skips `// …` or a block comment. */
function skipComment(s: JsonScanner): void {
  const start = s.at;
  const second = s.text.charCodeAt(start + 1);
  if (second === 0x2f) {
    s.at = start + 2;
    while (s.at < s.text.length && !isLineEnd(s.text.charCodeAt(s.at))) s.at++;
  } else if (second === 0x2a) {
    const end = s.text.indexOf("*/", start + 2);
    if (end === -1) {
      throw unexpected(
        s,
        "json-comment-end",
        "Comment does not end",
        'close it by "*/"',
      );
    }
    s.at = end + 2;
  } else {
    throw unexpected(
      s,
      "json-syntax",
      "Unexpected",
      'a comment begins with "//" or "/*"',
    );
  }
  s.firstComment ??= start;
}

/** Reports whether a character ends a line. */
function isLineEnd(c: number): boolean {
  return c === 0x0a || c === 0x0d;
}

/**
 * Reads a string whose opening quote is the current character.
 *
 * @param s The scanner, which ends after the closing quote.
 * @returns The string, with escapes resolved.
 * @throws {ProfileError} if it does not end, or contains characters that JSON
 * or C strings cannot.
 */
export function scanString(s: JsonScanner): string {
  const { text } = s;
  const open = s.at;
  // Most strings are plain: two native searches are faster than a loop,
  // especially before the loop is compiled.
  const close = text.indexOf('"', open + 1);
  if (close > 0) {
    const inner = text.slice(open + 1, close);
    if (!UNPLAIN.test(inner)) {
      s.at = close + 1;
      return shared(s, inner);
    }
  }
  let value = "";
  let from = open + 1;
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === 0x22) break;
    if (c === 0x5c) {
      value += text.slice(from, at);
      s.at = at;
      value += scanEscape(s);
      at = from = s.at;
    } else if (c >= 0x20) {
      at++;
    } else {
      // A control character or, as NaN, the end of the text.
      s.at = at;
      if (at >= text.length) {
        throw unexpected(s, "json-string-end", "String", "close it", open);
      }
      throw c === 0 ? nulInside(s) : unexpected(
        s,
        "json-control",
        "Control character in a string",
        isLineEnd(c)
          ? "close the string, or write \\n"
          : "write it as an escape",
      );
    }
  }
  s.at = at + 1;
  const tail = text.slice(from, at);
  return value === "" ? tail : value + tail;
}

/** Interns short strings, because most documents repeat a few of them. */
function shared({ strings }: JsonScanner, text: string): string {
  if (text.length > MAX_SHARED_LENGTH) return text;
  const known = strings.get(text);
  if (known !== undefined) return known;
  if (strings.size < MAX_SHARED) strings.set(text, text);
  return text;
}

/** Reads an escape whose backslash is the current character. */
function scanEscape(s: JsonScanner): string {
  const letter = s.text.charCodeAt(s.at + 1);
  const simple = ESCAPES.get(letter);
  if (simple !== undefined) {
    s.at += 2;
    return simple;
  }
  const unit = letter === 0x75 ? unicodeAt(s, s.at) : undefined;
  if (unit === undefined) {
    throw unexpected(
      s,
      "json-escape",
      "Unknown escape",
      'escapes are \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX',
    );
  }
  if (unit === 0) throw nulInside(s);
  if (unit < 0xd800 || unit > 0xdfff) {
    s.at += 6;
    return String.fromCharCode(unit);
  }
  const low = unit < 0xdc00 ? unicodeAt(s, s.at + 6) : undefined;
  if (low === undefined || low < 0xdc00 || low > 0xdfff) {
    throw unexpected(
      s,
      "json-surrogate",
      "Half a surrogate pair",
      "write both halves",
    );
  }
  s.at += 12;
  return String.fromCharCode(unit, low);
}

/** Reads `\uXXXX` at an offset. */
function unicodeAt(s: JsonScanner, at: number): number | undefined {
  if (s.text.charCodeAt(at) !== 0x5c || s.text.charCodeAt(at + 1) !== 0x75) {
    return undefined;
  }
  HEX4.lastIndex = at + 2;
  const digits = HEX4.exec(s.text)?.[0];
  return digits === undefined ? undefined : Number(`0x${digits}`);
}

/** Builds the error for NUL, escaped or not. */
function nulInside(s: JsonScanner): ProfileError {
  const message = "NUL in a string, where programs written in C stop reading";
  return unexpected(s, "json-nul", message, "remove it");
}

/**
 * Reads a number that begins at the current character.
 *
 * @param s The scanner, which ends after the number.
 * @returns The number as written.
 * @throws {ProfileError} if there is no number.
 */
export function scanNumber(s: JsonScanner): string {
  const end = endOfDigits(s);
  if (end !== undefined) {
    const digits = s.text.slice(s.at, end);
    s.at = end;
    return digits;
  }
  NUMBER.lastIndex = s.at;
  const text = NUMBER.exec(s.text)?.[0] ?? "";
  const word = wordAt(s);
  if (text === "" || word.length > text.length) throw notAValue(s, word);
  s.at += text.length;
  return text;
}

/**
 * Finds the end of a plain integer, by far the most frequent kind of number.
 */
function endOfDigits(s: JsonScanner): number | undefined {
  const { text, at } = s;
  let end = at;
  let c = text.charCodeAt(end);
  while (c >= 0x30 && c <= 0x39) c = text.charCodeAt(++end);
  if (end === at || (end > at + 1 && text.charCodeAt(at) === 0x30)) {
    return undefined;
  }
  const isOver = c === 0x2c || c === 0x5d || c === 0x7d || c === 0x20 ||
    c === 0x0a || c === 0x0d || c === 0x09;
  return isOver ? end : undefined;
}

/**
 * Consumes a word.
 *
 * @param s The scanner, which ends after the word.
 * @param word The expected word.
 * @throws {ProfileError} if another word follows.
 */
export function scanWord(s: JsonScanner, word: string): void {
  const seen = wordAt(s);
  if (seen !== word) throw notAValue(s, seen);
  s.at += word.length;
}

/** Looks ahead over letters, digits and signs. */
function wordAt(s: JsonScanner): string {
  WORD.lastIndex = s.at;
  return WORD.exec(s.text)?.[0] ?? "";
}

/** Builds the error for text that is not a value. */
function notAValue(s: JsonScanner, word: string): ProfileError {
  if (word === "") {
    const fix = s.text[s.at] === "'"
      ? "write strings in double quotes"
      : undefined;
    return unexpected(s, "json-syntax", "Expected a value", fix);
  }
  const isNumeric = /^[+.-]?[0-9.]/.test(word);
  return isNumeric
    ? unexpected(
      s,
      "json-number",
      `Malformed number ${quote(word)}`,
      "write a decimal number",
    )
    : unexpected(
      s,
      "json-syntax",
      `Unknown word ${quote(word)}`,
      "put strings in double quotes",
    );
}
