/**
 * A quick proof for the interval search.
 *
 * Its costs U(i, j) are optimal for all ranges if in none of them a tree that
 * begins with `x == h` beats U(i, j): by induction on the length, for what
 * begins with a threshold is then compared exactly. Such a tree costs W(i, j)
 * at its root and at least `pathBound` below it. That bound is least for the
 * heaviest h and the heaviest class as its leaf, so one check will do.
 *
 * Most ranges need no check of their own. Let E(i, j) be what such a tree costs
 * at least if h may be as heavy as the heaviest candidate from run i on, whether
 * it is in the range or not. E grows with j: so do W, the weight outside the
 * heaviest class, and the weight of that class. Where E(i, j) > U(i, n - 1), no
 * longer range from i on begins with `x == h` either: its best tree costs no
 * more than that of i…n - 1.
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
  const { n, sums, classes, first, ranks, candidateWeight, testCost } = line;
  const none = candidateWeight.length;
  const weights = new Float64Array(Math.max(...classes) + 1);
  /** Rank of the heaviest candidate from run i on. */
  let behind = none;
  // All reads are within bounds: i <= j < n, ranks below `none`.
  for (let i = n - 1; i >= 0; i--) {
    behind = Math.min(behind, heaviestOf(i));
    if (behind === none) continue;
    const highest = candidateWeight[behind] as number;
    const longest = table.cost[i * n + n - 1] as number;
    weights.fill(0);
    let most = 0;
    let heaviest = none;
    for (let j = i; j < n; j++) {
      const cls = classes[j] as number;
      const own = (sums[j + 1] as number) - (sums[j] as number);
      const weight = (weights[cls] as number) + own;
      weights[cls] = weight;
      if (weight > most) most = weight;
      heaviest = Math.min(heaviest, heaviestOf(j));
      if (j === i) continue;
      const total = (sums[j + 1] as number) - (sums[i] as number);
      const root = total + testCost;
      const wide = below(total, highest, most);
      if (root + wide > longest + line.tie / 4) break;
      if (heaviest === none) continue;
      const bound = heaviest === behind
        ? wide
        : below(total, candidateWeight[heaviest] as number, most);
      const cost = table.cost[i * n + j] as number;
      if (bound < cost - root - line.tie / 4) return false;
    }
  }
  return true;

  /** What is at least to be paid below the test of a value that weighs `top`. */
  function below(total: number, top: number, most: number): number {
    const rest = total - top;
    const leaf = Math.min(most, rest);
    return pathBound(rest, top, leaf, 0, testCost, line.noise);
  }

  /** Rank of the heaviest candidate of a run. */
  function heaviestOf(run: number): number {
    const begin = first[run] as number;
    return begin < (first[run + 1] as number) ? ranks[begin] as number : none;
  }
}
