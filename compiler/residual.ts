/**
 * The undecided rest of one system call after some words are known: an ordered
 * list of rules whose conditions are parts, and the outcome if none matches.
 * Residuals are kept in a normal form, so that equal questions get equal keys
 * and are answered once.
 *
 * @module
 */

import type { ReturnValue, Rule } from "../profile/policy.ts";
import { type ArgWord, halfOf, type Part, partKey, partOf } from "./part.ts";

/** One rule of a residual; no part is a boolean. */
export interface ResidualRule {
  /** All must be true. */
  readonly parts: readonly Exclude<Part, boolean>[];
  readonly value: ReturnValue;
  /** Text that is equal for equal rules. */
  readonly key: string;
}

/** An ordered list of rules; first match wins. */
export interface Residual {
  readonly rules: readonly ResidualRule[];
  /** Return value if no rule matches. */
  readonly otherwise: ReturnValue;
  /** Text that is equal for equal residuals. */
  readonly key: string;
}

/**
 * Makes the residual of a call about which nothing is known.
 *
 * @param rules Rules of the policy, first match wins.
 * @param defaultValue Return value if none matches.
 */
export function residualOf(
  rules: readonly Rule[],
  defaultValue: ReturnValue,
): Residual {
  return normalize(
    rules.map(({ conditions, value }) => ({
      parts: conditions.map(partOf),
      value,
    })),
    defaultValue,
  );
}

/**
 * Reduces a residual by a known fact about one word.
 *
 * @param residual The residual before.
 * @param word The word.
 * @param know Reduces a part that tests that word.
 * @param possible The rules of the residual that can still match, if known.
 */
export function narrow(
  residual: Residual,
  word: ArgWord,
  know: (part: Part) => Part,
  possible: readonly ResidualRule[] = residual.rules,
): Residual {
  let changed = possible.length < residual.rules.length;
  const rules = possible.map((rule) => {
    if (!rule.parts.some((part) => halfOf(part, word) !== undefined)) {
      return rule;
    }
    changed = true;
    return { parts: rule.parts.map(know), value: rule.value };
  });
  return changed ? normalize(rules, residual.otherwise) : residual;
}

/** Words that the residual still tests, in rising order. */
export function wordsOf(residual: Residual): readonly ArgWord[] {
  const words = new Set<ArgWord>();
  for (const { parts } of residual.rules) {
    for (const part of parts) {
      if (part.kind === "word") words.add(part.word);
      else words.add(2 * part.arg).add(2 * part.arg + 1);
    }
  }
  return [...words].sort((a, b) => a - b);
}

interface RawRule {
  readonly parts: readonly Part[];
  readonly value: ReturnValue;
  readonly key?: string;
}

/**
 * Drops everything that is decided: true parts, rules that cannot match or
 * repeat the conditions of an earlier one, everything after a rule that always
 * matches, and rules at the end that return the default.
 */
function normalize(
  rules: readonly RawRule[],
  defaultValue: ReturnValue,
): Residual {
  // Half of the cells of a list of equalities have no rule, the others one.
  if (rules.length === 0) return decided(defaultValue);
  const kept: ResidualRule[] = [];
  const seen = rules.length === 1 ? undefined : new Set<string>();
  let otherwise = defaultValue;
  for (const rule of rules) {
    const next = rule.key === undefined ? simplify(rule) : rule as ResidualRule;
    if (next === undefined) continue;
    if (next.parts.length === 0) {
      otherwise = next.value;
      break;
    }
    if (seen?.has(next.key)) continue;
    seen?.add(next.key);
    kept.push(next);
  }
  while (kept.length > 0 && kept[kept.length - 1]?.value === otherwise) {
    kept.pop();
  }
  if (kept.length === 0) return decided(otherwise);
  const key = `${
    kept.map((rule) => `${rule.key}>${rule.value}`).join(";")
  }|${otherwise}`;
  // Trims the unused capacity of a list that has grown.
  return { rules: kept.slice(), otherwise, key };
}

function decided(otherwise: ReturnValue): Residual {
  return { rules: [], otherwise, key: `|${otherwise}` };
}

function simplify(rule: RawRule): ResidualRule | undefined {
  const [only, second] = rule.parts;
  if (second === undefined && only !== undefined && only !== true) {
    // Most rules take this path, because lists of a hundred thousand would fill
    // the memory with maps.
    if (only === false) return undefined;
    return { parts: [only], value: rule.value, key: partKey(only) };
  }
  const parts = new Map<string, Exclude<Part, boolean>>();
  for (const part of rule.parts) {
    if (part === false) return undefined;
    if (part !== true) parts.set(partKey(part), part);
  }
  return {
    parts: [...parts.values()],
    value: rule.value,
    key: [...parts.keys()].sort().join("&"),
  };
}
