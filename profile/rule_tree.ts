/**
 * The tree in which libseccomp files the comparisons of all rules on one call.
 *
 * A test has two sides; a side is an outcome, a level of further tests, or
 * nothing. `NE`, `LT` and `LE` are the other sides of `EQ`, `GE` and `GT`. An
 * equality of a 64-bit argument is a test of its high word with a test of its
 * low word on its yes side; a bound is one test of the whole argument.
 *
 * @module
 */

import type { Condition, ReturnValue } from "./policy.ts";

/** A comparison cut to the width of the architecture. */
export interface CutCondition extends Condition {
  /** Whether it was written as `SCMP_CMP_MASKED_EQ`, which is a test of its own. */
  readonly masked: boolean;
}

/** One rule of a call, cut to the width of the architecture. */
export interface CutRule {
  /** All must hold, in rising order of argument. */
  readonly conditions: readonly CutCondition[];
  /** What the filter returns. */
  readonly value: ReturnValue;
  /** Where the rule comes from. */
  readonly source: string;
}

/** Two rules that contradict each other: EEXIST from `seccomp_rule_add`. */
export interface Conflict {
  readonly kind: "conflict";
  /** The rule that cannot be added. */
  readonly source: string;
  /** A rule that was there before, with another outcome. */
  readonly other: string;
}

const WORD = 0xffff_ffffn;
const HIGH = WORD << 32n;

/** An outcome in the tree; `full` is the value of the comparison that gave it. */
export interface Outcome {
  readonly value: ReturnValue;
  readonly source: string;
  readonly full: bigint;
}

/** What follows one side of a test: an outcome, more tests, or nothing. */
export interface Side {
  outcome?: Outcome;
  tests: Test[];
}

/** One test of the tree, on the high word, the low word or a whole argument. */
export interface Test {
  readonly condition: CutCondition;
  /** Rank among the levels: higher arguments first, their high word first. */
  readonly word: number;
  /** 3 equalities, 2 upper bounds, 1 lower bounds. */
  readonly rank: 1 | 2 | 3;
  /** Whether this is the high half of an equality that goes on in the low half. */
  readonly half: boolean;
  readonly yes: Side;
  readonly no: Side;
}

/** Files the rules in a tree, in order of arrival. */
export function fileRules(
  rules: readonly CutRule[],
  bits: 32 | 64,
): readonly Test[] | Conflict {
  let live: CutRule[] = [];
  let root: Test[] = [];
  for (const rule of rules) {
    // A rule whose last comparisons are a whole rule already is never asked.
    if (
      live.some((other) => isProperSuffix(other.conditions, rule.conditions))
    ) {
      continue;
    }
    const kept = live.filter((other) =>
      other.value !== rule.value ||
      !isProperSuffix(rule.conditions, other.conditions)
    );
    if (kept.length < live.length) {
      live = kept;
      root = [];
      for (const other of live) addTests(root, chain(other, bits));
    }
    const clash = addTests(root, chain(rule, bits));
    if (clash !== undefined) {
      return { kind: "conflict", source: rule.source, other: clash };
    }
    live.push(rule);
  }
  return root;
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

/** Builds the chain of tests of one rule, last comparison first. */
function chain(rule: CutRule, bits: 32 | 64): Test[] {
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
  const low = { word: 2 * arg, rank: RANKS[op], half: false };
  const high = { ...low, word: low.word + 1 };
  const whole = bits === 32 ? low : high;
  switch (op) {
    case "gt":
    case "ge":
      return { ...whole, condition, yes: end(), no: nothing() };
    case "lt":
    case "le": {
      const opposite = { ...condition, op: NEGATED[op] };
      return { ...whole, condition: opposite, yes: nothing(), no: end() };
    }
    case "eq":
    case "ne": {
      const sides = (): Pick<Test, "yes" | "no"> =>
        op === "eq"
          ? { yes: end(), no: nothing() }
          : { yes: nothing(), no: end() };
      const half = (word: bigint): CutCondition => ({
        arg,
        op: "eq",
        masked,
        mask: mask & word,
        value: value & word,
      });
      const lowTest = { ...low, condition: half(WORD), ...sides() };
      if (bits === 32) return lowTest;
      return {
        ...high,
        half: true,
        condition: half(HIGH),
        yes: { tests: [lowTest] },
        no: sides().no,
      };
    }
  }
}

const RANKS: Readonly<Record<Condition["op"], 1 | 2 | 3>> = {
  eq: 3,
  ne: 3,
  lt: 2,
  le: 2,
  gt: 1,
  ge: 1,
};

/** The comparison that holds where another does not. */
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
      if (!test.half) return { clash: there.outcome.source };
      if (outcome.full < there.outcome.full) there.outcome = outcome;
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
