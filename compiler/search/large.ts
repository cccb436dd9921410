/**
 * Lines too long for the O(n^3) interval search: an optimal threshold tree on
 * top, the interval search in its lower parts.
 *
 * The tree of thresholds alone is an optimal alphabetic tree, found in O(n^2)
 * steps at worst by the algorithm of Garsia and Wachs (1977; Knuth, TAOCP 3,
 * 6.2.2, algorithm G). Each of its subtrees with at most `PIECE` runs is
 * replaced by the interval search's tree for the same runs, which costs no
 * more. Hence the guarantee: never dearer than the best tree of thresholds, so
 * never more than the entropy of the run weights + 2 tests in the mean, and no
 * more tests than runs - 1.
 *
 * Under a depth bound the weights are mixed with more and more of a uniform
 * background until the tree is flat enough; the uniform one has the least depth
 * there is for thresholds.
 *
 * @module
 */

import { type Line, slice } from "./line.ts";

/** Longest part that the interval search gets. */
export const PIECE = 160;

/**
 * Depth of each leaf in an optimal alphabetic tree.
 *
 * @param weights Positive weights from left to right.
 * @returns Depths in the same order.
 */
export function alphabeticDepths(weights: Float64Array): Int32Array {
  interface Node {
    readonly weight: number;
    readonly leaf: number;
    readonly kids: readonly Node[];
  }
  // Working list; a sentinel of infinite weight at either end.
  const list: Node[] = [];
  const combine = (at: number): void => {
    // Joins list[at - 1] and list[at], then moves the pair left past lighter ones.
    const left = list[at - 1];
    const right = list[at];
    if (left === undefined || right === undefined) return;
    const weight = left.weight + right.weight;
    list.splice(at - 1, 2);
    let to = at - 1;
    while (to > 0 && (list[to - 1]?.weight ?? Infinity) < weight) to--;
    list.splice(to, 0, { weight, leaf: -1, kids: [left, right] });
    // The pair is now the right one of a triple that may be in order to join.
    while (to > 1 && (list[to - 2]?.weight ?? 0) <= weight) {
      const gap = list.length - to;
      combine(to - 1);
      to = list.length - gap;
    }
  };
  for (const [leaf, weight] of weights.entries()) {
    list.push({ weight, leaf, kids: [] });
    let last = list.length - 1;
    while (
      last > 1 && (list[last - 2]?.weight ?? 0) <= (list[last]?.weight ?? 0)
    ) {
      combine(last - 1);
      last = list.length - 1;
    }
  }
  while (list.length > 1) combine(list.length - 1);
  const depths = new Int32Array(weights.length);
  const stack: { node: Node | undefined; depth: number }[] = [
    { node: list[0], depth: 0 },
  ];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, depth } = top;
    if (node === undefined) continue;
    if (node.leaf >= 0) depths[node.leaf] = depth;
    for (const kid of node.kids) stack.push({ node: kid, depth: depth + 1 });
  }
  return depths;
}

/** A part of a tree of thresholds: runs from…to, and where they are cut first. */
export type Cut =
  | { readonly kind: "piece"; readonly from: number; readonly to: number }
  | {
    readonly kind: "cut";
    /** First run right of the threshold. */
    readonly at: number;
    readonly left: Cut;
    readonly right: Cut;
  };

/**
 * Cuts a long line into pieces of at most `PIECE` runs by an optimal tree of
 * thresholds.
 *
 * @param maxDepth Most tests on a path of the tree of thresholds, at least log2 of the number of runs.
 */
export function cutLine(line: Line, maxDepth: number): Cut {
  const { n, sums } = line;
  const total = sums[n] ?? 0;
  let depths: Int32Array = new Int32Array(n);
  for (let share = 0; share <= 1;) {
    const weights = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const own = (sums[i + 1] ?? 0) - (sums[i] ?? 0);
      weights[i] = own * (1 - share) + total * share / n;
    }
    depths = alphabeticDepths(weights);
    if (depths.every((depth) => depth <= maxDepth)) break;
    share = share === 0 ? 1 / 256 : share * 2;
  }
  let next = 0;
  const build = (depth: number): Cut => {
    if (depths[next] === depth) {
      next++;
      return { kind: "piece", from: next - 1, to: next - 1 };
    }
    const left = build(depth + 1);
    const at = next;
    const right = build(depth + 1);
    const from = firstOf(left);
    return next - from <= PIECE
      ? { kind: "piece", from, to: next - 1 }
      : { kind: "cut", at, left, right };
  };
  return build(0);
}

/** First run of a part. */
function firstOf(cut: Cut): number {
  return cut.kind === "piece" ? cut.from : firstOf(cut.left);
}

/** The line of a piece. */
export function pieceOf(line: Line, from: number, to: number): Line {
  return slice(line, from, to);
}
