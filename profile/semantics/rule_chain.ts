/**
 * One rule as a chain of tests on words, in rising order of argument. `NE`,
 * `LT` and `LE` are the negations of `EQ`, `GE` and `GT`. A comparison of a
 * 64-bit argument takes two or three tests:
 *
 * ```text
 *   a == v   hi == v.hi ─yes─▶ lo == v.lo ─yes─▶ …
 *   a >= v   hi >  v.hi ─yes─▶ …,  ─no─▶ hi == v.hi ─yes─▶ lo >= v.lo ─yes─▶ …
 * ```
 *
 * @module
 */

import type { Condition, ReturnValue } from "../policy.ts";

/** A comparison truncated to the width of the architecture. */
export interface CutCondition extends Condition {
  /**
   * True if it was written as `SCMP_CMP_MASKED_EQ`, which is a distinct test.
   */
  readonly masked: boolean;
}

/** One rule of a call, truncated to the width of the architecture. */
export interface CutRule {
  /** All must be true, in rising order of argument. */
  readonly conditions: readonly CutCondition[];
  /** The value that the filter returns. */
  readonly value: ReturnValue;
  /** Origin of the rule. */
  readonly source: string;
}

/** An outcome in the tree; `full` is the value of its comparison. */
export interface FiledAction {
  readonly value: ReturnValue;
  readonly source: string;
  readonly full: bigint;
}

/**
 * The continuation on one side of a test: an outcome, more tests, or nothing.
 */
export interface Side {
  outcome?: FiledAction;
  tests: Test[];
}

/** One test of the tree, on one word of an argument. */
export interface Test {
  readonly condition: CutCondition;
  /** Rank among the levels: higher arguments first, their high word first. */
  readonly word: number;
  /** 3 equalities, 2 upper bounds, 1 lower bounds. */
  readonly rank: 1 | 2 | 3;
  readonly yes: Side;
  readonly no: Side;
}

const WORD = 0xffff_ffffn;
const HIGH = WORD << 32n;

/** Builds the chain of tests of one rule, last comparison first. */
export function ruleChainOf(rule: CutRule, bits: 32 | 64): Test[] {
  let next: Test[] = [];
  for (let i = rule.conditions.length - 1; i >= 0; i--) {
    const condition = rule.conditions[i];
    if (condition === undefined) continue;
    const rest = next;
    const end = (): Side =>
      i === rule.conditions.length - 1
        ? {
          outcome: {
            value: rule.value,
            source: rule.source,
            full: condition.value,
          },
          tests: [],
        }
        : { tests: copyTests(rest) };
    next = [testsOf(condition, bits, end)];
  }
  return next;
}

function testsOf(
  condition: CutCondition,
  bits: 32 | 64,
  end: () => Side,
): Test {
  const { arg, op, masked, mask, value } = condition;
  const nothing = (): Side => ({ tests: [] });
  const on = (word: bigint, test: "eq" | "gt" | "ge"): CutCondition => ({
    arg,
    op: test,
    masked,
    mask: mask & word,
    value: value & word,
  });
  const sides = (holds: boolean): Pick<Test, "yes" | "no"> =>
    holds ? { yes: end(), no: nothing() } : { yes: nothing(), no: end() };
  const rank = RANKS[op];
  const low = { word: 2 * arg, rank };
  const high = { word: 2 * arg + 1, rank };
  if (op === "eq" || op === "ne") {
    const equal = { ...low, condition: on(WORD, "eq"), ...sides(op === "eq") };
    if (bits === 32) return equal;
    return {
      ...high,
      condition: on(HIGH, "eq"),
      yes: { tests: [equal] },
      no: sides(op === "eq").no,
    };
  }
  const above = op === "gt" || op === "ge";
  const strict = op === "gt" || op === "le";
  const bound = {
    ...low,
    condition: on(WORD, strict ? "gt" : "ge"),
    ...sides(above),
  };
  if (bits === 32) return bound;
  const same = {
    ...high,
    condition: on(HIGH, "eq"),
    yes: { tests: [bound] },
    no: sides(above).no,
  };
  return {
    ...high,
    condition: on(HIGH, "gt"),
    yes: sides(above).yes,
    no: { tests: [same] },
  };
}

const RANKS: Readonly<Record<Condition["op"], 1 | 2 | 3>> = {
  eq: 3,
  ne: 3,
  lt: 2,
  le: 2,
  gt: 1,
  ge: 1,
};

/** The negation of a comparison. */
export const NEGATED: Readonly<Record<Condition["op"], Condition["op"]>> = {
  eq: "ne",
  ne: "eq",
  lt: "ge",
  ge: "lt",
  le: "gt",
  gt: "le",
};

function copyTests(tests: readonly Test[]): Test[] {
  return tests.map((t) => ({ ...t, yes: copySide(t.yes), no: copySide(t.no) }));
}

function copySide(side: Side): Side {
  return { ...side, tests: copyTests(side.tests) };
}

/** Reports whether two tests are the same. */
export function sameTest(a: Test, b: Test): boolean {
  return a.word === b.word && sameCondition(a.condition, b.condition);
}

/** Reports whether `a` comes after `b` on one level. */
export function isAskedAfter(a: Test, b: Test): boolean {
  if (a.word !== b.word) return a.word < b.word;
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.rank === 2
    ? a.condition.value > b.condition.value
    : a.condition.value < b.condition.value;
}

function sameCondition(a: CutCondition, b: CutCondition): boolean {
  return a.arg === b.arg && a.op === b.op && a.masked === b.masked &&
    a.mask === b.mask && a.value === b.value;
}
