/**
 * The tree in which libseccomp arranges the comparisons of all rules on one
 * call.
 *
 * A test has two sides; a side is an outcome, a level of further tests, or
 * nothing. Rules share equal tests. If rules with different outcomes share a
 * high word, the tightest comparison decides there, as in libseccomp since
 * 2.6.1 (GHSA-4q85-33p6-j5g6).
 *
 * @module
 */

import {
  type CutRule,
  isAskedAfter,
  ruleChainOf,
  sameTest,
  type Side,
  type Test,
} from "./rule_chain.ts";
import { makeRoom, otherOutcome } from "./rule_search.ts";

/** Two rules that contradict each other: EEXIST from `seccomp_rule_add`. */
export interface Conflict {
  readonly kind: "conflict";
  /** The rule that cannot be added. */
  readonly source: string;
  /** An earlier rule with another outcome. */
  readonly other: string;
}

/**
 * Builds the tree from the rules, in order of arrival. Whether rules contradict
 * each other is decided as libseccomp does; the tree keeps all rules that
 * affect an answer, unless an accepted rule contradicts them.
 */
export function fileRules(
  rules: readonly CutRule[],
  bits: 32 | 64,
): readonly Test[] | Conflict {
  const accepted = fileAll(rules, bits, false);
  if ("kind" in accepted) return accepted;
  const kept = fileAll(rules, bits, true);
  return "kind" in kept ? accepted : kept;
}

function fileAll(
  rules: readonly CutRule[],
  bits: 32 | 64,
  keepsForks: boolean,
): readonly Test[] | Conflict {
  const root: Test[] = [];
  for (const rule of rules) {
    const [first] = ruleChainOf(rule, bits);
    if (first === undefined) continue;
    if (!makeRoom(root, first, rule.value, keepsForks)) continue;
    const clash = addTest(root, first);
    if (clash !== undefined) {
      return { kind: "conflict", source: rule.source, other: clash };
    }
  }
  return root;
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
      return mergeSide(other, other.yes, test.yes) ??
        mergeSide(other, other.no, test.no);
    }
    if (isAskedAfter(other, test)) {
      level.splice(i, 0, test);
      return undefined;
    }
  }
  level.push(test);
  return undefined;
}

function mergeSide(
  test: Test,
  there: Side,
  added: Side,
): string | undefined {
  const outcome = added.outcome;
  if (outcome !== undefined) {
    if (there.outcome === undefined) {
      const clash = otherOutcome(there.tests, outcome.value);
      if (clash !== undefined) return clash;
      there.outcome = outcome;
      there.tests = [];
    } else if (there.outcome.value !== outcome.value) {
      if (test.word % 2 === 0) return there.outcome.source;
      // A high word that several comparisons share: the tightest one decides.
      const tighter = there === test.yes
        ? outcome.full > there.outcome.full
        : outcome.full < there.outcome.full;
      if (tighter) there.outcome = outcome;
    }
    return undefined;
  }
  // A test narrower than an outcome that already exists is never reached.
  if (there.outcome !== undefined) return undefined;
  return addTests(there.tests, added.tests);
}
