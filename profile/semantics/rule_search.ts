/**
 * Removes what libseccomp removes before it adds a rule to the tree: the rule
 * itself, if a chain of the tree equals the rule without its first tests; and
 * chains of the tree that end like the rule but have more tests in front.
 *
 * This does not change an answer, because the removed parts are never evaluated
 * first. But it decides which later rules contradict the remaining ones, and
 * exactly the profiles that the runtimes refuse must be refused here.
 *
 * A rule that continues on both sides of a test is superfluous only if it agrees
 * with the tree below both (`keepsForks`). Whether a later rule contradicts it is
 * decided by agreement below one.
 *
 * @module
 */

import type { ReturnValue } from "../policy.ts";
import { isAskedAfter, sameTest, type Side, type Test } from "./rule_chain.ts";

/** Progress of matching a rule with the tree. */
interface Progress {
  /** The tests agree, here and since they first did. */
  readonly agrees: boolean;
  /** They agreed somewhere. */
  readonly agreed: boolean;
  /** The tree had no further tests at the point of agreement. */
  readonly treeEnded: boolean;
  /** The rule had no further tests at the point of agreement. */
  readonly ruleEnded: boolean;
  /** Tests of the tree precede the first agreement. */
  readonly treeBefore: boolean;
  /** Tests of the rule precede the first agreement. */
  readonly ruleBefore: boolean;
}

const NOTHING: Progress = {
  agrees: false,
  agreed: false,
  treeEnded: false,
  ruleEnded: false,
  treeBefore: false,
  ruleBefore: false,
};

/** Result of one test: continue along the level, or return. */
interface Step {
  readonly progress: Progress;
  readonly done: boolean;
}

/**
 * Makes room for a rule: removes the parts of the tree that it makes
 * superfluous.
 *
 * @param root The tree, changed in place.
 * @param rule First test of the rule's chain.
 * @param value The rule's outcome.
 * @param keepsForks True if agreement below one side of a test is not enough.
 * @returns True if the rule must still be added.
 */
export function makeRoom(
  root: Test[],
  rule: Test,
  value: ReturnValue,
  keepsForks: boolean,
): boolean {
  const removed = new Set<Test>();
  const search: Search = { root, value, keepsForks, removed };
  const found = follow(search, root, rule, NOTHING);
  if (removed.size > 0) return true;
  return !(found.agrees && found.treeEnded && found.ruleBefore);
}

interface Search {
  readonly root: Test[];
  readonly value: ReturnValue;
  readonly keepsForks: boolean;
  readonly removed: Set<Test>;
}

/** Follows the rule from `test` on through one level of the tree. */
function follow(
  search: Search,
  level: readonly Test[],
  test: Test,
  start: Progress,
): Progress {
  if (level.length === 0 || (start.agreed && !start.agrees)) return start;
  let progress = start;
  /** Number of removed tests when the rule alone continued in vain. */
  let inVain = -1;
  for (const there of [...level]) {
    const before = search.removed.size;
    if (sameTest(there, test)) {
      const step = onSame(search, level, [there, test], [start, progress]);
      progress = step.progress;
      if (step.done) return progress;
      continue;
    }
    // It is the same search for every such test, and would double with each.
    const treeGoesOn = isAskedAfter(there, test);
    if (!treeGoesOn && inVain === before) continue;
    const step = onOther(
      search,
      level,
      [there, test],
      [start, progress],
      treeGoesOn,
    );
    progress = step.progress;
    if (step.done) return progress;
    if (!treeGoesOn && search.removed.size === before) inVain = before;
  }
  return { ...progress, agrees: false };
}

