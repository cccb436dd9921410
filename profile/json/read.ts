/**
 * A JSON reader for policies that keeps what `JSON.parse` loses. Numbers stay
 * as written, every value has its position, a repeated key is an error, and a
 * key is data, whatever its name. Line and block comments are accepted.
 *
 * The offsets of a value let a caller replace it and leave every other byte of
 * the text alone. Text that C and Go programs would read differently is
 * refused: NUL in strings, lone surrogates, trailing commas, a second value.
 *
 * Time and memory are linear in the text. Text longer than {@linkcode
 * JsonOptions.maxLength} is refused unread, and nesting deeper than 128 levels
 * at the bracket that exceeds the limit.
 *
 * @module
 */

import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import { parseValue } from "./parse.ts";
import type { JsonDocument } from "./value.ts";
import { skipBlank } from "./scan.ts";
import { createScanner, type JsonScanner, unexpected } from "./scanner.ts";
import { diagnosticAt, lineStartsOf } from "../text.ts";

/**
 * Default maximum length of a text, in UTF-16 units: 16 Mi, a thousand times
 * Docker's profile.
 */
export const MAX_JSON_LENGTH: number = 16 * 1024 * 1024;

/** Options of reading. */
export interface JsonOptions {
  /**
   * Maximum length of the text in UTF-16 units; {@linkcode MAX_JSON_LENGTH} by
   * default.
   */
  readonly maxLength?: number;
  /** True if comments are an error; they are accepted by default. */
  readonly comments?: "accept" | "reject";
}

/** A document and its diagnostics, including repeated keys as errors. */
export interface JsonReading {
  /** The document. */
  readonly document: JsonDocument;
  /** Errors (repeated keys) and notes (byte order mark, comments). */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses a text, refusing repeated keys.
 *
 * @example Numbers stay as written
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJson } from "./read.ts";
 * import { findMember } from "./value.ts";
 *
 * const { root } = parseJson('{ "value": 18446744073709551615 } // u64');
 * const value = root.kind === "object" ? findMember(root, "value") : undefined;
 * assertEquals(value, {
 *   kind: "number",
 *   start: 11,
 *   end: 31,
 *   text: "18446744073709551615",
 * });
 * ```
 *
 * @param text JSON, with or without comments and byte order mark.
 * @param options Options of reading.
 * @returns The document.
 * @throws {ProfileError} if the text is not JSON or repeats a key.
 */
export function parseJson(
  text: string,
  options: JsonOptions = {},
): JsonDocument {
  const { document, diagnostics } = readJson(text, options);
  if (diagnostics.some((d) => d.severity === "error")) {
    throw new ProfileError(diagnostics);
  }
  return document;
}

/**
 * Parses a text and leaves its errors to the caller: a document with repeated
 * keys can still be checked for other errors.
 *
 * @param text JSON, with or without comments and byte order mark.
 * @param options Options of reading.
 * @returns The document and its diagnostics.
 * @throws {ProfileError} if the text is not JSON.
 */
export function readJson(text: string, options: JsonOptions = {}): JsonReading {
  const maxLength = options.maxLength ?? MAX_JSON_LENGTH;
  if (text.length > maxLength) throw tooLong(text.length, maxLength);
  const hasBom = text.charCodeAt(0) === 0xfeff;
  const scanner = createScanner(text, lineStartsOf(text));
  if (hasBom) scanner.at = 1;
  if (!text.isWellFormed()) throw loneSurrogate(scanner);
  if (hasBom) {
    note(
      scanner,
      0,
      "json-bom",
      "The text starts with a byte order mark, which runtimes refuse",
    );
  }
  skipBlank(scanner);
  if (scanner.at === text.length) {
    throw unexpected(
      scanner,
      "json-empty",
      "The text is empty",
      "give a JSON object",
    );
  }
  const root = parseValue(scanner, 0);
  skipBlank(scanner);
  if (scanner.at < text.length) {
    throw unexpected(
      scanner,
      "json-trailing",
      "Unexpected text after the end of the value",
      "remove everything after it",
    );
  }
  if (scanner.firstComment !== undefined) {
    judgeComment(scanner, scanner.firstComment, options);
  }
  const { lineStarts, diagnostics } = scanner;
  return { document: { text, root, lineStarts }, diagnostics };
}

/** Reports that there are comments, as an error or a note. */
function judgeComment(s: JsonScanner, at: number, options: JsonOptions): void {
  const message =
    "The text has comments, which container managers and runtimes refuse";
  if (options.comments !== "reject") {
    return note(s, at, "json-comment", message);
  }
  const place = diagnosticAt(s.lineStarts, at);
  const fix = "remove them";
  s.diagnostics.push({
    severity: "error",
    code: "json-comment",
    path: "",
    message,
    fix,
    ...place,
  });
}

/** Adds a note about the whole text. */
function note(s: JsonScanner, at: number, code: string, message: string): void {
  const place = diagnosticAt(s.lineStarts, at);
  s.diagnostics.push({ severity: "note", code, path: "", message, ...place });
}

/** Builds the error for a text that is too long. */
export function tooLong(length: number, maxLength: number): ProfileError {
  const message =
    `Text of ${length} characters or bytes exceeds the limit of ${maxLength}`;
  const fix = "split the profile, or raise the limit";
  return new ProfileError([{
    severity: "error",
    code: "json-size",
    path: "",
    message,
    fix,
  }]);
}

/** Builds the error for half a surrogate pair in the text itself. */
function loneSurrogate(s: JsonScanner): ProfileError {
  const lone =
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
  s.at = s.text.search(lone);
  return unexpected(
    s,
    "json-surrogate",
    "Half a surrogate pair",
    "write whole characters",
  );
}
