/**
 * Keys that no runtime reads: comments, and misspelled fields.
 *
 * @module
 */

import { addError, addWarning, type CheckedPart } from "./findings.ts";
import { join } from "../json/path.ts";
import type { JsonObject, JsonString } from "../json/value.ts";
import { editDistance } from "../../tables/suggest.ts";
import { foldKey, quote } from "../text.ts";

/** Maximum number of unknown keys to check in one object. */
const MAX_UNKNOWN = 100;
/** Maximum length of a key for which to search a suggestion. */
const MAX_SUGGESTED = 40;
/** Key by which a document names its JSON Schema, for editors. */
const SCHEMA_KEY = "$schema";

/**
 * Reports members that no runtime reads. A comment is a warning. A key that
 * resembles a field is an error: it is most likely misspelled, and a runtime
 * would ignore it. Go's readers also accept keys in another case, C's do not.
 * `$schema` of the whole document is for editors, and accepted.
 *
 * @param part The object.
 * @param known The keys that are read.
 */
export function checkKeys(
  part: CheckedPart<JsonObject>,
  known: readonly string[],
): void {
  let unknown = 0;
  for (const { key } of part.value.members) {
    const name = key.value;
    if (known.includes(name)) continue;
    if (name === SCHEMA_KEY && part.path === "") continue;
    if (++unknown > MAX_UNKNOWN) {
      return addError(part.findings, {
        code: "too-many-unknown-fields",
        at: key,
        path: part.path,
        message: `More than ${MAX_UNKNOWN} unknown fields`,
        fix: "give a profile",
      });
    }
    const near = nearKey(name, known);
    if (near === undefined) warnIgnored(part, key);
    else {
      const message = `Unknown field ${quote(name)}`;
      const fix = `did you mean ${quote(near)}`;
      addError(part.findings, {
        at: key,
        path: join(part.path, name),
        code: "misspelt-field",
        message,
        fix,
      });
    }
  }
}

/**
 * Warns about a key that every runtime ignores.
 *
 * @param part The object.
 * @param key The key.
 */
export function warnIgnored(
  part: CheckedPart<JsonObject>,
  key: JsonString,
): void {
  addWarning(part.findings, {
    code: "unknown-field",
    at: key,
    path: join(part.path, key.value),
    message: `Unknown field ${quote(key.value)}, which every runtime ignores`,
    fix: "remove it",
  });
}

/**
 * Recognizes a key that people use for comments, such as `_comment` or `//`: one
 * of these words with any decoration, or only decoration.
 *
 * @param name The key.
 * @returns True if it is one.
 */
export function isRemark(name: string): boolean {
  return /^[^\p{L}\p{N}]*(?:(?:comment|note|remark|description)s?[^\p{L}\p{N}]*)?$/u
    .test(foldKey(name));
}

/**
 * Finds a known key that differs in case, or in one or two letters if it is
 * long enough.
 */
function nearKey(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_SUGGESTED || isRemark(name)) return undefined;
  const folded = foldKey(name);
  return known.find((key) => {
    const allowed = key.length < 5 ? 1 : 2;
    return Math.abs(key.length - name.length) <= allowed &&
      editDistance(folded, key.toLowerCase()) <= allowed;
  });
}
