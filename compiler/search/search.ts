/**
 * Finds a minimum-cost tree of `eq` and `ge` tests: the entry point of this
 * folder. Its modules, from simple to deep: `problem.ts` (the problem),
 * `line.ts` (its form in the searches), `interval.ts` (a good tree), `exact.ts`
 * (the best one, with the reason), `bounds.ts`, `collapse.ts`, `large.ts`,
 * `find.ts` (the choice of method).
 *
 * @module
 */

import { present } from "../present.ts";
import { collapse, type Collapsed, stretchesOf } from "./collapse.ts";
import { findTree, type Found } from "./find.ts";
import { type Line, toLine } from "./line.ts";
import type {
  SearchOptions,
  SearchProblem,
  SearchResult,
  TestTree,
} from "./problem.ts";
import { boundWithin } from "./multipliers.ts";
import {
  leaf,
  measureTree,
  priceOf,
  replaceLeaves,
  type TreeMeasure,
} from "./tree.ts";

/** Default of `SearchOptions.workLimit`. */
const WORK_LIMIT = 1e7;
/** Steps of the interval search in one unit of work. */
const STEPS_PER_WORK = 400;
/** Weightless stretches of at least this many runs are always removed. */
const LONG_STRETCH = 32;
/**
 * Shorter ones, down to this length, are removed to find the cost and then
 * restored to save tests.
 */
const SHORT_STRETCH = 4;

/**
 * Finds a tree of minimum `cost + sizePenalty * tests`, with the fewest tests
 * if several have the same cost.
 *
 * The result depends only on the arguments: limits are counted in work, not in
 * time. Docker's default profile takes 0.2 (x86_64, 159 runs, uniform weights)
 * to 5 million units (i386, 119 runs, a histogram) for the proof.
 *
 * @param problem The cells.
 * @param options Cost to minimize, and limits.
 * @throws {RangeError} if the cells are not a partition or a weight is invalid.
 *
 * @example One denied value among allowed ones
 * ```ts
 * import { searchTree } from "./search.ts";
 *
 * const { tree, proven } = searchTree({
 *   starts: Uint32Array.of(0, 7, 8),
 *   singles: Uint8Array.of(0, 1, 0),
 *   classes: Int32Array.of(0, 1, 0),
 *   weights: Float64Array.of(5, 1, 5),
 * });
 * console.assert(proven && tree.kind === "test" && tree.op === "eq");
 * ```
 */
export function searchTree(
  problem: SearchProblem,
  options: SearchOptions = {},
): SearchResult {
  const { sizePenalty = 0, maxDepth = Infinity, prove = true } = options;
  const workLimit = prove ? options.workLimit ?? WORK_LIMIT : 0;
  const limits = { sizePenalty, maxDepth, workLimit };
  const { tree, cost, tests, depth, proven, lowerBound } = search(
    problem,
    limits,
  );
  const found = { tree, cost, tests, depth, proven, lowerBound };
  const { boundWork = 0 } = options;
  if (proven || maxDepth === Infinity || boundWork === 0) return found;
  const price = cost + sizePenalty * tests;
  const better = boundWithin({
    weights: problem.weights,
    // A limit that no tree can keep was raised.
    maxDepth: Math.max(maxDepth, depth),
    cost: price,
    workLimit: boundWork,
    relax: (weights, workLimit) => {
      const free = { sizePenalty, maxDepth: Infinity, workLimit };
      const best = search({ ...problem, weights }, free);
      // Rounding must not count as a bound.
      return { ...best, lowerBound: best.lowerBound - best.ties };
    },
  });
  return {
    ...found,
    lowerBound: Math.min(price, Math.max(lowerBound, better)),
  };
}

/** A tree, the facts that are known about it, and the work for it. */
interface Searched extends SearchResult, TreeMeasure {
  readonly work: number;
  /** Maximum effect of tie-breaks and rounding on a cost. */
  readonly ties: number;
}

type Limits = Required<Omit<SearchOptions, "prove" | "boundWork">>;

