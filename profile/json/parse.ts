/**
 * The grammar of JSON: values, arrays, objects.
 *
 * @module
 */

import { formatPath } from "./path.ts";
import { scanNumber, scanString, scanWord, skipBlank } from "./scan.ts";
import { createScanner, type JsonScanner, unexpected } from "./scanner.ts";
import type {
  JsonArray,
  JsonItems,
  JsonMember,
  JsonObject,
  JsonString,
  JsonValue,
} from "./value.ts";
import { diagnosticAt } from "../text.ts";

/** Deepest nesting of arrays and objects; a runtime configuration needs 7. */
export const MAX_JSON_DEPTH = 128;
/**
 * Maximum number of repeated keys to report in one document.
 */
const MAX_DUPLICATES = 100;
/** Maximum number of elements of an array whose values are kept. */
const MAX_KEPT_ITEMS = 1000;
/**
 * Number of members up to which a linear search for a repeated key is cheaper
 * than a set.
 */
const FEW_MEMBERS = 12;

/**
 * Parses the value that begins at the current character. It is recursive up to
 * a depth of {@linkcode MAX_JSON_DEPTH}.
 *
 * @param s The scanner, which ends after the value.
 * @param depth Number of open brackets, 0 for the root.
 * @returns The value.
 * @throws {ProfileError} if there is no value.
 */
export function parseValue(s: JsonScanner, depth: number): JsonValue {
  const start = s.at;
  switch (s.text.charCodeAt(start)) {
    case 0x7b: // {
      return parseObject(s, depth);
    case 0x5b: // [
      return parseArray(s, depth);
    case 0x22: { // "
      const value = scanString(s);
      return { kind: "string", start, end: s.at, value };
    }
    case 0x74: // t
      scanWord(s, "true");
      return { kind: "boolean", start, end: s.at, value: true };
    case 0x66: // f
      scanWord(s, "false");
      return { kind: "boolean", start, end: s.at, value: false };
    case 0x6e: // n
      scanWord(s, "null");
      return { kind: "null", start, end: s.at };
    default: {
      const text = scanNumber(s);
      return { kind: "number", start, end: s.at, text };
    }
  }
}

/** Parses `[ … ]`. */
function parseArray(s: JsonScanner, depth: number): JsonArray {
  const start = s.at;
  enter(s, depth);
  const items: JsonValue[] = [];
  const starts: number[] = [];
  skipBlank(s);
  if (s.text.charCodeAt(s.at) !== 0x5d) {
    for (;;) {
      s.path[depth] = starts.length;
      starts.push(s.at);
      const item = parseValue(s, depth + 1);
      if (starts.length <= MAX_KEPT_ITEMS) items.push(item);
      if (endsHere(s, 0x5d, start)) break;
    }
  }
  s.at++;
  s.path.length = depth;
  return {
    kind: "array",
    start,
    end: s.at,
    items: starts.length <= MAX_KEPT_ITEMS
      ? withoutRoom(items)
      : itemsAt(s.text, starts, depth + 1),
  };
}

/** Parses `{ … }`. */
function parseObject(s: JsonScanner, depth: number): JsonObject {
  const start = s.at;
  enter(s, depth);
  const members: JsonMember[] = [];
  let seen: Map<string, JsonString> | undefined;
  skipBlank(s);
  if (s.text.charCodeAt(s.at) !== 0x7d) {
    for (;;) {
      const keyStart = s.at;
      if (s.text.charCodeAt(keyStart) !== 0x22) {
        const fix = "write the key in double quotes";
        throw unexpected(s, "json-key", "Expected a key", fix, start);
      }
      const value = scanString(s);
      const key: JsonString = {
        kind: "string",
        start: keyStart,
        end: s.at,
        value,
      };
      s.path[depth] = value;
      if (members.length === FEW_MEMBERS) {
        seen = new Map(members.map((m) => [m.key.value, m.key]));
      }
      const first = seen === undefined
        ? members.find((m) => m.key.value === value)?.key
        : seen.get(value);
      if (first === undefined) seen?.set(value, key);
      else duplicate(s, key, first);
      skipBlank(s);
      if (s.text.charCodeAt(s.at) !== 0x3a) {
        const fix = 'put ":" between key and value';
        throw unexpected(s, "json-colon", "Expected a colon", fix, start);
      }
      s.at++;
      skipBlank(s);
      members.push({ key, value: parseValue(s, depth + 1) });
      if (endsHere(s, 0x7d, start)) break;
    }
  }
  s.at++;
  s.path.length = depth;
  return { kind: "object", start, end: s.at, members: withoutRoom(members) };
}

/**
 * Copies a short list that will not grow: its own storage has room for 17
 * elements.
 */
function withoutRoom<T>(list: readonly T[]): readonly T[] {
  return list.length < FEW_MEMBERS ? list.slice() : list;
}

/**
 * The elements of a long array. Only their offsets are kept, because a value
 * takes twenty times the memory of its text.
 */
function itemsAt(
  text: string,
  starts: readonly number[],
  depth: number,
): JsonItems {
  const scanner = createScanner(text);
  const at = (index: number): JsonValue | undefined => {
    const start = starts[index];
    if (start === undefined) return undefined;
    scanner.at = start;
    return parseValue(scanner, depth);
  };
  return {
    length: starts.length,
    at,
    *[Symbol.iterator](): Generator<JsonValue> {
      for (let i = 0; i < starts.length; i++) yield at(i) ?? absent();
    },
  };
}

function absent(): never {
  throw new Error("Unreachable: an element that was parsed");
}

/** Consumes an opening bracket. */
function enter(s: JsonScanner, depth: number): void {
  if (depth >= MAX_JSON_DEPTH) {
    const message = `Nesting is deeper than ${MAX_JSON_DEPTH} levels`;
    throw unexpected(s, "json-depth", message, "a profile needs 7");
  }
  s.at++;
}

/**
 * Consumes a comma before the next element, or reports that the closing bracket
 * is reached.
 */
function endsHere(s: JsonScanner, close: number, start: number): boolean {
  skipBlank(s);
  const c = s.text.charCodeAt(s.at);
  if (c === close) return true;
  const bracket = String.fromCharCode(close);
  if (c !== 0x2c) {
    const fix =
      `put "," before the next element or "${bracket}" after the last`;
    throw unexpected(
      s,
      "json-comma",
      `Expected "," or "${bracket}"`,
      fix,
      start,
    );
  }
  const comma = s.at++;
  skipBlank(s);
  if (s.text.charCodeAt(s.at) === close) {
    s.at = comma;
    throw unexpected(
      s,
      "json-trailing-comma",
      `Comma before "${bracket}"`,
      "remove it: JSON has no trailing commas",
    );
  }
  return false;
}

/** Reports a repeated key. */
function duplicate(s: JsonScanner, key: JsonString, first: JsonString): void {
  if (s.diagnostics.length >= MAX_DUPLICATES) return;
  const place = diagnosticAt(s.lineStarts, first.start);
  s.diagnostics.push({
    severity: "error",
    code: "duplicate-key",
    path: formatPath(s.path),
    message: `Key is repeated, first at ${place.line}:${place.column}`,
    fix: "keep one of the two: some readers take the first, some the last",
    ...diagnosticAt(s.lineStarts, key.start),
  });
}
