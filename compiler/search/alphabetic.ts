/**
 * Optimal alphabetic trees: the best trees that use only thresholds.
 *
 * @module
 */

import { present } from "../present.ts";

/** A node of the working list. */
interface Node {
  readonly weight: number;
  /** Index of the weight, or -1 for a pair. */
  readonly leaf: number;
  readonly kids: readonly Node[];
}

/**
 * Finds the depth of each leaf in an optimal alphabetic tree by the algorithm
 * of Garsia and Wachs (1977; Knuth, TAOCP 3, 6.2.2, algorithm G) on an array:
 * O(n log n) work to find the joins, and at most O(n^2) moves, which is 16
 * million for 4,000 weights.
 *
 * @param weights Positive weights from left to right.
 * @returns Depths in the same order.
 */
export function alphabeticDepths(weights: Float64Array): Int32Array {
  const list: Node[] = [];
  for (const [leaf, weight] of weights.entries()) {
    list.push({ weight, leaf, kids: [] });
    for (
      let last = list.length - 1;
      inOrder(list, last);
      last = list.length - 1
    ) {
      join(list, last - 1);
    }
  }
  while (list.length > 1) join(list, list.length - 1);
  const depths = new Int32Array(weights.length);
  const stack = [{ node: present(list[0]), depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, depth } = top;
    if (node.leaf >= 0) depths[node.leaf] = depth;
    for (const kid of node.kids) stack.push({ node: kid, depth: depth + 1 });
  }
  return depths;
}

/**
 * Reports whether the two nodes before `at` can be joined: the first is no
 * heavier than the third.
 */
function inOrder(list: readonly Node[], at: number): boolean {
  const before = list[at - 2];
  const node = list[at];
  return before !== undefined && node !== undefined &&
    before.weight <= node.weight;
}

/** Joins the nodes at - 1 and at, and moves the pair left past lighter nodes. */
function join(list: Node[], at: number): void {
  const left = present(list[at - 1]);
  const right = present(list[at]);
  const weight = left.weight + right.weight;
  list.splice(at - 1, 2);
  let to = at - 1;
  while (to > 0 && present(list[to - 1]).weight < weight) to--;
  list.splice(to, 0, { weight, leaf: -1, kids: [left, right] });
  while (inOrder(list, to)) {
    const behind = list.length - to;
    join(list, to - 1);
    to = list.length - behind;
  }
}
