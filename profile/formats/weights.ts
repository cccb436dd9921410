/**
 * Reads how often each system call occurs, from the output of any tool that
 * counts calls.
 *
 * | form              | looks like                                             |
 * | ----------------- | ------------------------------------------------------ |
 * | JSON              | `{"read": 80508, "write": 81827}`                      |
 * | lines             | `read 80508`, `read: 80508`, `80508 read`              |
 * | `strace -c`       | `% time  seconds  usecs/call  calls  errors  syscall`  |
 * | `perf trace -s`   | `syscall  calls  errors  total  min  avg  max  stddev` |
 *
 * @module
 */

import { isKnownName } from "../../tables/arch.ts";
import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import { type JsonReading, readJson } from "../json/read.ts";
import { diagnosticAt, quote } from "../text.ts";
import { describe } from "./fields.ts";

const NAME = /^[a-z_][a-z0-9_]*$/i;
const COUNT = /^[0-9]+(?:\.[0-9]+)?$/;

/**
 * Reads counts.
 *
 * @example Three forms
 * ```ts
 * import { parseWeights } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const expected = new Map([["read", 3], ["close", 1]]);
 * assertEquals(parseWeights('{"read": 3, "close": 1}').counts, expected);
 * assertEquals(parseWeights("read: 3\nclose 1\n").counts, expected);
 * const strace = `% time     seconds  usecs/call     calls    errors syscall
 * ------ ----------- ----------- --------- --------- ----------------
 *  70.00    0.000010           3         3         1 read
 *  30.00    0.000002           2         1           close
 * ------ ----------- ----------- --------- --------- ----------------
 * 100.00    0.000012                     4         1 total`;
 * assertEquals(parseWeights(strace).counts, expected);
 * ```
 *
 * @param text The file.
 * @returns Counts by name; lines with the same name are added up.
 * @throws {ProfileError} if a line cannot be read, a key of JSON is repeated,
 * or there are no counts.
 * @category Profiles
 */
export function parseWeights(text: string): {
  /** Counts by name, 0 or more. */
  readonly counts: ReadonlyMap<string, number>;
  /** Warnings about names that exist nowhere. */
  readonly diagnostics: readonly Diagnostic[];
} {
  const errors: Diagnostic[] = [];
  const rows = /^[\s\ufeff]*\{/.test(text)
    ? readJsonCounts(text, errors)
    : readLines(text, errors);
  const counts = new Map<string, number>();
  const diagnostics: Diagnostic[] = [];
  for (const { name, count, line } of rows) {
    if (!isKnownName(name)) {
      diagnostics.push({
        severity: "warning",
        code: "unknown-syscall",
        path: "",
        message: `System call ${quote(name)} is unknown: its weight is ignored`,
        ...(line === undefined ? {} : { line }),
      });
    } else counts.set(name, (counts.get(name) ?? 0) + count);
  }
  if (errors.length === 0 && ![...counts.values()].some((c) => c > 0)) {
    errors.push(failure("Cannot read weights: no system call is counted"));
  }
  if (errors.length > 0) throw new ProfileError([...errors, ...diagnostics]);
  return { counts, diagnostics };
}

interface Row {
  readonly name: string;
  readonly count: number;
  readonly line?: number;
}

function failure(message: string, line?: number): Diagnostic {
  return {
    severity: "error",
    code: "weights",
    path: "",
    message,
    fix:
      'give {"name": count}, lines of name and count, strace -c or perf trace -s',
    ...(line === undefined ? {} : { line }),
  };
}

/**
 * Reads an object of counts; a repeated key would hide a count and is refused.
 */
function readJsonCounts(text: string, errors: Diagnostic[]): readonly Row[] {
  let reading: JsonReading;
  try {
    reading = readJson(text);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    errors.push(...error.diagnostics.map(asFailure));
    return [];
  }
  const { document: { root, lineStarts }, diagnostics } = reading;
  errors.push(
    ...diagnostics.filter((d) => d.severity === "error").map(asFailure),
  );
  const members = root.kind === "object" ? root.members : [];
  return members.flatMap(({ key, value }): readonly Row[] => {
    const place = diagnosticAt(lineStarts, value.start);
    const count = value.kind === "number" ? Number(value.text) : NaN;
    if (count >= 0 && count < Infinity) {
      return [{ name: key.value, count, line: place.line }];
    }
    errors.push({
      ...failure(
        `Cannot read the weight of ${quote(key.value)}: ${
          describe(value)
        } is not a count`,
      ),
      ...place,
    });
    return [];
  });
}

function asFailure(diagnostic: Diagnostic): Diagnostic {
  const { message } = diagnostic;
  return {
    ...diagnostic,
    code: "weights",
    message: `Cannot read weights: ${message}`,
  };
}

function readLines(text: string, errors: Diagnostic[]): readonly Row[] {
  const rows: Row[] = [];
  let strace = false;
  for (const [i, raw] of text.split("\n").entries()) {
    const line = i + 1;
    const words = raw.replace(/#.*/, "").trim().split(/[\s]+/).filter((w) =>
      w !== ""
    );
    if (raw.includes("% time") && raw.includes("syscall")) strace = true;
    if (isDecoration(raw, words)) continue;
    const row = strace ? straceRow(words) : plainRow(words);
    if (row === undefined) {
      errors.push(failure(`Cannot read weights: "${raw.trim()}"`, line));
    } else rows.push({ ...row, line });
  }
  return rows;
}

/** Headings, rules, sums and the process lines of perf trace. */
function isDecoration(raw: string, words: readonly string[]): boolean {
  return words.length === 0 || /^[-\s=]+$/.test(raw) ||
    raw.includes("% time") || words[words.length - 1] === "total" ||
    /^(?:syscall|Summary)\b/.test(words[0] ?? "") ||
    /^\(msec\)/.test(raw.trim()) ||
    /\(\d+\), \d+ events/.test(raw);
}

function straceRow(words: readonly string[]): Row | undefined {
  const name = words[words.length - 1];
  const calls = words[3];
  if (words.length < 5 || words.length > 6) return undefined;
  return toRow(name, calls);
}

function plainRow(words: readonly string[]): Row | undefined {
  const [first = "", second = ""] = words;
  if (words.length > 2 && !words.slice(1).every((w) => /^[0-9.]+%?$/.test(w))) {
    return undefined;
  }
  return toRow(first.replace(/:$/, ""), second) ??
    (words.length === 2 ? toRow(second, first) : undefined);
}

function toRow(
  name: string | undefined,
  count: string | undefined,
): Row | undefined {
  if (name === undefined || count === undefined) return undefined;
  if (!NAME.test(name) || !COUNT.test(count)) return undefined;
  return { name, count: Number(count) };
}
