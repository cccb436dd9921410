/**
 * The tree in which libseccomp files the comparisons of all rules on one call.
 *
 * A test has two sides; a side is an outcome, a level of further tests, or
 * nothing. Rules share the tests that are equal. Where rules with different
 * outcomes share a high word, the tightest comparison decides there, as in
 * libseccomp since 2.6.1 (GHSA-4q85-33p6-j5g6).
 *
 * @module
 */

import type { ReturnValue } from "./policy.ts";
import {
  chainOf,
  type CutCondition,
  type CutRule,
  type Side,
  type Test,
} from "./rule_chain.ts";

/** Two rules that contradict each other: EEXIST from `seccomp_rule_add`. */
export interface Conflict {
  readonly kind: "conflict";
  /** The rule that cannot be added. */
  readonly source: string;
  /** A rule that was there before, with another outcome. */
  readonly other: string;
}

/** Files the rules in a tree, in order of arrival. */
export function fileRules(
  rules: readonly CutRule[],
  bits: 32 | 64,
): readonly Test[] | Conflict {
  let live: CutRule[] = [];
  let root: Test[] = [];
  for (const rule of rules) {
    if (live.some((other) => hides(other, rule, live, bits))) continue;
    const kept = live.filter((other) => !replaces(rule, other, live));
    if (kept.length < live.length) {
      live = kept;
      root = [];
      for (const other of live) addTests(root, chainOf(other, bits));
    }
    const clash = addTests(root, chainOf(rule, bits));
    if (clash !== undefined) {
      return { kind: "conflict", source: rule.source, other: clash };
    }
    live.push(rule);
  }
  return root;
}

/**
 * Whether a rule that ends in another is left out: where the tree has no other
 * action, or where the other one is a single test with another action.
 */
function hides(
  other: CutRule,
  rule: CutRule,
  live: readonly CutRule[],
  bits: 32 | 64,
): boolean {
  if (!isProperSuffix(other.conditions, rule.conditions)) return false;
  if (live.every(({ value }) => value === rule.value)) return true;
  return bits === 32 && other.conditions.length === 1 &&
    other.value !== rule.value;
}

/**
 * Whether a rule takes the place of another that ends in it: where all that
 * begins as the other does has the rule's action.
 */
function replaces(
  rule: CutRule,
  other: CutRule,
  live: readonly CutRule[],
): boolean {
  if (!isProperSuffix(rule.conditions, other.conditions)) return false;
  const length = other.conditions.length - rule.conditions.length;
  const prefix = other.conditions.slice(0, length);
  return live.every(({ conditions, value }) =>
    value === rule.value ||
    !prefix.every((condition, i) => {
      const own = conditions[i];
      return own !== undefined && sameCondition(condition, own);
    })
  );
}

function isProperSuffix(
  part: readonly CutCondition[],
  whole: readonly CutCondition[],
): boolean {
  const skip = whole.length - part.length;
  return skip > 0 &&
    part.every((condition, i) => {
      const other = whole[skip + i];
      return other !== undefined && sameCondition(condition, other);
    });
}

function sameCondition(a: CutCondition, b: CutCondition): boolean {
  return a.arg === b.arg && a.op === b.op && a.masked === b.masked &&
    a.mask === b.mask && a.value === b.value;
}

/**
 * Adds a chain to a level. Returns the source of a rule that contradicts it,
 * or `undefined`.
 */
function addTests(level: Test[], added: readonly Test[]): string | undefined {
  for (const test of added) {
    const clash = addTest(level, test);
    if (clash !== undefined) return clash;
  }
  return undefined;
}

function addTest(level: Test[], test: Test): string | undefined {
  for (let i = 0; i < level.length; i++) {
    const other = level[i];
    if (other === undefined) break;
    if (sameTest(other, test)) {
      const yes = mergeSide(other, other.yes, test.yes);
      if (yes !== undefined) return yes === "shorter" ? undefined : yes.clash;
      const no = mergeSide(other, other.no, test.no);
      if (no !== undefined) return no === "shorter" ? undefined : no.clash;
      return undefined;
    }
    if (isAskedAfter(other, test)) {
      level.splice(i, 0, test);
      return undefined;
    }
  }
  level.push(test);
  return undefined;
}

function sameTest(a: Test, b: Test): boolean {
  return a.word === b.word && sameCondition(a.condition, b.condition);
}

/** Whether `a` is asked after `b` on one level. */
function isAskedAfter(a: Test, b: Test): boolean {
  if (a.word !== b.word) return a.word < b.word;
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.rank === 2
    ? a.condition.value > b.condition.value
    : a.condition.value < b.condition.value;
}

function mergeSide(
  test: Test,
  there: Side,
  added: Side,
): { readonly clash: string } | "shorter" | undefined {
  const outcome = added.outcome;
  if (outcome !== undefined) {
    if (there.outcome === undefined) {
      const clash = otherOutcome(there.tests, outcome.value);
      if (clash !== undefined) return { clash };
      there.outcome = outcome;
      there.tests = [];
    } else if (there.outcome.value !== outcome.value) {
      if (test.word % 2 === 0) return { clash: there.outcome.source };
      // A high word that several comparisons share: the tightest one decides.
      const tighter = there === test.yes
        ? outcome.full > there.outcome.full
        : outcome.full < there.outcome.full;
      if (tighter) there.outcome = outcome;
    }
    return undefined;
  }
  if (added.tests.length === 0) return undefined;
  if (there.outcome !== undefined) return "shorter";
  const clash = addTests(there.tests, added.tests);
  return clash === undefined ? undefined : { clash };
}

/** Source of an outcome below `tests` that differs from `value`. */
function otherOutcome(
  tests: readonly Test[],
  value: ReturnValue,
): string | undefined {
  for (const test of tests) {
    for (const side of [test.yes, test.no]) {
      if (side.outcome !== undefined && side.outcome.value !== value) {
        return side.outcome.source;
      }
      const below = otherOutcome(side.tests, value);
      if (below !== undefined) return below;
    }
  }
  return undefined;
}
