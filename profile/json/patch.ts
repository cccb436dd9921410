/**
 * Applies JSON patches (RFC 6902) to a text, preserving order, whitespace,
 * numbers and everything else that is not changed.
 *
 * @module
 */

import { readJson } from "./read.ts";
import {
  findMember,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from "./value.ts";

/** A value in a patch; integers beyond 2^53 are bigints. */
export type PatchValue =
  | string
  | number
  | bigint
  | readonly PatchValue[]
  | { readonly [key: string]: PatchValue };

/** One operation of a patch. */
export interface PatchStep {
  readonly op: "add" | "remove" | "replace";
  /** Place as a JSON pointer (RFC 6901), such as `/syscalls/3/names/-`. */
  readonly path: string;
  /** The value that is added; absent for `remove`. */
  readonly value?: PatchValue;
}

/**
 * Writes a path such as `syscalls[3].names[0]` as a JSON pointer.
 *
 * @param path A path with plain keys and indexes; empty for the root.
 */
export function pointerOf(path: string): string {
  return path.split(/[.[\]]+/).filter((step) => step !== "")
    .map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}

/**
 * Applies a patch to a text.
 *
 * @example A rule less, and the rest unchanged
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { applyPatch } from "./patch.ts";
 *
 * const text = '{ "a": [1.0, 2,\n  3] }';
 * assertEquals(applyPatch(text, [{ op: "remove", path: "/a/1" }]), '{ "a": [1.0,\n  3] }');
 * assertEquals(
 *   applyPatch(text, [{ op: "add", path: "/a/-", value: 4 }]),
 *   '{ "a": [1.0, 2,\n  3,\n  4] }',
 * );
 * ```
 *
 * @param text A JSON text.
 * @param patch The operations, applied in order.
 * @returns The new text.
 * @throws {ProfileError} if the text is not JSON.
 * @throws {RangeError} if a path does not exist.
 */
export function applyPatch(text: string, patch: readonly PatchStep[]): string {
  return patch.reduce(applyStep, text);
}

/**
 * Writes a value as JSON text; integers of any size stay exact.
 *
 * @param value The value.
 * @param indent Indentation of each line but the first; if absent, the text is
 * one line.
 * @param unit Additional indentation per level.
 */
export function patchText(
  value: PatchValue,
  indent?: string,
  unit = "  ",
): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  const deeper = indent === undefined ? undefined : indent + unit;
  const parts = Array.isArray(value)
    ? value.map((item) => patchText(item, deeper, unit))
    : Object.entries(value).map(([key, item]) =>
      `${JSON.stringify(key)}: ${patchText(item, deeper, unit)}`
    );
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const isFlat = deeper === undefined || parts.length === 0 ||
    (Array.isArray(value) && value.every((item) => typeof item !== "object"));
  return isFlat
    ? `${open}${parts.join(", ")}${close}`
    : `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}

function applyStep(text: string, { op, path, value }: PatchStep): string {
  const steps = path.split("/").slice(1).map((step) =>
    step.replaceAll("~1", "/").replaceAll("~0", "~")
  );
  const last = steps.pop();
  if (last === undefined) throw new RangeError("Cannot patch the whole text");
  const { root } = readJson(text).document;
  const parent = steps.reduce<JsonValue>(
    (at, step) => childOf(at, step) ?? missing(path),
    root,
  );
  if (parent.kind !== "array" && parent.kind !== "object") {
    return missing(path);
  }
  const isSet = parent.kind === "object" && childOf(parent, last) !== undefined;
  // For an existing member, "add" replaces the value.
  if (op === "add" && !isSet) {
    const size = partsOf(parent).length;
    const isEnd = parent.kind === "object" || last === "-";
    const at = isEnd ? size : INDEX.test(last) ? Number(last) : Infinity;
    if (at > size) return missing(path);
    return insert(text, parent, { at, key: last }, value);
  }
  const child = childOf(parent, last) ?? missing(path);
  if (op === "remove") return remove(text, parent, child);
  const written = text.slice(child.start, child.end).includes("\n")
    ? patchText(value ?? "", indentOf(text, child.start))
    : patchText(value ?? "");
  return text.slice(0, child.start) + written + text.slice(child.end);
}

function missing(path: string): never {
  throw new RangeError(`Cannot patch ${path}: no such value exists`);
}

function childOf(value: JsonValue, step: string): JsonValue | undefined {
  if (value.kind === "object") return findMember(value, step);
  return value.kind === "array" && INDEX.test(step)
    ? value.items.at(Number(step))
    : undefined;
}

/** An index of an array, which has no leading zero (RFC 6901, section 4). */
const INDEX = /^(?:0|[1-9]\d*)$/;

/** Starts and ends of the elements or members, with their keys. */
function partsOf(
  parent: JsonArray | JsonObject,
): readonly { readonly start: number; readonly end: number }[] {
  return parent.kind === "array"
    ? [...parent.items]
    : parent.members.map(({ key, value }) => ({
      start: key.start,
      end: value.end,
    }));
}

/** Removes an element or a member together with one comma. */
function remove(
  text: string,
  parent: JsonArray | JsonObject,
  child: JsonValue,
): string {
  const parts = partsOf(parent);
  const i = parts.findIndex(({ end }) => end === child.end);
  const [before, here, after] = [parts[i - 1], parts[i], parts[i + 1]];
  if (here === undefined) throw new Error("Unreachable: a part of it");
  if (before !== undefined) {
    return text.slice(0, before.end) + text.slice(here.end);
  }
  return after !== undefined
    ? text.slice(0, here.start) + text.slice(after.start)
    : text.slice(0, parent.start + 1) + text.slice(parent.end - 1);
}

/** Inserts an element or a member, formatted like its neighbors. */
function insert(
  text: string,
  parent: JsonArray | JsonObject,
  { at, key }: { readonly at: number; readonly key: string },
  value: PatchValue = "",
): string {
  const parts = partsOf(parent);
  const name = parent.kind === "object" ? `${JSON.stringify(key)}: ` : "";
  const [first] = parts;
  if (first === undefined) {
    const isLines = text.includes("\n");
    const inner = indentOf(text, parent.start) + unitOf(text);
    const made = isLines
      ? `\n${inner}${name}${patchText(value, inner)}\n${
        indentOf(text, parent.start)
      }`
      : `${name}${patchText(value)}`;
    return text.slice(0, parent.start + 1) + made + text.slice(parent.end - 1);
  }
  const before = parts[at - 1];
  // Whitespace before an element, copied from its neighbor.
  const gap = parts.length === 1
    ? text.slice(parent.start + 1, first.start)
    : text.slice(parts.at(-2)?.end, parts.at(-1)?.start).replace(/^\s*,/, "");
  const lead = parts.length === 1 && !gap.includes("\n") ? " " : gap;
  const written = lead.includes("\n")
    ? patchText(value, lead.slice(lead.lastIndexOf("\n") + 1), unitOf(text))
    : patchText(value);
  return before === undefined
    ? `${text.slice(0, first.start)}${name}${written},${lead}${
      text.slice(first.start)
    }`
    : `${text.slice(0, before.end)},${lead}${name}${written}${
      text.slice(before.end)
    }`;
}

/** The whitespace at the start of a line. */
function indentOf(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

/** One level of indentation of a text. */
function unitOf(text: string): string {
  return /^\s*[{[]\n([ \t]+)/.exec(text)?.[1] ?? "  ";
}
