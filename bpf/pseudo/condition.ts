/**
 * Tests of a program, joined with "and" and "or" if they share a target.
 *
 * @module
 */

import type { Expression, Facts } from "./expression.ts";

/** A condition. */
export type PseudoTest =
  | {
    readonly kind: "test";
    /** `==`, `!=`, `>`, `<=`, `>=`, `<`, `&` or `!&`. */
    readonly sign: string;
    readonly left: Expression;
    readonly right: Expression;
    /** The facts before the test. */
    readonly facts: Facts;
  }
  | {
    readonly kind: "and" | "or";
    readonly parts: readonly PseudoTest[];
  };

const OPPOSITES: ReadonlyMap<string, string> = new Map([
  ["==", "!="],
  ["!=", "=="],
  [">", "<="],
  ["<=", ">"],
  [">=", "<"],
  ["<", ">="],
  ["&", "!&"],
  ["!&", "&"],
]);

/** Negates a condition. */
export function negate(tree: PseudoTest): PseudoTest {
  if (tree.kind === "test") {
    return { ...tree, sign: OPPOSITES.get(tree.sign) ?? tree.sign };
  }
  return {
    kind: tree.kind === "and" ? "or" : "and",
    parts: tree.parts.map(negate),
  };
}

/** Joins two conditions. */
function joinTests(
  kind: "and" | "or",
  one: PseudoTest,
  other: PseudoTest,
): PseudoTest {
  const partsOf = (tree: PseudoTest): readonly PseudoTest[] =>
    tree.kind === kind ? tree.parts : [tree];
  return { kind, parts: [...partsOf(one), ...partsOf(other)] };
}

/** A test of a program: its condition, and the nodes after it. */
export interface JoinedTest {
  readonly tree: PseudoTest;
  readonly yes: number;
  readonly no: number;
}

/**
 * Joins a test with tests that only it leads to, if they share a target. "and"
 * and "or" are not mixed, because that would be hard to read.
 *
 * @param choice The test.
 * @param choiceOf A later test, joined already, that only this one leads to.
 */
export function joinWithLater(
  choice: JoinedTest,
  choiceOf: (node: number) => JoinedTest | undefined,
): JoinedTest {
  for (let { tree, yes, no } = choice;;) {
    const [onYes, onNo] = [choiceOf(yes), choiceOf(no)];
    const both = onYes && joined("and", tree, onYes, no);
    const either = onNo && joined("or", tree, onNo, yes);
    if (both !== undefined) [tree, yes] = [both.tree, both.next];
    else if (either !== undefined) [tree, no] = [either.tree, either.next];
    else return { tree, yes, no };
  }
}

/** Joins a test with a later one, if the later test has the shared target. */
function joined(
  kind: "and" | "or",
  tree: PseudoTest,
  later: JoinedTest,
  shared: number,
): { readonly tree: PseudoTest; readonly next: number } | undefined {
  const [straight, across] = kind === "and"
    ? [later.no, later.yes]
    : [later.yes, later.no];
  if (straight !== shared && across !== shared) return undefined;
  const other = straight === shared ? later.tree : negate(later.tree);
  const isOne = (each: PseudoTest): boolean =>
    each.kind === "test" || each.kind === kind;
  return isOne(tree) && isOne(other)
    ? {
      tree: joinTests(kind, tree, other),
      next: straight === shared ? across : straight,
    }
    : undefined;
}
