/**
 * Keys that nobody reads, and those that are most likely misspelt.
 *
 * @module
 */

import { addError, addWarning, type Part } from "./findings.ts";
import { join } from "../json/path.ts";
import type { JsonObject } from "../json/value.ts";
import { editDistance, quote } from "../text.ts";

/** Unknown keys of one object that are looked at. */
const MAX_UNKNOWN = 100;
/** Longest key for which a suggestion is looked for. */
const MAX_SUGGESTED = 40;

/**
 * Looks for members that nobody reads. One that is nearly a known one is an
 * error: it is most likely misspelt, and whoever reads the profile would go on
 * without it. Go's readers also take keys in another case, C's do not.
 *
 * @param part The object.
 * @param known The keys that are read.
 */
export function checkKeys(
  part: Part<JsonObject>,
  known: readonly string[],
): void {
  let unknown = 0;
  for (const { key } of part.value.members) {
    const name = key.value;
    if (known.includes(name)) continue;
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
    const finding = { at: key, path: join(part.path, name) };
    if (near === undefined) {
      const message = `Unknown field ${
        quote(name)
      }, which every runtime ignores`;
      addWarning(part.findings, {
        ...finding,
        code: "unknown-field",
        message,
        fix: "remove it",
      });
    } else {
      const message = `Unknown field ${quote(name)}`;
      const fix = `did you mean ${quote(near)}`;
      addError(part.findings, {
        ...finding,
        code: "misspelt-field",
        message,
        fix,
      });
    }
  }
}

/** Finds a known key that differs in case, or in one or two letters of a longer one. */
function nearKey(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_SUGGESTED) return undefined;
  const lower = name.toLowerCase();
  return known.find((key) => {
    const allowed = key.length < 5 ? 1 : 2;
    return Math.abs(key.length - name.length) <= allowed &&
      editDistance(lower, key.toLowerCase()) <= allowed;
  });
}
