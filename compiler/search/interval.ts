/**
 * The interval search: thresholds, and *peeled leaves*. It is exact if `eq`
 * tests are useful only directly above a leaf, which is true for uniform
 * weights; otherwise it is a good start for `exact.ts`.
 *
 *     F(i, j) = least cost for the runs i…j
 *             = 0                                    where i = j, else the least of
 *               W(i, j) + F(i, k) + F(k + 1, j)      a threshold, for every k
 *               the cost of a peeled leaf            for every class c: all runs of
 *                   other classes go by `eq` tests, heaviest value first
 *
 * This is the O(n^3) program for optimal alphabetic trees (Gilbert and Moore,
 * 1959) with one more alternative. Knuth's O(n^2) (1971) does not apply: peeled
 * leaves break the quadrangle inequality (arXiv 2311.02224 shows as much for
 * `==` tests). n^3/6 steps: 0.7 million for 159 runs.
 *
 * The table stores only costs: the threshold for a cost is found again for the
 * ranges that are in the tree.
 *
 * Under a bound on depth there is a table for each number of tests that may
 * follow, computed from the table for one less; ranges that are too long for so
 * few tests are omitted.
 *
 * @module
 */

import { absent } from "../present.ts";
import { leastDepth } from "./bounds.ts";
import type { Line } from "./line.ts";
import type { TestTree } from "./problem.ts";
import { eq, ge, leaf } from "./tree.ts";

/** Costs and choices for all ranges of runs. */
interface Costs {
  /** F(i, j) at i * n + j. */
  readonly cost: Float64Array;
  /** At i * n + j: `THRESHOLD`, or -1 - c for a peeled leaf of class c. */
  readonly choice: Int32Array;
}

/** Costs and choices, and their inputs. */
export interface IntervalTable extends Costs {
  /** The table for the sides of a threshold; absent if it is this one. */
  readonly below?: IntervalTable;
}

/** A choice: one of the thresholds with the minimum cost. */
const THRESHOLD = 0;
/**
 * Peeled leaves with more tests than this are tried only if they save tests.
 */
const LONG_PEEL = 8;

/**
 * Fills the table without a bound on depth.
 *
 * @param line At most a few hundred runs: memory is 12 n^2 bytes, time n^3 / 6
 * steps.
 */
export function solveIntervals(line: Line): IntervalTable {
  return fillTable(line, undefined, Infinity);
}

/**
 * Fills the tables for 0…room tests.
 *
 * @returns The last one; a range that needs more tests costs `Infinity`.
 */
export function solveBoundedIntervals(line: Line, room: number): IntervalTable {
  let table = fillTable(line, undefined, 0);
  for (let tests = 1; tests <= room; tests++) {
    table = fillTable(line, table, tests);
  }
  return table;
}

/** Fills a table from the one below; if that is absent, from itself. */
function fillTable(
  line: Line,
  lower: IntervalTable | undefined,
  room: number,
): IntervalTable {
  const { n, classes, heights } = line;
  const cost = new Float64Array(n * n).fill(Infinity);
  const choice = new Int32Array(n * n);
  const table = { cost, choice };
  for (let i = 0; i < n; i++) {
    peelFrom(line, table, i, room);
    if ((heights[i] ?? absent()) <= room) cost[i * n + i] = 0;
    choice[i * n + i] = -1 - (classes[i] ?? absent());
  }
  if (lower !== undefined) {
    cut(line, table, lower, room);
    return { ...table, below: lower };
  }
  cut(line, table, table, room);
  return table;
}

/** Tries thresholds for all ranges; `lower` has the costs of their sides. */
function cut(line: Line, table: Costs, lower: Costs, room: number): void {
  const sums = new Float64Array(line.n);
  for (let i = line.n - 1; i >= 0; i--) {
    cutFrom(line, table, lower.cost, { i, room, sums: sums.fill(Infinity) });
  }
}

/**
 * Tries thresholds for all ranges that begin with run i, the shortest first: the
 * left side of a threshold is such a range.
 *
 * A short process spends most of its compile step here: hence one loop over
 * neighboring places of the arrays.
 *
 * @param costs Costs of the sides.
 * @param sums At j, the least sum of the costs of two sides of i…j so far.
 */
