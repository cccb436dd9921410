/**
 * Reads the TOML that an installation needs to find existing settings: tables,
 * dotted keys, strings, arrays and inline tables. Anything else is refused, so
 * that no decision depends on partial input.
 *
 * @module
 */

import { InstallError } from "../error.ts";

/** A value; numbers, booleans and dates are kept as text. */
export type TomlNode =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "other"; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly TomlNode[] }
  | {
    readonly kind: "table";
    readonly members: readonly (readonly [string, TomlNode])[];
  };

/** `key = value` with its full path. */
export interface TomlEntry {
  /** Keys from the top; for a table header, the keys of the header. */
  readonly path: readonly string[];
  /** The value; absent for a table header. */
  readonly value?: TomlNode;
}

interface Reader {
  readonly name: string;
  readonly text: string;
  at: number;
}

/**
 * Reads a file.
 *
 * @example Values of a file
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readToml } from "./toml_read.ts";
 *
 * assertEquals(readToml('[engine] # x\nhooks_dir = ["/a",\n  "/b"]', "x.conf"), [
 *   { path: ["engine"] },
 *   {
 *     path: ["engine", "hooks_dir"],
 *     value: {
 *       kind: "array",
 *       items: [{ kind: "string", value: "/a" }, { kind: "string", value: "/b" }],
 *     },
 *   },
 * ]);
 * ```
 *
 * @param text The file.
 * @param name Its name in messages.
 * @returns Headers and values in order.
 * @throws {InstallError} `not-understood` with the line.
 */
export function readToml(text: string, name: string): readonly TomlEntry[] {
  const r: Reader = { name, text, at: 0 };
  const entries: TomlEntry[] = [];
  let table: readonly string[] = [];
  for (;;) {
    skip(r, /(?:[\s]|#[^\n]*)*/y);
    if (r.at >= text.length) return entries;
    const header = take(r, /\[\[?/y);
    if (header !== undefined) {
      table = readPath(r);
      expect(r, header === "[" ? /[ \t]*\]/y : /[ \t]*\]\]/y, "]");
      entries.push({ path: table });
    } else {
      const path = [...table, ...readPath(r)];
      expect(r, /[ \t]*=[ \t]*/y, "=");
      entries.push({ path, value: readValue(r) });
    }
    expect(r, /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y, "the end of the line");
  }
}

/**
 * Finds the value of a key in a file.
 *
 * @param entries A file.
 * @param path The key's full path.
 * @returns The value, or `undefined`.
 */
export function findValue(
  entries: readonly TomlEntry[],
  path: readonly string[],
): TomlNode | undefined {
  return entries.find((e) =>
    e.value !== undefined && isPrefix(path, e.path) &&
    e.path.length === path.length
  )?.value;
}

/**
 * Reports whether a file has a table, or any value below it.
 *
 * @param entries A file.
 * @param path The table's path.
 */
export function hasTable(
  entries: readonly TomlEntry[],
  path: readonly string[],
): boolean {
  return entries.some((e) => isPrefix(path, e.path));
}

function isPrefix(a: readonly string[], b: readonly string[]): boolean {
  return a.every((key, i) => b[i] === key);
}

function readPath(r: Reader): readonly string[] {
  const path: string[] = [];
  do {
    skip(r, /[ \t]*/y);
    const bare = take(r, /[A-Za-z0-9_-]+/y);
    path.push(bare ?? readString(r));
  } while (take(r, /[ \t]*\./y) !== undefined);
  return path;
}

function readValue(r: Reader): TomlNode {
  const c = r.text[r.at];
  if (c === '"' || c === "'") return { kind: "string", value: readString(r) };
  if (c === "[") return { kind: "array", items: readArray(r) };
  if (c === "{") return { kind: "table", members: readInline(r) };
  const text = take(r, /[A-Za-z0-9+._:-]+(?: \d\d:[0-9:.+Z-]+)?/y);
  if (text === undefined) throw bad(r, "a value");
  return { kind: "other", text };
}

function readArray(r: Reader): readonly TomlNode[] {
  const blank = /(?:\s|#[^\n]*)*/y;
  const items: TomlNode[] = [];
  r.at++;
  for (;;) {
    skip(r, blank);
    if (take(r, /\]/y) !== undefined) return items;
    items.push(readValue(r));
    skip(r, blank);
    if (take(r, /,/y) === undefined) {
      expect(r, /\]/y, "]");
      return items;
    }
  }
}

function readInline(r: Reader): readonly (readonly [string, TomlNode])[] {
  const members: (readonly [string, TomlNode])[] = [];
  r.at++;
  skip(r, /[ \t]*/y);
  if (take(r, /\}/y) !== undefined) return members;
  for (;;) {
    const path = readPath(r).join(".");
    expect(r, /[ \t]*=[ \t]*/y, "=");
    members.push([path, readValue(r)]);
    skip(r, /[ \t]*/y);
    if (take(r, /,/y) === undefined) {
      expect(r, /\}/y, "}");
      return members;
    }
  }
}

function readString(r: Reader): string {
  const literal = take(r, /'[^'\n]*'(?!')/y);
  if (literal !== undefined && literal !== "''") return literal.slice(1, -1);
  if (literal === "''") return "";
  const basic = take(r, /"(?!"")(?:[^"\\\n]|\\.)*"/y);
  if (basic !== undefined) return unescape(r, basic);
  const long = take(r, /'''[^]*?'''|"""(?:[^\\]|\\[^])*?"""/y);
  if (long === undefined) throw bad(r, "a key or a string");
  const inner = long.slice(3, -3).replace(/^\r?\n/, "");
  if (long.startsWith("'")) return inner;
  const joined = inner.replace(/\\\s*\n\s*/g, "");
  return unescape(r, `"${joined.replace(/(?<!\\)"/g, '\\"')}"`);
}

function unescape(r: Reader, quoted: string): string {
  const text = quoted
    .replace(
      /\\U([0-9A-Fa-f]{8})/g,
      (_, hex: string) =>
        JSON.stringify(String.fromCodePoint(Number(`0x${hex}`))).slice(1, -1),
    )
    .replace(/\\e/g, "\\u001b")
    .replace(/[\t\n\r]/g, (c) => JSON.stringify(c).slice(1, -1));
  try {
    return String(JSON.parse(text));
  } catch {
    throw bad(r, "a string with known escapes");
  }
}

function take(r: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = r.at;
  const match = pattern.exec(r.text);
  if (match === null) return undefined;
  r.at = pattern.lastIndex;
  return match[0];
}

function skip(r: Reader, pattern: RegExp): void {
  take(r, pattern);
}

function expect(r: Reader, pattern: RegExp, what: string): void {
  if (take(r, pattern) === undefined) throw bad(r, what);
}

function bad(r: Reader, what: string): InstallError {
  const line = r.text.slice(0, r.at).split("\n").length;
  return new InstallError(
    "not-understood",
    `Cannot read "${r.name}": line ${line}: expected ${what}; correct the file`,
  );
}
