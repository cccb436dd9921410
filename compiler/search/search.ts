/**
 * The search for a tree of `eq` and `ge` tests of least cost.
 *
 * @module
 */

import { collapse } from "./collapse.ts";
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

/** Longest line for the O(n^3) interval search. */
const LONGEST = 512;

/** Finds a tree. */
export function searchTree(
  problem: SearchProblem,
  options: SearchOptions = {},
): SearchResult {
  const { sizePenalty = 0 } = options;
  const line = toLine(problem, sizePenalty);
  const weightless = weightlessRuns(problem, line);
  const { line: short, free } = sizePenalty === 0
    ? collapse(line, weightless)
    : { line, free: [] };
  const stretches = new Map<number, TestTree>();
  for (const { cls, line } of free) stretches.set(cls, treeOf(line));
  const tree = replaceLeaves(
    treeOf(short),
    (cls) => stretches.get(cls) ?? leaf(cls),
  );
  const named = replaceLeaves(tree, (cls) => leaf(line.classIds[cls] ?? 0));
  const measured = measure(problem, named);
  return {
    tree: named,
    ...measured,
    proven: measured.tests === 0,
    lowerBound: 0,
  };
}

/** Interval search, or the fallback for long lines. */
function treeOf(line: Line): TestTree {
  const { n } = line;
  if (n <= LONGEST) return intervalTree(line, solveIntervals(line), 0, n - 1);
  const build = (cut: Cut): TestTree =>
    cut.kind === "piece"
      ? treeOf(pieceOf(line, cut.from, cut.to))
      : ge(line.starts[cut.at] ?? 0, build(cut.right), build(cut.left));
  return build(cutLine(line, Infinity));
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