/** The tree's test and the rule's are the same. */
function onSame(
  search: Search,
  level: readonly Test[],
  [there, test]: readonly [Test, Test],
  [start, before]: readonly [Progress, Progress],
): Step {
  let progress: Progress = {
    ...before,
    agrees: true,
    agreed: true,
    treeEnded: before.treeEnded || isLast(there),
    ruleEnded: before.ruleEnded || isLast(test),
  };
  const foreign = (leads(there.yes) && !leads(test.yes)) ||
    (leads(there.no) && !leads(test.no));
  if (foreign) return { progress: { ...progress, agrees: false }, done: true };
  if (
    progress.treeEnded && progress.ruleEnded &&
    (there.yes.outcome?.value !== test.yes.outcome?.value ||
      there.no.outcome?.value !== test.no.outcome?.value)
  ) return { progress, done: true };
  const isFork = search.keepsForks && test.yes.tests.length > 0 &&
    test.no.tests.length > 0;
  let isWhole = true;
  for (
    const [below, next] of [
      [there.yes, test.yes.tests[0]],
      [there.no, test.no.tests[0]],
    ] as const
  ) {
    if (next === undefined) continue;
    const deeper = follow(search, below.tests, next, {
      ...start,
      agrees: true,
      agreed: true,
    });
    if (deeper.agrees) progress = either(progress, deeper);
    else if (isFork) isWhole = false;
    if (search.removed.has(there)) return { progress, done: false };
  }
  if (!isWhole) {
    return { progress: { ...progress, agrees: false }, done: false };
  }
  if (otherOutcome(level, search.value) !== undefined) {
    return { progress, done: false };
  }
  if (progress.ruleEnded && progress.treeBefore) {
    take(search, search.root, there);
    return { progress, done: search.root.length === 0 };
  }
  return { progress, done: progress.treeEnded && progress.ruleBefore };
}

/** They differ: the one that comes later continues alone, below the other. */
function onOther(
  search: Search,
  level: readonly Test[],
  [there, test]: readonly [Test, Test],
  [start, progress]: readonly [Progress, Progress],
  treeGoesOn: boolean,
): Step {
  if (treeGoesOn ? start.ruleBefore : start.treeBefore) {
    return { progress, done: true };
  }
  for (const side of ["yes", "no"] as const) {
    const next = test[side].tests[0];
    const deeper = treeGoesOn
      ? follow(search, there[side].tests, test, {
        ...start,
        agrees: false,
        treeBefore: true,
      })
      : next === undefined
      ? undefined
      : follow(search, level, next, {
        ...start,
        agrees: false,
        ruleBefore: true,
      });
    if (deeper?.agrees === true) {
      return { progress: either(progress, deeper), done: true };
    }
    if (search.removed.has(there)) break;
  }
  return { progress, done: false };
}

function either(a: Progress, b: Progress): Progress {
  return {
    agrees: a.agrees || b.agrees,
    agreed: a.agreed || b.agreed,
    treeEnded: a.treeEnded || b.treeEnded,
    ruleEnded: a.ruleEnded || b.ruleEnded,
    treeBefore: a.treeBefore || b.treeBefore,
    ruleBefore: a.ruleBefore || b.ruleBefore,
  };
}

function isLast(test: Test): boolean {
  return test.yes.tests.length === 0 && test.no.tests.length === 0;
}

function leads(side: Side): boolean {
  return side.outcome !== undefined || side.tests.length > 0;
}

/** Removes a test, and every test above that then leads nowhere. */
function take(search: Search, level: Test[], gone: Test): boolean {
  const at = level.findIndex((test) =>
    test === gone || take(search, test.yes.tests, gone) ||
    take(search, test.no.tests, gone)
  );
  const test = level[at];
  if (test === undefined) return false;
  if (test === gone || (!leads(test.yes) && !leads(test.no))) {
    level.splice(at, 1);
    search.removed.add(test);
  }
  return true;
}

/**
 * Searches for an outcome that differs from a value.
 *
 * @param tests A level of the tree.
 * @param value The value.
 * @returns Source of such an outcome on the level or below; `undefined` if
 * there is no such outcome.
 */
export function otherOutcome(
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
