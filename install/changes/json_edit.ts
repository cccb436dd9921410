/**
 * Sets and removes members of a JSON file that we do not own, by splicing its
 * text, so that order, whitespace, numbers and comments are preserved.
 *
 * @module
 */

import { ProfileError } from "../../profile/diagnostic.ts";
import { parseJson } from "../../profile/json/read.ts";
import {
  findMember,
  type JsonObject,
  type JsonValue,
} from "../../profile/json/value.ts";
import { InstallError } from "../error.ts";

/** A member that was set. */
export interface MemberEdit {
  /** Keys from the root. */
  readonly path: readonly string[];
  /** The value as JSON text without line breaks. */
  readonly value: string;
  /** The previous value, as written, if there was one. */
  readonly was?: string;
}

/**
 * Sets a member, and creates the objects on its path.
 *
 * @example Order and blanks stay
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { setMember } from "./json_edit.ts";
 *
 * const { text } = setMember('{\n  "b": 1.0\n}\n', ["a", "x"], "true", "daemon.json");
 * assertEquals(text, '{\n  "b": 1.0,\n  "a": {\n    "x": true\n  }\n}\n');
 * ```
 *
 * @param text A JSON object; empty text counts as `{}`.
 * @param path Keys from the root, at least one.
 * @param value JSON text without line breaks.
 * @param name Name of the file in messages.
 * @returns The new text, and the record for undoing it.
 * @throws {InstallError} `not-understood` if the text is not a JSON object.
 */
export function setMember(
  text: string,
  path: readonly string[],
  value: string,
  name: string,
): { readonly text: string; readonly edit: MemberEdit } {
  const whole = text.trim() === "" ? `{}\n` : text;
  let object = rootOf(whole, name);
  for (const [depth, key] of path.entries()) {
    const found = findMember(object, key);
    const rest = path.slice(depth + 1);
    if (found === undefined) {
      const added = rest.reduceRight(
        (inner, k) => `{${JSON.stringify(k)}:${inner}}`,
        value,
      );
      return {
        text: insert(whole, object, key, added, depth),
        edit: { path: path.slice(0, depth + 1), value: added },
      };
    }
    if (rest.length === 0) {
      return {
        text: replace(whole, found, value),
        edit: { path, value, was: whole.slice(found.start, found.end) },
      };
    }
    if (found.kind !== "object") {
      throw notUnderstood(
        name,
        `"${path.slice(0, depth + 1).join(".")}" is of kind ${found.kind}`,
      );
    }
    object = found;
  }
  throw new Error("Unreachable: a path has at least one key");
}

/**
 * Undoes {@linkcode setMember} in a text that may have changed elsewhere.
 *
 * @param text The text now.
 * @param edit The record of the change.
 * @param name Name of the file in messages.
 * @returns The text without it.
 * @throws {InstallError} `foreign` if the member itself was changed in the
 * meantime.
 */
export function unsetMember(
  text: string,
  edit: MemberEdit,
  name: string,
): string {
  const place = find(rootOf(text, name), edit.path);
  if (place === undefined) return text;
  const { object, value } = place;
  const now = text.slice(value.start, value.end);
  if (isSame(now, edit.value)) {
    return edit.was === undefined
      ? remove(text, object, value)
      : replace(text, value, edit.was);
  }
  const ours = rootOf(edit.value, name, "value");
  if (edit.was === undefined && value.kind === "object" && ours !== undefined) {
    // Someone has added members to an object that we created, so only ours are
    // removed.
    return ours.members.reduce(
      (rest, { key, value: inner }) =>
        unsetMember(rest, {
          path: [...edit.path, key.value],
          value: edit.value.slice(inner.start, inner.end),
        }, name),
      text,
    );
  }
  throw new InstallError(
    "foreign",
    `Cannot restore "${name}": "${
      edit.path.join(".")
    }" was changed since it was installed; set it to ${edit.value}, or take it out`,
  );
}