function search(problem: SearchProblem, limits: Limits): Searched {
  const { sizePenalty, maxDepth, workLimit } = limits;
  const line = toLine(problem, sizePenalty);
  const collapsed = findCollapsed(line, problem, limits);
  const room = Math.max(maxDepth, Math.ceil(Math.log2(line.n)));
  const fits = collapsed.depth <= room;
  // Under a limit on depth, removed stretches may fit worse.
  const whole = collapsed.proven || maxDepth === Infinity
    ? undefined
    : findTree(line, { maxDepth, workLimit: fits ? 0 : workLimit });
  const found = whole !== undefined && (!fits || whole.cost < collapsed.cost)
    ? { ...whole, lower: collapsed.lower }
    : collapsed;
  const tree = replaceLeaves(
    found.tree,
    (cls) => leaf(present(line.classIds[cls])),
  );
  const measured = measureTree(problem, tree);
  const price = measured.cost + sizePenalty * measured.tests;
  const ties = line.tie * line.n * 2;
  // `lower` includes the tie-breaks of a best tree in addition to its price.
  const proven = found.proven || price <= found.lower;
  const lowerBound = proven ? price : Math.max(0, found.lower - ties);
  const work = found.work + line.n ** 3 / STEPS_PER_WORK;
  return { tree, ...measured, proven, lowerBound, work, ties };
}

/**
 * Searches with weightless stretches removed: all of them, then the long ones.
 */
function findCollapsed(
  line: Line,
  problem: SearchProblem,
  limits: Limits,
): Found {
  const { sizePenalty, workLimit, maxDepth } = limits;
  // The penalty would ignore tests that are saved across a stretch's edge.
  if (sizePenalty > 0) return findTree(line, limits);
  const stretches = stretchesOf(weightlessRuns(problem, line), SHORT_STRETCH);
  const short = collapse(line, stretches);
  const first = findTree(short.line, limits);
  const tree = hang(line, short, first, maxDepth);
  const longer = stretches.filter(({ first, end }) =>
    end - first >= LONG_STRETCH
  );
  if (longer.length === stretches.length) return tree;
  const long = collapse(line, longer);
  const second = findTree(long.line, {
    maxDepth,
    workLimit: workLimit - first.work,
    budget: first.proven ? tree.cost : Infinity,
  });
  const other = hang(line, long, second, maxDepth);
  const best = other.cost < tree.cost ? other : tree;
  return {
    ...best,
    proven: best.proven || first.proven && best === tree,
    // Both bound the same trees.
    lower: Math.max(first.lower, second.lower),
    work: first.work + second.work,
  };
}

/** Hangs the trees of the stretches from their leaves. */
function hang(
  line: Line,
  collapsed: Collapsed,
  found: Found,
  maxDepth: number,
): Found {
  if (collapsed.free.length === 0) return found;
  const stretches = new Map(collapsed.free.map(({ cls, line }) => [cls, line]));
  const place = (tree: TestTree, depth: number): TestTree => {
    if (tree.kind === "test") {
      const yes = place(tree.yes, depth + 1);
      return { ...tree, yes, no: place(tree.no, depth + 1) };
    }
    const stretch = stretches.get(tree.cls);
    if (stretch === undefined) return tree;
    return findTree(stretch, {
      maxDepth: maxDepth - depth,
      workLimit: 0,
      treeOnly: true,
    }).tree;
  };
  const tree = place(found.tree, 0);
  return { ...found, tree, ...priceOf(line, tree) };
}

/** Marks the runs without weight. */
function weightlessRuns(problem: SearchProblem, line: Line): Uint8Array {
  const marks = new Uint8Array(line.n).fill(1);
  let run = -1;
  for (let cell = 0; cell < problem.starts.length; cell++) {
    if (problem.starts[cell] === line.starts[run + 1]) run++;
    if (present(problem.weights[cell]) > 0) marks[run] = 0;
  }
  return marks;
}
