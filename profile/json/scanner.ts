/**
 * The state of a JSON parse, and the errors that end it.
 *
 * @module
 */

import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import { formatPath, type PathStep } from "./path.ts";
import { diagnosticAt, quote } from "../text.ts";

/** State of a parse. */
export interface JsonScanner {
  /** The text. */
  readonly text: string;
  /** Offset of the current character. */
  at: number;
  /** Path of the value that is being read. */
  readonly path: PathStep[];
  /** Offsets of the lines; empty if no error can occur. */
  readonly lineStarts: readonly number[];
  /** Offset of the first comment. */
  firstComment: number | undefined;
  /** Interned strings. */
  readonly strings: Map<string, string>;
  /** Diagnostics so far. */
  readonly diagnostics: Diagnostic[];
}

/**
 * Begins a parse.
 *
 * @param text The text.
 * @param lineStarts Offsets of its lines; empty if it was parsed before.
 */
export function createScanner(
  text: string,
  lineStarts: readonly number[] = [],
): JsonScanner {
  return {
    text,
    at: 0,
    path: [],
    lineStarts,
    firstComment: undefined,
    strings: new Map(),
    diagnostics: [],
  };
}

/** Maximum number of steps of a path that still helps to find an error. */
const MAX_PATH_STEPS = 16;
/**
 * Builds the error for the current character.
 *
 * @param s The scanner.
 * @param code Stable identifier.
 * @param message The expectation or the problem; a description of the input is
 * appended.
 * @param fix Remedy.
 * @param open Offset of the open bracket or quote.
 * @returns The error, with the diagnostics so far.
 */
export function unexpected(
  s: JsonScanner,
  code: string,
  message: string,
  fix?: string,
  open?: number,
): ProfileError {
  const atEnd = s.at >= s.text.length;
  let said = message;
  if (atEnd && code !== "json-empty") {
    const start = open === undefined
      ? undefined
      : diagnosticAt(s.lineStarts, open);
    said = start === undefined
      ? `${message}, but the text ends here`
      : `${message}, the text ends within what began at ${start.line}:${start.column}`;
  } else if (!atEnd && /^(?:Expected|Unexpected)/.test(message)) {
    said = `${message}, found ${shown(s)}`;
  }
  const diagnostic: Diagnostic = {
    severity: "error",
    code: atEnd && code !== "json-empty" ? "json-end" : code,
    path: s.path.length > MAX_PATH_STEPS ? "" : formatPath(s.path),
    message: said,
    ...(fix === undefined || (atEnd && code !== "json-empty") ? {} : { fix }),
    ...diagnosticAt(s.lineStarts, s.at),
  };
  return new ProfileError([...s.diagnostics, diagnostic]);
}

/** Describes the character at the current offset. */
function shown(s: JsonScanner): string {
  const code = s.text.codePointAt(s.at) ?? 0;
  return code === 0 ? "NUL" : quote(String.fromCodePoint(code));
}
