/**
 * The search on a line: chooses the method and the amount of work, and reports
 * what is proven.
 *
 * 1. Up to `LONGEST` runs: the interval search gives a tree. If `certify.ts`
 *    does not prove it, the exact search gets its cost as budget and either
 *    improves or proves it.
 * 2. If the work limit stops the exact search, or the line is longer: values
 *    that outweigh three sevenths of the rest are removed by `eq` (with keys as
 *    classes that is always right, Atalig and Chrobak, 2023; here it is a
 *    heuristic). The rest is cut into pieces by the best tree of thresholds,
 *    and each piece is searched on its own. The better of this tree and that of
 *    the interval search is returned; nothing is proven, and the lower bound is
 *    that of `bounds.ts`.
 * 3. If the tree breaks a bound on depth: the interval search with tables by
 *    depth, then the exact search's program under the bound. It then proves
 *    nothing; the lower bound is that without the bound on depth.
 *
 * @module
 */

import { present } from "../present.ts";
import { certify } from "./certify.ts";
import { firstTestBound, levelBound } from "./bounds.ts";
import { ExactSearch } from "./exact.ts";
import {
  intervalTree,
  solveBoundedIntervals,
  solveIntervals,
} from "./interval.ts";
import { type Cut, cutLine, PIECE } from "./large.ts";
import { fromRuns, type Line, type LineRun, toRuns } from "./line.ts";
import { UNBOUNDED } from "./memo.ts";
import type { TestTree } from "./problem.ts";
import { rebuild } from "./rebuild.ts";
import { eq, ge, leaf, priceOf } from "./tree.ts";
import { View } from "./view.ts";

/** A tree for a line, and the facts that are known about it. */
export interface Found {
  /** Leaves are indices of classes. */
  readonly tree: TestTree;
  /** Its cost on the line, including tie-breaks. */
  readonly cost: number;
  /** Maximum number of tests on a path, including hung trees. */
  readonly depth: number;
  /** True if no tree of any depth is better. */
  readonly proven: boolean;
  /** Lower bound on the cost of all trees. */
  readonly lower: number;
  /** Work units used by the exact search. */
  readonly work: number;
}

/** Limits of a search on a line. */
export interface FindLimits {
  /**
   * Maximum number of tests on a path; raised to the minimum for thresholds.
   */
  readonly maxDepth: number;
  /** Work units for the exact search. */
  readonly workLimit: number;
  /** Maximum cost of interest, if a tree is known. */
  readonly budget?: number;
  /** True if only the tree is of interest, so that no proof is tried. */
  readonly treeOnly?: boolean;
}

/** Maximum length of a line for the interval and exact searches. */
const LONGEST = 512;
/**
 * Maximum length of a line for the interval search by depth, whose tables take
 * 12 n^2 bytes each.
 */
const LONGEST_BOUNDED = 256;
/**
 * An exact search of n runs with less work than n^3 divided by this is not
 * started: it takes at least that much.
 */
const LEAST_WORK_DIVISOR = 4;
/** Share of the weight above which a value is removed by `eq` in long lines. */
const HOT = 3 / 7;

/** Searches a line. */
export function findTree(line: Line, limits: FindLimits): Found {
  const least = Math.ceil(Math.log2(Math.max(line.n, 1)));
  const room = Math.max(limits.maxDepth, least, ...line.heights);
  const free = line.n > LONGEST
    ? findByPieces(line, { ...limits, maxDepth: Infinity })
    : findExactly(line, limits);
  if (free.depth <= room) return free;
  const bounded = line.n > LONGEST_BOUNDED
    ? findByPieces(line, { ...limits, maxDepth: room })
    : findBounded(line, room, limits.workLimit);
  return { ...bounded, proven: false, lower: free.lower };
}

/** Interval search, then exact search. */
function findExactly(line: Line, limits: FindLimits): Found {
  const table = solveIntervals(line);
  const start = describe(line, intervalTree(line, table, 0, line.n - 1));
  if (limits.treeOnly === true) return start;
  if (certify(line, table)) {
    return { ...start, proven: true, lower: start.cost };
  }
  const budget = Math.min(start.cost, limits.budget ?? Infinity);
  if (limits.workLimit < line.n ** 3 / LEAST_WORK_DIVISOR) {
    const pieces = limits.workLimit > 0 && line.n > PIECE
      ? findByPieces(line, { ...limits, maxDepth: Infinity })
      : start;
    const best = pieces.cost < start.cost ? pieces : start;
    return { ...best, lower: lowerBound(line) };
  }
  const search = new ExactSearch(line);
  const share = limits.workLimit * 0.8;
  const value = search.solve(budget - line.tie / 4, UNBOUNDED, share);
  const { work } = search;
  const better = hasTree(search, UNBOUNDED)
    ? describe(line, rebuild(line, search, UNBOUNDED))
    : start;
  if (!search.stopped) {
    return { ...better, proven: true, lower: Math.min(value, budget), work };
  }
  const pieces = findByPieces(line, {
    maxDepth: Infinity,
    workLimit: limits.workLimit - share,
  });
  const best = pieces.cost < better.cost ? pieces : better;
  return { ...best, proven: false, lower: lowerBound(line), work };
}

