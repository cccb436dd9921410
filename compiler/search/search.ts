/**
 * The search for a tree of `eq` and `ge` tests of least cost.
 *
 * @module
 */

import { collapse } from "./collapse.ts";
import { createExact } from "./exact.ts";
import { intervalTree, solveIntervals } from "./interval.ts";
import { type Cut, cutLine, pieceOf } from "./large.ts";
import { type Line, toLine } from "./line.ts";
import type {
  SearchOptions,
  SearchProblem,
  SearchResult,
  TestTree,
} from "./problem.ts";
import { ge, leaf, measure, replaceLeaves } from "./tree.ts";

/** Longest line for the interval and exact searches. */
const LONGEST = 512;
/** Default of `SearchOptions.workLimit`. */
const WORK_LIMIT = 1e7;

/** A tree for a line, and what is known about it. */
interface Found {
  /** Leaves are indices of classes. */
  readonly tree: TestTree;
  /** Whether it is proven. */
  readonly proven: boolean;
  /** Lower bound on its cost, tie-breaks included. */
  readonly lower: number;
}

/** Finds a tree. */
export function searchTree(
  problem: SearchProblem,
  options: SearchOptions = {},
): SearchResult {
  const { sizePenalty = 0 } = options;
  const line = toLine(problem, sizePenalty);
  const { line: short, free } = sizePenalty === 0
    ? collapse(line, weightlessRuns(problem, line))
    : { line, free: [] };
  const stretches = new Map<number, TestTree>();
  for (const { cls, line } of free) {
    stretches.set(cls, findTree(line, { ...options, prove: false }).tree);
  }
  const found = findTree(short, options);
  const tree = replaceLeaves(
    replaceLeaves(found.tree, (cls) => stretches.get(cls) ?? leaf(cls)),
    (cls) => leaf(line.classIds[cls] ?? 0),
  );
  const measured = measure(problem, tree);
  const price = measured.cost + sizePenalty * measured.tests;
  const ties = line.tie * line.n * 2;
  return {
    tree,
    ...measured,
    proven: found.proven,
    lowerBound: found.proven ? price : Math.max(0, found.lower - ties),
  };
}

/** Searches a line of any length. */
function findTree(line: Line, options: SearchOptions): Found {
  const { n } = line;
  if (n > LONGEST) {
    const build = (cut: Cut): TestTree =>
      cut.kind === "piece"
        ? intervals(pieceOf(line, cut.from, cut.to)).tree
        : ge(line.starts[cut.at] ?? 0, build(cut.right), build(cut.left));
    return { tree: build(cutLine(line, Infinity)), proven: false, lower: 0 };
  }
  const start = intervals(line);
  if (options.prove === false) {
    return { tree: start.tree, proven: false, lower: 0 };
  }
  const exact = createExact(line, {
    share: 0,
    workLimit: options.workLimit ?? WORK_LIMIT,
  });
  const budget = start.cost - line.tie / 4;
  const value = exact.solve(budget);
  const tree = value <= budget ? exact.tree() : start.tree;
  const proven = !exact.state.aborted;
  return { tree, proven, lower: proven ? Math.min(value, start.cost) : 0 };
}

/** The interval search's tree of a line. */
function intervals(line: Line): { tree: TestTree; cost: number } {
  const table = solveIntervals(line);
  return {
    tree: intervalTree(line, table, 0, line.n - 1),
    cost: table.cost[line.n - 1] ?? 0,
  };
}

/** Marks the runs without weight. */
function weightlessRuns(problem: SearchProblem, line: Line): Uint8Array {
  const marks = new Uint8Array(line.n).fill(1);
  let run = -1;
  for (let cell = 0; cell < problem.starts.length; cell++) {
    if (problem.starts[cell] === line.starts[run + 1]) run++;
    if ((problem.weights[cell] ?? 0) > 0) marks[run] = 0;
  }
  return marks;
}
