/**
 * Reads YAML 1.2 (core schema) into the values of JSON, with their places.
 *
 * No module imports this one by name: it imports a library, which Deno would
 * otherwise fetch before any command runs.
 *
 * @module
 */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  stringify,
} from "yaml";
import type {
  JsonMember,
  JsonSpan,
  JsonString,
  JsonValue,
} from "../../profile/json/value.ts";
import type { YamlTree } from "./read_yaml.ts";

/**
 * Maximum number of values in all documents, including those that aliases
 * repeat.
 */
const MOST_VALUES = 500_000;
/**
 * Maximum number of aliases: a few aliases of aliases can expand to any length.
 */
const MOST_ALIASES = 100;
const DEEPEST = 100;

/** A problem, with its place. */
class Problem extends Error {
  constructor(message: string, readonly at: number) {
    super(message);
  }
}

/** Counts what is left of the limits. */
interface Walk {
  readonly doc: Document;
  readonly left: { values: number; aliases: number };
}

/**
 * Reads all documents of a text.
 *
 * @param text The text.
 * @returns The root of each document; or the first problem.
 */
export function readYaml(text: string): YamlTree {
  const documents = parseAllDocuments(text, {
    ...{ schema: "core", version: "1.2", intAsBigInt: true } as const,
    ...{ prettyErrors: false, uniqueKeys: true, strict: true } as const,
  });
  const left = { values: MOST_VALUES, aliases: MOST_ALIASES };
  const roots: JsonValue[] = [];
  try {
    for (const doc of documents) {
      const [problem] = [...doc.errors, ...doc.warnings];
      if (problem !== undefined) {
        throw new Problem(problem.message, problem.pos[0]);
      }
      if (doc.contents !== null) {
        roots.push(toJson({ doc, left }, doc.contents, 0));
      }
    }
    return { roots };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { message: error.message, at: error.at };
  }
}

/**
 * Writes a document. Strings are quoted only if they have to be.
 *
 * @param value A value of objects, arrays, strings, numbers and `bigint`.
 * @returns The text, which ends in a line feed.
 */
export function writeYaml(value: unknown): string {
  return stringify(value, {
    ...{ schema: "core", version: "1.2", lineWidth: 0 } as const,
    aliasDuplicateObjects: false,
  });
}

function toJson(walk: Walk, node: unknown, depth: number): JsonValue {
  const span = spanOf(node);
  const { left } = walk;
  if (--left.values < 0) throw new Problem("Too many values", span.start);
  if (depth > DEEPEST) throw new Problem("Nested too deeply", span.start);
  if (isAlias(node)) {
    if (--left.aliases < 0) throw new Problem("Too many aliases", span.start);
    const target = node.resolve(walk.doc);
    if (target === undefined) {
      throw new Problem(`Unknown anchor "${node.source}"`, span.start);
    }
    // Problems in a repeated value are reported at the alias that repeats it.
    return { ...toJson(walk, target, depth + 1), ...span };
  }
  if (isMap(node)) {
    const members = node.items.map(({ key, value }): JsonMember => {
      const name = toJson(walk, key, depth + 1);
      if (name.kind === "object" || name.kind === "array") {
        throw new Problem("A key must be a string", name.start);
      }
      return {
        key: { ...stringOf(name), start: name.start, end: name.end },
        value: value === null
          ? { kind: "null", start: name.end, end: name.end }
          : toJson(walk, value, depth + 1),
      };
    });
    return { kind: "object", members, ...span };
  }
  if (isSeq(node)) {
    const items = node.items.map((item) => toJson(walk, item, depth + 1));
    return { kind: "array", items, ...span };
  }
  if (isScalar(node)) return { ...scalar(node.value, node.source), ...span };
  throw new Problem("Unknown kind of value", span.start);
}

type Scalar =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "null" };

function scalar(value: unknown, source: string | undefined): Scalar {
  switch (typeof value) {
    // 0x10 and 0o20 are 16, as JSON writes it.
    case "bigint":
      return { kind: "number", text: `${value}` };
    case "number":
      return { kind: "number", text: source ?? `${value}` };
    case "boolean":
      return { kind: "boolean", value };
    case "string":
      return { kind: "string", value };
    default:
      return { kind: "null" };
  }
}

/** A key as JSON writes it. */
function stringOf(
  value: Exclude<JsonValue, { kind: "object" | "array" }>,
): Pick<JsonString, "kind" | "value"> {
  const text = value.kind === "number"
    ? value.text
    : value.kind === "null"
    ? "null"
    : `${value.value}`;
  return { kind: "string", value: text };
}

function spanOf(node: unknown): JsonSpan {
  const range = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node)
    ? node.range
    : undefined;
  const [start = 0, end = 0] = range ?? [];
  return { start, end };
}
