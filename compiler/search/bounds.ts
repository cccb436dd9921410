/**
 * Lower bounds on the cost of a view, which keep the exact search small.
 *
 * @module
 */

import { present } from "../present.ts";
import type { Line } from "./line.ts";
import type { View } from "./view.ts";

/**
 * Bounds the cost of the parts p…q of a view, by the first test.
 *
 * One part costs nothing. If one test cannot finish, at most one side of the
 * root is a leaf: the first part, the last part, or one candidate. All other
 * weight meets two tests or more. An `eq` test removes at most two parts, which
 * bounds the number of tests.
 *
 * (The number of tests is also bounded by `least_tests.ts`: holes are tests
 * that were already made, so it is at least the tests of the whole range minus
 * its holes.)
 *
 * Takes numbers instead of a record: it is called twice for each threshold that
 * is tried, and records made the exact search 20 % slower.
 *
 * @param heaviest Weight of the heaviest candidate in these parts.
 * @param testCost Cost of one test.
 */
export function firstTestBound(
  { sums, cls, sole }: View,
  p: number,
  q: number,
  heaviest: number,
  testCost: number,
): number {
  const m = q - p + 1;
  if (m === 1) return 0;
  const start = present(sums[p]);
  const end = present(sums[q + 1]);
  const weight = end - start;
  if (m === 2) return weight + testCost;
  if (m === 3 && sole[p + 1] === 1 && cls[p] === cls[q]) {
    return weight + testCost;
  }
  const first = present(sums[p + 1]) - start;
  const last = end - present(sums[q]);
  return 2 * weight - Math.max(first, last, heaviest) +
    Math.max(2, m >> 1) * testCost;
}

/**
 * Maximum number of parts that a tree of depth t >= 1 separates: 3 * 2^(t - 1).
 *
 * A threshold adds the parts of both sides; an `eq` removes one part and joins
 * its neighbors, so two more than below it. With one part at depth 0: 3, 6, 12,
 * …
 */
const FIRST_CAPACITY = 3;

/** Returns the minimum depth of a tree for m parts. */
export function leastDepth(m: number): number {
  if (m <= 1) return 0;
  let depth = 1;
  for (let most = FIRST_CAPACITY; most < m; most *= 2) depth++;
  return depth;
}

/**
 * Bounds the cost of a view, level by level: the cost is the sum over t of the
 * weight deeper than t.
 *
 * Let B(t) be the maximum number of parts that can end at depth t or less in a
 * tree that is not finished there. B(1) = 1; below a threshold one side can be
 * finished, so B(t) = A(t - 1) + B(t - 1) with the A above; below an `eq` it is
 * at most B(t - 1) + 2, which is no more. So B(t) = 1, 4, 10, 22, … and while
 * A(t) < m the weight deeper than t is at least all but the B(t) heaviest
 * parts.
 *
 * @param masses Scratch, at least as long as the view has parts.
 */
export function levelBound({ m, sums }: View, masses: Float64Array): number {
  let deeper = present(sums[m]);
  let bound = deeper;
  if (m <= FIRST_CAPACITY) return m === 1 ? 0 : bound;
  for (let p = 0; p < m; p++) {
    masses[p] = present(sums[p]) - present(sums[p + 1]);
  }
  // Negative, so that the heaviest come first.
  const sorted = masses.subarray(0, m).sort();
  let taken = 0;
  let some = 1;
  for (let all = FIRST_CAPACITY; all < m; all *= 2) {
    while (taken < some) deeper += present(sorted[taken++]);
    bound += deeper;
    some += all;
  }
  return bound;
}

/** The rest of the tree after an `eq` test. */
export interface Path {
  /** Weight of all remaining values. */
  readonly total: number;
  /** Weight of the tested value: no side that leaves the path weighs more. */
  readonly most: number;
  /** Maximum weight of the leaf at the end of the path. */
  readonly leaf: number;
  /** Minimum number of tests that follow. */
  readonly tests: number;
}

/**
 * Bounds the rest after an `eq` test: the remaining values follow one path to
 * the place of the tested value; every side that leaves it weighs no more than
 * that value; at the path's end is a leaf. (This is the exact search's lemma.)
 */
export function pathBound(
  { testCost, noise }: Line,
  { total, most, leaf, tests }: Path,
): number {
  // A rounding error must not create a side that leaves the path.
  const out = total - leaf - noise;
  if (out <= 0) return tests * testCost;
  const exit = most + noise;
  const whole = Math.floor(out / exit);
  const rest = out - whole * exit;
  // If nothing is left, the last complete exit and the leaf share a depth.
  const exits = rest > noise ? whole + 1 : whole;
  const early = rest > noise ? whole : whole - 1;
  const last = out - early * exit;
  return exit * early * (early + 1) / 2 + (last + leaf) * exits +
    Math.max(tests, exits) * testCost;
}
