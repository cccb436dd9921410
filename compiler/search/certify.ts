/**
 * A quick proof for the interval search.
 *
 * Its costs U(i, j) are optimal for all ranges if in none of them a tree that
 * begins with `x == h` beats U(i, j): by induction on the length, for what
 * begins with a threshold is then compared exactly. Such a tree costs W(i, j)
 * at its root and at least `pathBound` below it, for the two h that the lemma
 * in `exact.ts` leaves. That is O(1) a range, O(n^2) in all, and it succeeds
 * for uniform weights (Docker's default: all 7,021 ranges on i386) where the
 * exact search would take twenty times as long as the interval search.
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
    // Heaviest candidate, its class, heaviest of another class.
    let one = none;
    let kept = -1;
    let two = none;
    for (let j = i; j < n; j++) {
      const cls = classes[j] as number;
      const own = (sums[j + 1] as number) - (sums[j] as number);
      const weight = (weights[cls] as number) + own;
      weights[cls] = weight;
      if (weight > most) most = weight;
      const begin = first[j] as number;
      if (begin < (first[j + 1] as number)) {
        const rank = ranks[begin] as number;
        if (rank < one) {
          if (cls !== kept) two = one;
          one = rank;
          kept = cls;
        } else if (rank < two && cls !== kept) two = rank;
      }
      if (j === i || one === none) continue;
      const total = (sums[j + 1] as number) - (sums[i] as number);
      const room = (table.cost[i * n + j] as number) - total - testCost -
        line.tie / 4;
      const w1 = candidateWeight[one] as number;
      const rest = total - w1;
      const leaf = Math.min(most, rest);
      if (pathBound(rest, w1, leaf, 0, testCost, line.noise) < room) {
        return false;
      }
      if (two === none) continue;
      const w2 = candidateWeight[two] as number;
      const others = weights[kept] as number;
      if (pathBound(total - w2, w2, others, 0, testCost, line.noise) < room) {
        return false;
      }
    }
  }
  return true;
}