function cutFrom(
  line: Line,
  { cost, choice }: Costs,
  costs: Float64Array,
  { i, room, sums }: {
    readonly i: number;
    readonly room: number;
    readonly sums: Float64Array;
  },
): void {
  const { n, testCost } = line;
  const row = i * n;
  const before = line.sums[i] ?? absent();
  for (let k = i; k < n; k++) {
    if (k > i && (room === Infinity || leastDepth(k - i + 1) <= room)) {
      const weight = (line.sums[k + 1] ?? absent()) - before + testCost;
      const least = (sums[k] ?? absent()) + weight;
      if (least < (cost[row + k] ?? absent())) {
        cost[row + k] = least;
        choice[row + k] = THRESHOLD;
      }
    }
    const left = costs[row + k] ?? absent();
    const next = (k + 1) * n;
    for (let j = k + 1; j < n; j++) {
      const sum = left + (costs[next + j] ?? absent());
      if (sum < (sums[j] ?? absent())) sums[j] = sum;
    }
  }
}

/**
 * First run to the right of the first threshold that gives the range i…j its
 * cost.
 */
function cutOf(
  { n, sums, testCost }: Line,
  table: IntervalTable,
  i: number,
  j: number,
): number {
  const { cost } = table.below ?? table;
  const weight = (sums[j + 1] ?? absent()) - (sums[i] ?? absent()) + testCost;
  const least = table.cost[i * n + j];
  for (let k = i; k < j; k++) {
    const sum = (cost[i * n + k] ?? absent()) +
      (cost[(k + 1) * n + j] ?? absent());
    if (sum + weight === least) return k + 1;
  }
  throw new Error(`Unreachable: no threshold for the runs ${i} to ${j}`);
}

/** Tries the peeled leaves of all ranges that begin with run i. */
function peelFrom(
  line: Line,
  { cost, choice }: Costs,
  i: number,
  room: number,
): void {
  const { n, sums, testCost, classes, peelable, heights, first, ranks } = line;
  const tried = new Set<number>();
  for (let at = i; at < n; at++) {
    const kept = classes[at] ?? absent();
    if (!tried.has(kept)) {
      tried.add(kept);
      // Weights of the peeled values, heaviest first, as ranks.
      const peeled: number[] = [];
      let rest = 0;
      const most = room - (heights[at] ?? absent());
      for (let j = i; j < n; j++) {
        if (classes[j] === kept) {
          rest += (sums[j + 1] ?? absent()) - (sums[j] ?? absent());
        } else {
          if (peelable[j] === 0) break;
          for (
            let p = first[j] ?? absent();
            p < (first[j + 1] ?? absent());
            p++
          ) {
            insert(peeled, ranks[p] ?? absent());
          }
        }
        const m = peeled.length;
        if (m > most) break;
        const weight = (sums[j + 1] ?? absent()) - (sums[i] ?? absent());
        if (m > LONG_PEEL && (m / 2 - 1) * weight > 2 * testCost) break;
        if (j < at || m === 0) continue;
        let sum = m * (rest + testCost);
        for (let t = 0; t < m; t++) {
          sum += (t + 1) *
            (line.candidateWeight[peeled[t] ?? absent()] ?? absent());
        }
        if (sum < (cost[i * n + j] ?? absent())) {
          cost[i * n + j] = sum;
          choice[i * n + j] = -1 - kept;
        }
      }
    }
    if (peelable[at] === 0 || tried.size > LONG_PEEL) break;
  }
}

/** Inserts a rank into a rising list. */
function insert(list: number[], rank: number): void {
  let at = list.length;
  while (at > 0 && (list[at - 1] ?? absent()) > rank) at--;
  list.splice(at, 0, rank);
}

/** Builds the tree for the runs i…j from the table. */
export function intervalTree(
  line: Line,
  table: IntervalTable,
  i: number,
  j: number,
): TestTree {
  const { n, starts, classes, first, ranks } = line;
  const choice = table.choice[i * n + j] ?? absent();
  if (choice === THRESHOLD) {
    const cut = cutOf(line, table, i, j);
    const below = table.below ?? table;
    return ge(
      starts[cut] ?? absent(),
      intervalTree(line, below, cut, j),
      intervalTree(line, below, i, cut - 1),
    );
  }
  const kept = -1 - choice;
  const peeled: number[] = [];
  for (let run = i; run <= j; run++) {
    if (classes[run] === kept) continue;
    for (
      let p = first[run] ?? absent();
      p < (first[run + 1] ?? absent());
      p++
    ) {
      insert(peeled, ranks[p] ?? absent());
    }
  }
  let tree = leaf(kept);
  for (const rank of peeled.reverse()) {
    const cls = classes[line.candidateRun[rank] ?? absent()] ?? absent();
    tree = eq(line.candidateValue[rank] ?? absent(), leaf(cls), tree);
  }
  return tree;
}