/**
 * Reads a member.
 *
 * @param text A JSON object; empty text counts as `{}`.
 * @param path Keys from the root.
 * @param name Name of the file in messages.
 * @returns Its value as written, or `undefined`.
 */
export function memberText(
  text: string,
  path: readonly string[],
  name: string,
): string | undefined {
  if (text.trim() === "") return undefined;
  const place = find(rootOf(text, name), path);
  return place && text.slice(place.value.start, place.value.end);
}

/** Reports whether two JSON texts have the same value. */
export function isSame(a: string, b: string): boolean {
  try {
    return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
  } catch {
    return a === b;
  }
}

function rootOf(text: string, name: string): JsonObject;
function rootOf(
  text: string,
  name: string,
  what: "value",
): JsonObject | undefined;
function rootOf(
  text: string,
  name: string,
  what?: "value",
): JsonObject | undefined {
  let root: JsonValue;
  try {
    root = parseJson(text).root;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const [first] = error.diagnostics;
    const place = first?.line === undefined ? "" : `line ${first.line}: `;
    throw notUnderstood(name, `${place}${first?.message ?? error.message}`);
  }
  if (root.kind === "object") return root;
  if (what === "value") return undefined;
  throw notUnderstood(name, `it is a JSON ${root.kind}, not an object`);
}

function notUnderstood(name: string, seen: string): InstallError {
  return new InstallError(
    "not-understood",
    `Cannot change "${name}": ${seen}; correct the file`,
  );
}

function find(
  root: JsonObject,
  path: readonly string[],
): { readonly object: JsonObject; readonly value: JsonValue } | undefined {
  let object = root;
  for (const [i, key] of path.entries()) {
    const value = findMember(object, key);
    if (value === undefined) return undefined;
    if (i === path.length - 1) return { object, value };
    if (value.kind !== "object") return undefined;
    object = value;
  }
  return undefined;
}

function replace(text: string, at: JsonValue, value: string): string {
  return text.slice(0, at.start) + value + text.slice(at.end);
}

/** Puts a member after the last one, formatted like the others. */
function insert(
  text: string,
  object: JsonObject,
  key: string,
  value: string,
  depth: number,
): string {
  const last = object.members.at(-1);
  if (last === undefined) {
    const inner = "  ".repeat(depth + 1);
    const member = `${JSON.stringify(key)}: ${layOut(value, inner, "  ")}`;
    return `${text.slice(0, object.start)}{\n${inner}${member}\n${
      "  ".repeat(depth)
    }}${text.slice(object.end)}`;
  }
  const lead = /\n[ \t]*$/.exec(text.slice(object.start, last.key.start))?.[0];
  const indent = lead?.slice(1) ?? "";
  const member = lead === undefined
    ? ` ${JSON.stringify(key)}: ${value}`
    : `${lead}${JSON.stringify(key)}: ${
      layOut(value, indent, unitOf(indent, depth))
    }`;
  return `${text.slice(0, last.value.end)},${member}${
    text.slice(last.value.end)
  }`;
}

/** One level of indentation, derived from the indentation at a depth. */
function unitOf(indent: string, depth: number): string {
  return indent.slice(0, indent.length / (depth + 1)) || "  ";
}

/** Formats a value over several lines, at an indentation. */
function layOut(value: string, indent: string, unit: string): string {
  return JSON.stringify(JSON.parse(value), null, unit)
    .replaceAll("\n", `\n${indent}`);
}

/** Removes a member together with one comma. */
function remove(text: string, object: JsonObject, value: JsonValue): string {
  const i = object.members.findIndex((m) => m.value === value);
  const member = object.members[i];
  const before = object.members[i - 1];
  const after = object.members[i + 1];
  if (member === undefined) throw new Error("Unreachable: a member of it");
  if (before !== undefined) {
    return text.slice(0, before.value.end) + text.slice(value.end);
  }
  if (after !== undefined) {
    return text.slice(0, member.key.start) + text.slice(after.key.start);
  }
  return `${text.slice(0, object.start)}{}${text.slice(object.end)}`;
}
