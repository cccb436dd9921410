/**
 * Lower bounds on what a view costs: what keeps the exact search small.
 *
 * @module
 */

import type { View } from "./view.ts";

/**
 * The bound of the first test, for the parts p…q of a view.
 *
 * One part costs nothing. Where one test cannot finish, at most one side of the
 * root is a leaf: the first part, the last part, or one candidate. All other
 * weight meets two tests or more. An `eq` test takes two parts away at most,
 * which bounds the number of tests.
 *
 * (The number of tests also bounds from `least_tests.ts`: holes are tests that
 * were made already, so at least the tests of the whole range less its holes.)
 *
 * @param heaviest Weight of the heaviest candidate in these parts.
 * @param testCost Cost of one test.
 */
export function firstTestBound(
  view: View,
  p: number,
  q: number,
  heaviest: number,
  testCost: number,
): number {
  const m = q - p + 1;
  if (m === 1) return 0;
  const { sums, cls, sole } = view;
  // p <= q < view.m, and sums has view.m + 1 entries.
  const start = sums[p] as number;
  const end = sums[q + 1] as number;
  const weight = end - start;
  if (m === 2) return weight + testCost;
  if (m === 3 && sole[p + 1] === 1 && cls[p] === cls[q]) {
    return weight + testCost;
  }
  const first = (sums[p + 1] as number) - start;
  const last = end - (sums[q] as number);
  return 2 * weight - Math.max(first, last, heaviest) +
    Math.max(2, m >> 1) * testCost;
}

/**
 * Most parts that a tree of depth t >= 1 tells apart: 3 * 2^(t - 1).
 *
 * A threshold adds the parts of both sides; an `eq` takes one part away and
 * joins its neighbors, so two more than below it. With one part at depth 0:
 * 3, 6, 12, …
 */
const FIRST_CAPACITY = 3;

/** Least depth of a tree for m parts, by their number. */
export function leastDepth(m: number): number {
  if (m <= 1) return 0;
  let depth = 1;
  for (let most = FIRST_CAPACITY; most < m; most *= 2) depth++;
  return depth;
}

/**
 * The bound by depths: cost = the sum over t of the weight deeper than t.
 *
 * Let B(t) be the most parts that can end at depth t or less in a tree that is
 * not finished there. B(1) = 1; below a threshold one side can be finished, so
 * B(t) = A(t - 1) + B(t - 1) with the A above; below an `eq` it is B(t - 1) + 2
 * at most, which is no more. So B(t) = 1, 4, 10, 22, … and while A(t) < m the
 * weight deeper than t is at least all but the B(t) heaviest parts.
 *
 * @param masses Scratch, at least as long as the view has parts.
 */
export function depthBound(view: View, masses: Float64Array): number {
  const { m, sums } = view;
  let deeper = sums[m] as number;
  let bound = deeper;
  if (m <= FIRST_CAPACITY) return m === 1 ? 0 : bound;
  for (let p = 0; p < m; p++) {
    masses[p] = (sums[p] as number) - (sums[p + 1] as number);
  }
  // Negative, so that the heaviest come first.
  const sorted = masses.subarray(0, m).sort();
  let taken = 0;
  let some = 1;
  for (let all = FIRST_CAPACITY; all < m; all *= 2) {
    while (taken < some) deeper += sorted[taken++] as number;
    bound += deeper;
    some += all;
  }
  return bound;
}

/**
 * The bound below an `eq` test: what is left, `total`, goes down one path to
 * the place of the tested value; every side that leaves it weighs `most` (the
 * tested value's weight) at most; at its end is a leaf of at most `leaf`.
 * (The exact search's lemma.)
 *
 * @param tests Least number of tests that follow.
 * @param noise What rounding can do to a weight: it must not make an exit.
 */
export function pathBound(
  total: number,
  most: number,
  leaf: number,
  tests: number,
  testCost: number,
  noise: number,
): number {
  const out = total - leaf - noise;
  if (out <= 0) return tests * testCost;
  const exit = most + noise;
  const whole = Math.floor(out / exit);
  const rest = out - whole * exit;
  // Where nothing is left, the last whole exit and the leaf share a depth.
  const exits = rest > noise ? whole + 1 : whole;
  const early = rest > noise ? whole : whole - 1;
  const last = out - early * exit;
  return exit * early * (early + 1) / 2 + (last + leaf) * exits +
    Math.max(tests, exits) * testCost;
}
