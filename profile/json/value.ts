/**
 * A JSON document as data: values with their positions in the text.
 *
 * @module
 */

/** Position of a value in the text. */
export interface JsonSpan {
  /** Offset of its first character, in UTF-16 units. */
  readonly start: number;
  /** Offset after its last character, in UTF-16 units. */
  readonly end: number;
}

/** `{ … }`. */
export interface JsonObject extends JsonSpan {
  /** Tag. */
  readonly kind: "object";
  /** Members as written, in their order. */
  readonly members: readonly JsonMember[];
}

/** `"name": value`. */
export interface JsonMember {
  /** The key; its offsets include the quotes. */
  readonly key: JsonString;
  /** Its value. */
  readonly value: JsonValue;
}

/** `[ … ]`. */
export interface JsonArray extends JsonSpan {
  /** Tag. */
  readonly kind: "array";
  /** Elements in order. */
  readonly items: JsonItems;
}

/**
 * The elements of an array. Elements of a long array are parsed again at each
 * access, so the same element may be a different object.
 */
export interface JsonItems extends Iterable<JsonValue> {
  /** Number of elements. */
  readonly length: number;
  /** The element at an index from 0; `undefined` beyond the end. */
  readonly at: (index: number) => JsonValue | undefined;
}

/** A string; its offsets include the quotes. */
export interface JsonString extends JsonSpan {
  /** Tag. */
  readonly kind: "string";
  /** The string itself, with escapes resolved. */
  readonly value: string;
}

/** A number. */
export interface JsonNumber extends JsonSpan {
  /** Tag. */
  readonly kind: "number";
  /** The number as written: `1.0`, `1e3` and `-0` are not `1`, `1000` and `0`. */
  readonly text: string;
}

/** `true` or `false`. */
export interface JsonBoolean extends JsonSpan {
  /** Tag. */
  readonly kind: "boolean";
  /** The value. */
  readonly value: boolean;
}

/** `null`. */
export interface JsonNull extends JsonSpan {
  /** Tag. */
  readonly kind: "null";
}

/** Any value. */
export type JsonValue =
  | JsonObject
  | JsonArray
  | JsonString
  | JsonNumber
  | JsonBoolean
  | JsonNull;

/** A text and the value in it. */
export interface JsonDocument {
  /** The text as given, to which all offsets refer. */
  readonly text: string;
  /** The value. */
  readonly root: JsonValue;
  /** Offset of the first character of each line, rising. */
  readonly lineStarts: readonly number[];
}

/**
 * Finds the value of a key.
 *
 * @param object The object.
 * @param name The key, with escapes resolved.
 * @returns The first value of that key, or `undefined` if there is no such key.
 */
export function findMember(
  object: JsonObject,
  name: string,
): JsonValue | undefined {
  for (const member of object.members) {
    if (member.key.value === name) return member.value;
  }
  return undefined;
}