/** Interval search by depth, then the exact search's program under the bound. */
function findBounded(line: Line, room: number, workLimit: number): Found {
  const table = solveBoundedIntervals(line, room);
  // Trees that will hang from leaves may need more than thresholds do.
  if (table.cost[line.n - 1] === Infinity) {
    return findBounded(line, room + 1, workLimit);
  }
  const start = describe(line, intervalTree(line, table, 0, line.n - 1));
  const search = new ExactSearch(line);
  search.solve(start.cost - line.tie / 4, room, workLimit);
  return hasTree(search, room)
    ? describe(line, rebuild(line, search, room))
    : start;
}

/** Cuts a long line into pieces, hot values first. */
function findByPieces(line: Line, limits: FindLimits): Found {
  const hot = line.candidateWeight[0] ?? 0;
  const depth = Math.ceil(Math.log2(line.n)) + 1;
  if (hot > HOT * present(line.sums[line.n]) && depth <= limits.maxDepth) {
    const rest = findByPieces(withoutHeaviest(line), {
      ...limits,
      maxDepth: limits.maxDepth - 1,
    });
    const cls = present(line.classes[present(line.candidateRun[0])]);
    const tree = eq(present(line.candidateValue[0]), leaf(cls), rest.tree);
    return { ...describe(line, tree), lower: lowerBound(line) };
  }
  const runs = toRuns(line);
  const share = limits.workLimit / Math.max(1, line.n / (PIECE / 2));
  const build = (cut: Cut): TestTree => {
    if (cut.kind === "cut") {
      return ge(
        present(line.starts[cut.at]),
        build(cut.right),
        build(cut.left),
      );
    }
    const piece = fromRuns(line, runs.slice(cut.from, cut.to + 1));
    return findTree(piece, {
      maxDepth: limits.maxDepth - cut.depth,
      workLimit: share,
    }).tree;
  };
  const tree = build(cutLine(line, limits.maxDepth));
  return { ...describe(line, tree), lower: lowerBound(line) };
}

/** The line without its heaviest candidate. */
function withoutHeaviest(line: Line): Line {
  const hot = present(line.candidateWeight[0]);
  const kept: LineRun[] = [];
  for (const [index, run] of toRuns(line).entries()) {
    const holds = index === line.candidateRun[0];
    if (holds && run.peelable && run.ranks.length === 1) continue;
    const left = holds
      ? {
        ...run,
        weight: run.weight - hot,
        ranks: run.ranks.filter((rank) => rank !== 0),
      }
      : run;
    const before = kept.at(-1);
    if (before === undefined || before.cls !== left.cls) kept.push(left);
    else {
      kept[kept.length - 1] = {
        ...before,
        weight: before.weight + left.weight,
        peelable: before.peelable && left.peelable,
        ranks: [...before.ranks, ...left.ranks].sort((a, b) => a - b),
      };
    }
  }
  return fromRuns(line, kept);
}

/** Reports whether a search knows a tree for the whole line. */
function hasTree(search: ExactSearch, room: number): boolean {
  return search.memo.exact[search.root(room)] === 1;
}

/** Measures a tree about which nothing else is known. */
function describe(line: Line, tree: TestTree): Found {
  return { tree, ...priceOf(line, tree), proven: false, lower: 0, work: 0 };
}

/** The lower bound of `bounds.ts` for a whole line. */
function lowerBound(line: Line): number {
  const { n, candidateWeight, testCost } = line;
  const view = new View(n);
  view.fill(line, { first: 0, last: n - 1, cls: -1, low: 0, lowOther: 0 });
  const heaviest = candidateWeight[0] ?? 0;
  return Math.max(
    firstTestBound(view, 0, view.m - 1, heaviest, testCost),
    levelBound(view, new Float64Array(n)) + (view.m >> 1) * testCost,
  );
}
