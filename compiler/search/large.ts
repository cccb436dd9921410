/**
 * Lines too long for the O(n^3) interval search: an optimal tree of thresholds
 * on top, other searches in its lower parts.
 *
 * Each subtree with at most `PIECE` runs is left to a search that also knows
 * `eq` tests and therefore costs no more. Hence the guarantee: never more
 * expensive than the best tree of thresholds, so never more than the entropy of
 * the run weights + 2 tests on average (Gilbert and Moore, 1959), and no more
 * tests than runs - 1.
 *
 * Under a depth bound the weights are mixed with a growing share of a uniform
 * background until the tree is flat enough; uniform weights give the minimum
 * depth for thresholds.
 *
 * @module
 */

import { present } from "../present.ts";
import { alphabeticDepths } from "./alphabetic.ts";
import type { Line } from "./line.ts";

/** Maximum length of a part that is left to other searches. */
export const PIECE = 96;

/**
 * A part of a tree of thresholds: runs from…to, or the place of their first
 * cut.
 */
export type Cut =
  | {
    readonly kind: "piece";
    readonly from: number;
    readonly to: number;
    /** Tests above the piece. */
    readonly depth: number;
  }
  | {
    readonly kind: "cut";
    /** First run to the right of the threshold. */
    readonly at: number;
    readonly left: Cut;
    readonly right: Cut;
  };

/**
 * Cuts a long line into pieces of at most `PIECE` runs by an optimal tree of
 * thresholds.
 *
 * @param maxDepth Maximum number of tests on a path of the tree of thresholds,
 * at least log2 of the number of runs.
 */
export function cutLine(line: Line, maxDepth: number): Cut {
  const { n, sums } = line;
  const total = present(sums[n]);
  let depths: Int32Array = new Int32Array(n);
  for (let share = 0; share <= 1;) {
    const weights = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const own = present(sums[i + 1]) - present(sums[i]);
      weights[i] = own * (1 - share) + total * share / n;
    }
    depths = alphabeticDepths(weights);
    if (depths.every((depth) => depth <= maxDepth)) break;
    share = share === 0 ? 1 / 256 : share * 2;
  }
  let next = 0;
  const build = (depth: number): Cut => {
    const from = next;
    if (depths[next] === depth) {
      next++;
      return { kind: "piece", from, to: from, depth };
    }
    const left = build(depth + 1);
    const at = next;
    const right = build(depth + 1);
    return next - from <= PIECE
      ? { kind: "piece", from, to: next - 1, depth }
      : { kind: "cut", at, left, right };
  };
  return build(0);
}
