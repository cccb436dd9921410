/**
 * Paths into a JSON document, such as `linux.seccomp.syscalls[12].args[0].op`:
 * conversion from keys to text, and from text to a position.
 *
 * @module
 */

import { findMember, type JsonDocument, type JsonValue } from "./value.ts";
import { quoteText } from "../../tables/printable.ts";
import { diagnosticAt, type Place } from "../text.ts";

/** One step of a path: a key or an index. */
export type PathStep = string | number;

/** Keys that need no quotes in a path. */
const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;
/** One step of a path: `[12]`, `["run.oci.x"]` or `.key`. */
const STEP = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|(?:^|\.)([A-Za-z_$][\w$-]*)/y;

/**
 * Writes steps as a path.
 *
 * @param steps Keys and indices from the root.
 * @returns The path; empty for the root.
 */
export function formatPath(steps: readonly PathStep[]): string {
  let path = "";
  for (const step of steps) {
    path = typeof step === "number" ? `${path}[${step}]` : join(path, step);
  }
  return path;
}

/**
 * Appends a key to a path.
 *
 * @param path A path; empty for the root.
 * @param key Any key.
 * @returns The path of the member.
 */
export function join(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}[${quoteText(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/**
 * Finds the value at a path.
 *
 * @param document The document.
 * @param path A path such as `syscalls[12].args[0]`; empty for the root.
 * @returns The value, or `undefined` if it is absent or the path is malformed.
 */
export function valueAt(
  document: JsonDocument,
  path: string,
): JsonValue | undefined {
  let value: JsonValue | undefined = document.root;
  let at = 0;
  while (at < path.length && value !== undefined) {
    STEP.lastIndex = at;
    const step = STEP.exec(path);
    if (step === null) return undefined;
    const [matched, index, quoted, plain] = step;
    if (index !== undefined) {
      value = value.kind === "array"
        ? value.items.at(Number(index))
        : undefined;
    } else {
      const key = quoted === undefined ? plain : unquote(quoted);
      value = value.kind === "object" && key !== undefined
        ? findMember(value, key)
        : undefined;
    }
    at += matched.length;
  }
  return value;
}

/**
 * Finds line and column of the value at a path.
 *
 * @example A rule of a profile
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJson } from "./read.ts";
 * import { locate } from "./path.ts";
 *
 * const document = parseJson('{ "syscalls": [\n  {} ] }');
 * assertEquals(locate(document, "syscalls[0]"), { line: 2, column: 3 });
 * assertEquals(locate(document, "syscalls[1]"), undefined);
 * ```
 *
 * @param document The document.
 * @param path A path such as `syscalls[12]`; empty for the root.
 * @returns Line and column from 1, or `undefined` if the path does not exist.
 */
export function locate(
  document: JsonDocument,
  path: string,
): Place | undefined {
  const value = valueAt(document, path);
  return value === undefined
    ? undefined
    : diagnosticAt(document.lineStarts, value.start);
}

/** Resolves the escapes of a quoted key. */
function unquote(inner: string): string | undefined {
  try {
    return String(JSON.parse(`"${inner}"`));
  } catch {
    return undefined;
  }
}
