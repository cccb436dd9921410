/**
 * Files of cases for `test`: one case per line, or JSON.
 *
 * @module
 */

import { decodeUtf8 } from "../../profile/text.ts";
import { StatementError } from "../../statements/condition.ts";
import { parseCase, type TestCase } from "../../statements/test_case.ts";
import { ReportedError } from "../error.ts";
import { messageLine } from "../exit.ts";
import { inputName, type Io, readInput } from "../io.ts";

/** A case with its place. */
export interface PlacedCase {
  readonly test: TestCase;
  /** The case as written. */
  readonly text: string;
  /** Name of the case; its text by default. */
  readonly name: string;
  /** `file:line`, or `file:cases[N]` of JSON. */
  readonly place: string;
}

/** A case that is not parsed yet. */
interface RawCase extends Omit<PlacedCase, "test"> {
  /** Column of the text, from 0; absent in JSON. */
  readonly column?: number;
}

/**
 * Reads a file of cases.
 *
 * @param io Streams for standard input and messages.
 * @param file The file.
 * @throws {ReportedError} after all problems were printed.
 */
export async function readCases(
  io: Io,
  file: string,
): Promise<readonly PlacedCase[]> {
  const name = inputName(file);
  const text = decodeUtf8(await readInput(io, file));
  const raw = /^\s*[[{]/.test(text) ? jsonCases(text, name) : lines(text, name);
  if (typeof raw === "string") throw tell(io, [[name, raw]]);
  const problems: (readonly [place: string, message: string])[] = [];
  const cases = raw.flatMap(({ column, ...one }): readonly PlacedCase[] => {
    try {
      return [{ ...one, test: parseCase(one.text) }];
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      problems.push([placeOf({ ...one, column }, error), error.message]);
      return [];
    }
  });
  if (problems.length === 0 && cases.length === 0) {
    problems.push([name, "Cannot test: the file has no case"]);
  }
  if (problems.length > 0) throw tell(io, problems);
  return cases;
}

/**
 * Prints problems of cases.
 *
 * @param io Stream for the messages.
 * @param problems Place and message of each.
 * @returns The error to throw.
 */
export function tell(
  io: Io,
  problems: readonly (readonly [place: string, message: string])[],
): ReportedError {
  for (const [place, message] of problems) {
    io.err(messageLine(io, "error", message, place));
  }
  return new ReportedError("cases");
}

/** The place of a problem within a case. */
function placeOf(
  { place, column }: Pick<RawCase, "place"> & {
    readonly column?: number | undefined;
  },
  { offset }: StatementError,
): string {
  return column === undefined ? place : `${place}:${column + offset + 1}`;
}

function lines(text: string, name: string): readonly RawCase[] {
  return text.split(/\r?\n/).flatMap((line, i): readonly RawCase[] => {
    const bare = line.replace(/(?:^|\s)#.*$/, "").trimEnd();
    if (bare.trim() === "") return [];
    const trimmed = bare.trimStart();
    return [{
      text: trimmed,
      name: trimmed,
      place: `${name}:${i + 1}`,
      column: bare.length - trimmed.length,
    }];
  });
}

/** Reads a list of texts, or of objects with `case` and `name`. */
function jsonCases(text: string, file: string): readonly RawCase[] | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return `Cannot read cases: ${error instanceof Error ? error.message : ""}`;
  }
  // Every field is checked before use.
  const list = Array.isArray(document)
    ? document
    : (document as { readonly cases?: unknown }).cases;
  if (!Array.isArray(list)) {
    return 'Cannot read cases: write ["allow read", …] or {"cases": […]}';
  }
  const cases: RawCase[] = [];
  for (const [i, item] of list.entries()) {
    const { case: written, name } = typeof item === "string"
      ? { case: item, name: undefined }
      : Object(item) as { readonly case?: unknown; readonly name?: unknown };
    const isNamed = name === undefined || typeof name === "string";
    if (typeof written !== "string" || !isNamed) {
      return `Cannot read cases[${i}]: write a text, or {"case": "allow read", "name": "…"}`;
    }
    cases.push({
      text: written,
      name: name ?? written,
      place: `${file}:cases[${i}]`,
    });
  }
  return cases;
}
