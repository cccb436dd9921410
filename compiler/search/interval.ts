/**
 * The interval search: thresholds, and *peeled leaves*. Exact where no `eq`
 * test pays besides those directly above a leaf, which is so for uniform
 * weights; a good start for `exact.ts` otherwise.
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
 * The table keeps costs only: which threshold gives a cost is looked up for the
 * ranges that are in the tree.
 *
 * Under a bound on depth there is a table for each number of tests that may
 * follow, made of the table for one less; ranges too long to be told apart in
 * so few tests are left out.
 *
 * @module
 */

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

/** Costs and choices, and what they were made of. */
export interface IntervalTable extends Costs {
  /** The table for what follows a threshold. */
  readonly below: IntervalTable;
}

/** A choice: one of the thresholds that give the cost. */
const THRESHOLD = 0;
/** Peeled leaves of more tests than this must save tests to be tried. */
const LONG_PEEL = 8;

/**
 * Fills the table without a bound on depth.
 *
 * @param line At most some hundred runs: memory is 20 n^2 bytes, time n^3 / 6 steps.
 */
export function solveIntervals(line: Line): IntervalTable {
  return fillTable(line, undefined, Infinity);
}

/**
 * Fills the tables for 0…room tests.
 *
 * @returns The last one; infinite costs where so few tests do not do.
 */
export function solveBoundedIntervals(line: Line, room: number): IntervalTable {
  let table = fillTable(line, undefined, 0);
  for (let tests = 1; tests <= room; tests++) {
    table = fillTable(line, table, tests);
  }
  return table;
}

/** Fills a table out of the one below; where that is absent, out of itself. */
function fillTable(
  line: Line,
  lower: IntervalTable | undefined,
  room: number,
): IntervalTable {
  const { n, classes, heights } = line;
  const cost = new Float64Array(n * n).fill(Infinity);
  const choice = new Int32Array(n * n);
  for (let i = 0; i < n; i++) {
    peelFrom(line, i, room, cost, choice);
    if ((heights[i] ?? 0) <= room) cost[i * n + i] = 0;
    choice[i * n + i] = -1 - (classes[i] ?? 0);
  }
  const table = { cost, choice };
  if (lower !== undefined) {
    cut(line, table, lower, room);
    return { ...table, below: lower };
  }
  cut(line, table, table, room);
  return selfBelow(table);
}

/** Offers thresholds for all ranges; `lower` has the costs of what follows them. */
function cut(
  { n, sums, testCost }: Line,
  table: Costs,
  lower: Costs,
  room: number,
): void {
  const { cost, choice } = table;
  const rows = lower.cost;
  // The same at j * n + i, so that the inner loop reads in sequence.
  const columns = new Float64Array(n * n);
  for (let i = n - 1; i >= 0; i--) {
    const row = i * n;
    columns[row + i] = rows[row + i] as number;
    for (let j = i + 1; j < n; j++) {
      const column = j * n;
      if (room === Infinity || leastDepth(j - i + 1) <= room) {
        let best = Infinity;
        // Reads are within the tables: i <= k < j < n.
        for (let k = i; k < j; k++) {
          const sum = (rows[row + k] as number) +
            (columns[column + k + 1] as number);
          if (sum < best) best = sum;
        }
        best += (sums[j + 1] as number) - (sums[i] as number) + testCost;
        if (best < (cost[row + j] as number)) {
          cost[row + j] = best;
          choice[row + j] = THRESHOLD;
        }
      }
      columns[column + i] = rows[row + j] as number;
    }
  }
}

/** First run right of the first threshold that gives the range i…j its cost. */
function cutOf(
  { n, sums, testCost }: Line,
  table: IntervalTable,
  i: number,
  j: number,
): number {
  const { cost } = table.below;
  const weight = (sums[j + 1] ?? 0) - (sums[i] ?? 0) + testCost;
  const least = table.cost[i * n + j];
  for (let k = i; k < j; k++) {
    const sum = (cost[i * n + k] ?? 0) + (cost[(k + 1) * n + j] ?? 0);
    if (sum + weight === least) return k + 1;
  }
  throw new Error(`Unreachable: no threshold for the runs ${i} to ${j}`);
}

/** Makes a table that is its own lower table. */
function selfBelow(table: Costs): IntervalTable {
  const made: Costs & { below?: IntervalTable } = { ...table };
  return Object.assign(made, { below: made as IntervalTable });
}

/** Offers the peeled leaves of all ranges that begin with run i. */
function peelFrom(
  line: Line,
  i: number,
  room: number,
  cost: Float64Array,
  choice: Int32Array,
): void {
  const { n, sums, testCost, classes, peelable, heights, first, ranks } = line;
  const tried = new Set<number>();
  for (let at = i; at < n; at++) {
    const kept = classes[at] ?? 0;
    if (!tried.has(kept)) {
      tried.add(kept);
      // Weights of what is peeled, heaviest first, as ranks.
      const peeled: number[] = [];
      let rest = 0;
      const most = room - (heights[at] ?? 0);
      for (let j = i; j < n; j++) {
        if (classes[j] === kept) {
          rest += (sums[j + 1] ?? 0) - (sums[j] ?? 0);
        } else {
          if (peelable[j] === 0) break;
          for (let p = first[j] ?? 0; p < (first[j + 1] ?? 0); p++) {
            insert(peeled, ranks[p] ?? 0);
          }
        }
        const m = peeled.length;
        if (m > most) break;
        const weight = (sums[j + 1] ?? 0) - (sums[i] ?? 0);
        if (m > LONG_PEEL && (m / 2 - 1) * weight > 2 * testCost) break;
        if (j < at || m === 0) continue;
        let sum = m * (rest + testCost);
        for (let t = 0; t < m; t++) {
          sum += (t + 1) * (line.candidateWeight[peeled[t] ?? 0] ?? 0);
        }
        if (sum < (cost[i * n + j] ?? 0)) {
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
  while (at > 0 && (list[at - 1] ?? 0) > rank) at--;
  list.splice(at, 0, rank);
}

/** Builds the tree for the runs i…j out of the table. */
export function intervalTree(
  line: Line,
  table: IntervalTable,
  i: number,
  j: number,
): TestTree {
  const { n, starts, classes, first, ranks } = line;
  const choice = table.choice[i * n + j] ?? 0;
  if (choice === THRESHOLD) {
    const cut = cutOf(line, table, i, j);
    return ge(
      starts[cut] ?? 0,
      intervalTree(line, table.below, cut, j),
      intervalTree(line, table.below, i, cut - 1),
    );
  }
  const kept = -1 - choice;
  const peeled: number[] = [];
  for (let run = i; run <= j; run++) {
    if (classes[run] === kept) continue;
    for (let p = first[run] ?? 0; p < (first[run + 1] ?? 0); p++) {
      insert(peeled, ranks[p] ?? 0);
    }
  }
  let tree = leaf(kept);
  for (const rank of peeled.reverse()) {
    const cls = classes[line.candidateRun[rank] ?? 0] ?? 0;
    tree = eq(line.candidateValue[rank] ?? 0, leaf(cls), tree);
  }
  return tree;
}
