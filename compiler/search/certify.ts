/**
 * A quick proof for the interval search.
 *
 * Its costs U(i, j) are optimal for all ranges if in none of them a tree that
 * begins with `x == h` beats U(i, j): by induction on the length, for what
 * begins with a threshold is then compared exactly. Such a tree costs W(i, j)
 * at its root and at least `pathBound` below it. That bound is least for the
 * heaviest h and the heaviest class as its leaf, so one check will do.
 *
 * Most ranges need no check of their own. Let E(i, j) be the `quickBound` of such
 * a tree if h may be as heavy as the heaviest candidate from run i on, whether
 * it is in the range or not. E grows with j: so do W, the weight outside the
 * heaviest class, and the weight of that class. Where E(i, j) > U(i, n - 1), no
 * longer range from i on begins with `x == h` either: its best tree costs no
 * more than that of i…n - 1. The same holds up to any run with such a range.
 *
 * O(n^2) at worst. It succeeds for uniform weights (Docker's default: all 7,021
 * ranges on i386), where the exact search takes twenty times as long as the
 * interval search.
 *
 * @module
 */

import { pathBound } from "./bounds.ts";
import type { IntervalTable } from "./interval.ts";
import type { Line } from "./line.ts";

/**
 * Tells whether the interval search's costs are optimal for all ranges.
 *
 * @param table Filled without a bound on depth.
 * @returns True for proven, false for unknown.
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
  // All reads are within bounds: i <= j < n, ranks below `none`.
  for (let i = n - 1; i >= 0; i--) {
    behind = Math.min(behind, heaviests[i] as number);
    if (behind === none) continue;
    const highest = candidateWeight[behind] as number;
    const row = i * n;
    const start = sums[i] as number;
    const longest = cost[row + n - 1] as number;
    weights.fill(0);
    let most = 0;
    let heaviest = none;
    /** Ranges up to there are proved. */
    let proved = i;
    for (let j = i; j < n; j++) {
      const cls = classes[j] as number;
      const own = (sums[j + 1] as number) - (sums[j] as number);
      const weight = (weights[cls] as number) + own;
      weights[cls] = weight;
      if (weight > most) most = weight;
      const rank = heaviests[j] as number;
      if (rank < heaviest) heaviest = rank;
      if (j <= proved) continue;
      const total = (sums[j + 1] as number) - start;
      const wide = quickBound(total, highest, most) + costs;
      if (wide > longest) break;
      // Costs rise with the length, mostly: look ahead by doubling.
      for (let to = j + 1; to < n; to += to - j) {
        if (!(wide > (cost[row + to] as number))) break;
        proved = to;
      }
      const known = cost[row + j] as number;
      if (wide >= known || heaviest === none) continue;
      const top = candidateWeight[heaviest] as number;
      const rest = total - top;
      const leaf = Math.min(most, rest);
      const bound = pathBound(rest, top, leaf, 0, testCost, line.noise);
      if (total + testCost + bound < known - slack) return false;
    }
  }
  return true;
}

/**
 * What a tree costs at least, without its first test, that begins with the test
 * of a value that weighs `top`: `pathBound` with the weight that leaves the path
 * spread evenly, which needs no rounding. A leaf of weight L is behind
 * (rest - L) / top sides at least, so (rest^2 - L^2) / (2 top); less for a
 * larger L.
 */
function quickBound(total: number, top: number, most: number): number {
  const rest = total - top;
  return most < rest
    ? total + (rest - most) * (rest + most) / (2 * top)
    : total;
}

/** The rank of the heaviest candidate of each run; the number of ranks where it has none. */
function heaviestCandidates(
  { n, first, ranks, candidateWeight }: Line,
): Int32Array {
  const heaviests = new Int32Array(n).fill(candidateWeight.length);
  for (let run = 0; run < n; run++) {
    const begin = first[run] as number;
    if (begin < (first[run + 1] as number)) {
      heaviests[run] = ranks[begin] as number;
    }
  }
  return heaviests;
}
