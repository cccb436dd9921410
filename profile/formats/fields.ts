/**
 * Reads the fields of profiles: required and optional members, words of a
 * vocabulary, exact integers, lists. Problems are added to the findings; the
 * reader then returns `undefined` or omits the field, and the check continues
 * to find more.
 *
 * @module
 */

import {
  addError,
  addWarning,
  type CheckedPart,
  element,
  field,
  hasEnough,
  isFull,
} from "./findings.ts";
import { join } from "../json/path.ts";
import { findMember, type JsonObject, type JsonValue } from "../json/value.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { quote } from "../text.ts";

/** Maximum number of digits of a u64. */
const MAX_U64_DIGITS = 20;
/** An integer that fits in a u64 field. */
const UNSIGNED = /^(?:0|[1-9][0-9]*)$/;

/** Words that a field may contain. */
export interface Vocabulary<T extends string> {
  /** Name of such a word, such as `operator`. */
  readonly what: string;
  /** Stable identifier of the error. */
  readonly code: string;
  /** The words. */
  readonly words: readonly T[];
  /** Common prefix of the words. */
  readonly prefix: string;
}

/**
 * Describes a value for messages.
 *
 * @param value Any value.
 * @returns A description such as `an array` or `the string "x"`.
 */
export function describe(value: JsonValue): string {
  switch (value.kind) {
    case "object":
      return "an object";
    case "array":
      return "an array";
    case "string":
      return `the string ${quote(value.value)}`;
    case "number":
      return `the number ${value.text.slice(0, 40)}`;
    case "boolean":
      return String(value.value);
    case "null":
      return "null";
  }
}

/**
 * Finds a member; `null` counts as absent, as it does for the runtimes.
 *
 * @param part The object.
 * @param name The key.
 * @returns The member's part, or `undefined`.
 */
export function optional(
  part: CheckedPart<JsonObject>,
  name: string,
): CheckedPart<JsonValue> | undefined {
  const value = findMember(part.value, name);
  return value === undefined || value.kind === "null"
    ? undefined
    : field(part, name, value);
}

/**
 * Finds a required member.
 *
 * @param part The object.
 * @param name The key.
 * @param fix Remedy if it is absent.
 * @returns The member's part, or `undefined` after an error.
 */
export function required(
  part: CheckedPart<JsonObject>,
  name: string,
  fix: string,
): CheckedPart<JsonValue> | undefined {
  const value = findMember(part.value, name);
  if (value !== undefined && value.kind !== "null") {
    return field(part, name, value);
  }
  const seen = value === undefined ? "is missing" : "is null";
  addError(part.findings, {
    code: "missing-field",
    at: value ?? part.value,
    path: join(part.path, name),
    message: `Required field ${quote(name)} ${seen}`,
    fix,
  });
  return undefined;
}

/**
 * Reports a value of the wrong kind.
 *
 * @param part The value.
 * @param expected Expected kind, such as `an array of names`.
 */
export function wrongKind(
  part: CheckedPart<JsonValue>,
  expected: string,
): void {
  addError(part.findings, {
    code: "wrong-type",
    at: part.value,
    path: part.path,
    message: `Expected ${expected}, found ${describe(part.value)}`,
  });
}

/**
 * Reads a string.
 *
 * @param part The value.
 * @param expected Expected kind.
 * @returns The string, or `undefined` after an error.
 */
export function readString(
  part: CheckedPart<JsonValue>,
  expected: string,
): string | undefined {
  if (part.value.kind === "string") return part.value.value;
  wrongKind(part, expected);
  return undefined;
}

/**
 * Reads a word of a vocabulary.
 *
 * @param part The value.
 * @param vocabulary The words.
 * @returns The word, or `undefined` after an error with a suggestion.
 */
export function readWord<T extends string>(
  part: CheckedPart<JsonValue>,
  vocabulary: Vocabulary<T>,
): T | undefined {
  const { what, code, words, prefix } = vocabulary;
  const article = /^[aeiou]/.test(what) ? "an" : "a";
  const text = readString(part, `${article} ${what}`);
  if (text === undefined) return undefined;
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  const meant = isFull(part.findings)
    ? undefined
    : didYouMean(text, words, prefix);
  const fix = meant !== undefined
    ? `did you mean ${quote(meant)}`
    : words.length > 12
    ? `use one such as ${words.slice(0, 3).join(", ")}`
    : `use one of ${words.join(", ")}`;
  const message = `Unknown ${what} ${quote(text)}`;
  addError(part.findings, {
    code,
    at: part.value,
    path: part.path,
    message,
    fix,
  });
  return undefined;
}

/**
 * Iterates over the elements of a list, one at a time because there may be
 * millions; it stops early if enough errors have been found.
 *
 * @param part The value.
 * @param expected Expected kind, such as `an array of names`.
 * @yields The parts of the elements; nothing after an error.
 */
export function* eachItem(
  part: CheckedPart<JsonValue>,
  expected: string,
): Generator<CheckedPart<JsonValue>> {
  if (part.value.kind !== "array") return wrongKind(part, expected);
  let i = 0;
  for (const item of part.value.items) {
    if (hasEnough(part.findings)) return;
    yield element(part, i++, item);
  }
}

/**
 * Reads a list of words, with warnings about repeated ones.
 *
 * @param part The value.
 * @param vocabulary The words.
 * @returns The known words as written, repetitions included.
 */
export function readWords<T extends string>(
  part: CheckedPart<JsonValue>,
  vocabulary: Vocabulary<T>,
): T[] {
  const seen = new Set<T>();
  const words: T[] = [];
  for (const item of eachItem(part, `an array of ${vocabulary.what}s`)) {
    const word = readWord(item, vocabulary);
    if (word === undefined) continue;
    if (seen.has(word)) {
      addWarning(part.findings, {
        code: "repeated-word",
        at: item.value,
        path: item.path,
        message: `Repeated ${vocabulary.what} ${quote(word)}`,
        fix: "remove the repetition",
      });
    }
    seen.add(word);
    words.push(word);
  }
  return words;
}

/**
 * Reads an unsigned integer exactly as written: `1.0`, `1e3`, `-0` and `"5"`
 * are refused.
 *
 * @param part The value.
 * @param limits Its name, the largest value, and the codes of errors.
 * @returns The integer, or `undefined` after an error.
 */
export function readUnsigned(
  part: CheckedPart<JsonValue>,
  limits: {
    readonly what: string;
    readonly code: string;
    readonly max: bigint;
    /** Code of the error if it is too large; `code` by default. */
    readonly largeCode?: string;
  },
): bigint | undefined {
  const { value } = part;
  const fail = (
    problem: string,
    fix: string,
    code = limits.code,
  ): undefined => {
    const message = `${limits.what} ${problem}`;
    addError(part.findings, {
      code,
      at: value,
      path: part.path,
      message,
      fix,
    });
    return undefined;
  };
  const range = `write an integer from 0 to ${limits.max}`;
  if (value.kind === "string" && UNSIGNED.test(value.value)) {
    return fail(`is ${describe(value)}, not a number`, "remove the quotes");
  }
  if (value.kind !== "number") {
    return fail(`is ${describe(value)}, not a number`, range);
  }
  const text = value.text.slice(0, 40);
  if (value.text.startsWith("-")) return fail(`${text} is negative`, range);
  if (!UNSIGNED.test(value.text)) {
    return fail(`${text} is not written as an integer`, range);
  }
  const number = value.text.length > MAX_U64_DIGITS
    ? undefined
    : BigInt(value.text);
  if (number === undefined || number > limits.max) {
    return fail(`${text} is too large`, range, limits.largeCode);
  }
  return number;
}
