/**
 * Builds and measures test trees.
 *
 * @module
 */

import { absent } from "../present.ts";
import type { Line } from "./line.ts";
import type { SearchProblem, TestTree } from "./problem.ts";

/** The cost of a tree. */
export interface TreeMeasure {
  /** Sum over cells of weight times number of tests. */
  readonly cost: number;
  /** Number of tests. */
  readonly tests: number;
  /** Maximum number of tests on a path. */
  readonly depth: number;
  /** Number of tests on the path of each cell. */
  readonly depths: Int32Array;
}

/** A leaf. */
export function leaf(cls: number): TestTree {
  return { kind: "leaf", cls };
}

/** `value >= k ? yes : no`. */
export function ge(k: number, yes: TestTree, no: TestTree): TestTree {
  return { kind: "test", op: "ge", k, yes, no };
}

/** `value === k ? yes : no`. */
export function eq(k: number, yes: TestTree, no: TestTree): TestTree {
  return { kind: "test", op: "eq", k, yes, no };
}

/** Replaces every leaf by `replace(cls)`. */
export function replaceLeaves(
  tree: TestTree,
  replace: (cls: number) => TestTree,
): TestTree {
  if (tree.kind === "leaf") return replace(tree.cls);
  const yes = replaceLeaves(tree.yes, replace);
  return { ...tree, yes, no: replaceLeaves(tree.no, replace) };
}

/**
 * Measures a tree by traversing it with the cells that can reach each node, and
 * checks that every cell ends in its class.
 *
 * @throws {Error} if a cell ends in another class: a bug in the search.
 */
export function measureTree(
  problem: SearchProblem,
  tree: TestTree,
): TreeMeasure {
  const { starts, classes, weights } = problem;
  const cellAt = new Map<number, number>();
  for (let i = 0; i < starts.length; i++) cellAt.set(starts[i] ?? absent(), i);
  let cost = 0;
  let tests = 0;
  let depth = 0;
  const depths = new Int32Array(starts.length);
  const gone = new Uint8Array(starts.length);
  const settle = (i: number, cls: number, at: number): void => {
    if (classes[i] !== cls) {
      throw new Error(
        `Unreachable: cell ${i} of class ${classes[i]} ends in ${cls}`,
      );
    }
    cost += at * (weights[i] ?? absent());
    depths[i] = at;
  };
  const walk = (node: TestTree, from: number, to: number, at: number): void => {
    if (node.kind === "leaf") {
      depth = Math.max(depth, at);
      for (let i = from; i < to; i++) {
        if (gone[i] === 0) settle(i, node.cls, at);
      }
      return;
    }
    tests++;
    const cell = cellAt.get(node.k);
    if (cell === undefined || cell < from || cell >= to) {
      throw new Error(`Unreachable: test of ${node.k} that is no cell here`);
    }
    if (node.op === "ge") {
      walk(node.no, from, cell, at + 1);
      walk(node.yes, cell, to, at + 1);
      return;
    }
    if (node.yes.kind !== "leaf") throw new Error("Unreachable: eq to a test");
    depth = Math.max(depth, at + 1);
    settle(cell, node.yes.cls, at + 1);
    gone[cell] = 1;
    walk(node.no, from, to, at + 1);
    gone[cell] = 0;
  };
  walk(tree, 0, starts.length, 0);
  return { cost, tests, depth, depths };
}

/**
 * The cost of a tree on a line, including tie-breaks, and its depth including
 * the trees that will hang from its leaves.
 */
export function priceOf(
  line: Line,
  tree: TestTree,
): { readonly cost: number; readonly depth: number } {
  const { n, starts, sums, heights, testCost } = line;
  const runAt = new Map(Array.from(starts, (start, run) => [start, run]));
  const rankOf = new Map(
    Array.from(line.candidateValue, (value, rank) => [value, rank]),
  );
  const gone = new Float64Array(n);
  let cost = 0;
  const walk = (node: TestTree, from: number, to: number): number => {
    if (node.kind === "leaf") {
      let height = 0;
      for (let run = from; run < to; run++) {
        if (line.classes[run] === node.cls) {
          height = Math.max(height, heights[run] ?? absent());
        }
      }
      return height;
    }
    let weight = (sums[to] ?? absent()) - (sums[from] ?? absent());
    for (let run = from; run < to; run++) weight -= gone[run] ?? absent();
    cost += weight + testCost;
    if (node.op === "ge") {
      const run = runAt.get(node.k) ?? absent();
      return 1 + Math.max(walk(node.no, from, run), walk(node.yes, run, to));
    }
    const rank = rankOf.get(node.k) ?? absent();
    const run = line.candidateRun[rank] ?? absent();
    const own = line.candidateWeight[rank] ?? absent();
    gone[run] = (gone[run] ?? absent()) + own;
    const depth = walk(node.no, from, to);
    gone[run] = (gone[run] ?? absent()) - own;
    return depth + 1;
  };
  const depth = walk(tree, 0, n);
  return { cost, depth };
}
