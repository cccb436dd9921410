/**
 * A quick proof that the interval search is optimal.
 *
 * Its costs U(i, j) are optimal for all ranges if in none of them a tree that
 * begins with `x == h` beats U(i, j): by induction on the length, because trees
 * that begin with a threshold are then compared exactly. Such a tree costs W(i,
 * j) at its root and at least `pathBound` below it. That bound is least for the
 * heaviest h and the heaviest class as its leaf, so one check is enough.
 *
 * Most ranges do not need a separate check. Let E(i, j) be the `quickBound` of
 * such a tree if h may be as heavy as the heaviest candidate from run i on,
 * whether it is in the range or not. E grows with j, because W, the weight
 * outside the heaviest class, and the weight of that class grow. If E(i, j) >
 * U(i, n - 1), no longer range from i on begins with `x == h` either: its best
 * tree costs no more than that of i…n - 1. The same is true up to any run with
 * such a range.
 *
 * O(n^2) at worst. It succeeds for uniform weights (Docker's default: all 7,021
 * ranges on i386), for which the exact search takes twenty times as long as the
 * interval search.
 *
 * @module
 */

import { absent } from "../present.ts";
import { pathBound } from "./bounds.ts";
import type { IntervalTable } from "./interval.ts";
import type { Line } from "./line.ts";

/**
 * Reports whether the interval search's costs are optimal for all ranges.
 *
 * @param table Filled without a bound on depth.
 * @returns True if they are proven optimal, false if that is unknown.
 */
export function certify(line: Line, table: IntervalTable): boolean {
  const { n, sums, classes, candidateWeight, testCost } = line;
  const { cost } = table;
  const slack = line.tie / 4;
  const costs = testCost - slack;
  const none = candidateWeight.length;
  const heaviests = heaviestCandidates(line);
  const weights = new Float64Array(Math.max(...classes) + 1);
  /** Rank of the heaviest candidate from run i on. */
  let behind = none;
  for (let i = n - 1; i >= 0; i--) {
    behind = Math.min(behind, heaviests[i] ?? absent());
    if (behind === none) continue;
    const highest = candidateWeight[behind] ?? absent();
    const row = i * n;
    const start = sums[i] ?? absent();
    const longest = cost[row + n - 1] ?? absent();
    weights.fill(0);
    let most = 0;
    let heaviest = none;
    /** Weight before run j, as in `sums`. */
    let before = start;
    /** Ranges up to there are proven. */
    let proved = i;
    for (let j = i; j < n; j++) {
      const cls = classes[j] ?? absent();
      const end = sums[j + 1] ?? absent();
      const weight = (weights[cls] ?? absent()) + (end - before);
      before = end;
      weights[cls] = weight;
      if (weight > most) most = weight;
      const rank = heaviests[j] ?? absent();
      if (rank < heaviest) heaviest = rank;
      if (j <= proved) continue;
      const total = end - start;
      const wide = quickBound(total, highest, most) + costs;
      if (wide > longest) break;
      // Costs mostly rise with the length: look ahead by doubling.
      for (let to = j + 1; to < n; to += to - j) {
        if (!(wide > (cost[row + to] ?? absent()))) break;
        proved = to;
      }
      const known = cost[row + j] ?? absent();
      if (wide >= known || heaviest === none) continue;
      const top = candidateWeight[heaviest] ?? absent();
      const rest = total - top;
      const leaf = Math.min(most, rest);
      const bound = pathBound(line, { total: rest, most: top, leaf, tests: 0 });
      if (total + testCost + bound < known - slack) return false;
    }
  }
  return true;
}

/**
 * A lower bound on the cost, without its first test, of a tree that begins with
 * the test of a value of weight `top`: `pathBound` with the weight that leaves
 * the path spread evenly, which needs no rounding. A leaf of weight L comes
 * after at least (rest - L) / top sides, so (rest^2 - L^2) / (2 top); less for
 * a larger L.
 */
function quickBound(total: number, top: number, most: number): number {
  const rest = total - top;
  return most < rest
    ? total + (rest - most) * (rest + most) / (2 * top)
    : total;
}

/** The rank of the heaviest candidate of each run; the number of ranks if it has none. */
function heaviestCandidates(
  { n, first, ranks, candidateWeight }: Line,
): Int32Array {
  const heaviests = new Int32Array(n).fill(candidateWeight.length);
  for (let run = 0; run < n; run++) {
    const begin = first[run] ?? absent();
    if (begin < (first[run + 1] ?? absent())) {
      heaviests[run] = ranks[begin] ?? absent();
    }
  }
  return heaviests;
}
