/**
 * A late pass over a tree of `==` and `>=` tests: if the values of a bit
 * alternate over a narrow range of numbers, one JSET replaces two or more
 * tests.
 *
 * ```text
 * 0x134 deny, 0x135…0x136 allow, 0x137 …   w >= 0x136, w == 0x134, …   ▶   w & 2, …
 * ```
 *
 * The best tree over all masks is NP-hard to find (Hyafil and Rivest 1976), and
 * the gain is small: about 3 % of the tests of Docker's default. So the pass
 * considers only subtrees over at most 16 numbers, each with the 15 masks of
 * four bits. A split replaces a subtree only if it costs less, or the same with
 * fewer tests, and is no deeper. So the tree that was optimal without JSET
 * never gets worse.
 *
 * @module
 */

import { absent } from "./present.ts";
import {
  FREE,
  HELD,
  leastPrice,
  type Point,
  type Price,
  runsOf,
  setsOf,
} from "./points.ts";
import type { TestTree } from "./search/problem.ts";

/** A tree that may have JSET tests; `set` succeeds if `(w & k) !== 0`. */
export type BitTree =
  | { readonly kind: "leaf"; readonly cls: number }
  | {
    readonly kind: "test";
    readonly op: "eq" | "ge" | "set";
    readonly k: number;
    readonly yes: BitTree;
    readonly no: BitTree;
  };

/** A tree with JSET tests, and its savings. */
export interface BitTreeResult {
  readonly tree: BitTree;
  /** Saved sum of weight times tests, 0 or more. */
  readonly savedCost: number;
  /** Saved tests; negative if the cost was worth more tests. */
  readonly savedTests: number;
}

/** A tree and its cost. */
interface PricedTree extends Price {
  readonly tree: BitTree;
}

/** Maximum width of a range to consider. */
const MAX_SPAN = 16;
const MASKS: readonly number[] = Array.from({ length: 15 }, (_, i) => i + 1);

/**
 * Adds JSET tests.
 *
 * @param tree A tree of `==` and `>=` tests.
 * @param weightOf Weight of one value.
 * @param price Cost of one test, in units of weight.
 * @returns An equivalent tree that costs no more, with its savings.
 */
export function addBitTests(
  tree: TestTree,
  weightOf: (value: number) => number,
  price: number,
): BitTreeResult {
  return new BitTestPass(weightOf, price).run(tree);
}

/** The pass over one tree, and its savings so far. */
class BitTestPass {
  readonly #weightOf: (value: number) => number;
  readonly #price: number;
  /** Values for which an `==` above has already decided. */
  readonly #gone = new Set<number>();
  #savedCost = 0;
  #savedTests = 0;

  constructor(weightOf: (value: number) => number, price: number) {
    this.#weightOf = weightOf;
    this.#price = price;
  }

  run(tree: TestTree): BitTreeResult {
    const result = this.#narrowed(tree, 0, 0xffff_ffff);
    return {
      tree: result,
      savedCost: this.#savedCost,
      savedTests: this.#savedTests,
    };
  }

  #narrowed(node: TestTree, first: number, last: number): BitTree {
    if (node.kind === "leaf") return node;
    // One test cannot be improved.
    if (last - first < MAX_SPAN && countTests(node) > 1) {
      const better = this.#split(node, this.#pointsOf(node, first, last));
      if (better !== undefined) return better;
    }
    if (node.op === "ge") {
      return {
        ...node,
        yes: this.#narrowed(node.yes, node.k, last),
        no: this.#narrowed(node.no, first, node.k - 1),
      };
    }
    this.#gone.add(node.k);
    const no = this.#narrowed(node.no, first, last);
    this.#gone.delete(node.k);
    return { ...node, no };
  }

  #pointsOf(node: TestTree, first: number, last: number): readonly Point[] {
    const points: Point[] = [];
    for (let value = first; value <= last; value++) {
      if (this.#gone.has(value)) continue;
      const weight = this.#weightOf(value);
      points.push({ value, cls: classOf(node, value), weight });
    }
    return points;
  }

  /**
   * The best tree that begins with a JSET, if it is better than the given node.
   */
  #split(node: TestTree, points: readonly Point[]): BitTree | undefined {
    const own = priceOf(node, points);
    const best = this.#bestSplit(own, points, depthOf(node));
    if (best === own) return undefined;
    this.#savedCost += own.cost - best.cost;
    this.#savedTests += own.tests - best.tests;
    return best.tree;
  }

  /** The best of a tree and of those of at most its depth that begin with a JSET. */
  #bestSplit(
    own: PricedTree,
    points: readonly Point[],
    depth: number,
  ): PricedTree {
    const price = this.#price;
    const weight = points.reduce((sum, point) => sum + point.weight, 0);
    let best = own;
    const sets = setsOf(points);
    const all = sets.reduce((values, set) => values | set, 0);
    // Two sides with two classes each.
    const poor = { cost: 2 * weight, tests: 3 };
    let tooPoor = !isBetter(poor, best, price);
    // Two masks may split the values alike, or with the sides exchanged.
    const seen = new Set<number>([0, all]);
    for (const mask of MASKS) {
      const held = all & (HELD[mask] ?? absent());
      if (seen.has(held) || seen.has(all ^ held)) continue;
      seen.add(held);
      const yesMixed = isMixed(held, sets);
      const noMixed = isMixed(all ^ held, sets);
      if (tooPoor && yesMixed && noMixed) continue;
      const yesLeast = yesMixed ? leastPrice(points, held) : FREE;
      const noLeast = noMixed ? leastPrice(points, all ^ held) : FREE;
      const least = {
        cost: weight + yesLeast.cost + noLeast.cost,
        tests: 1 + yesLeast.tests + noLeast.tests,
      };
      if (!isBetter(least, best, price)) continue;
      const found = splitBy(mask, points, weight, price);
      if (depthOf(found.tree) > depth || !isBetter(found, best, price)) {
        continue;
      }
      best = found;
      tooPoor = !isBetter(poor, best, price);
    }
    return best;
  }
}

/** A tree that begins with the JSET of a mask; both sides have values. */
function splitBy(
  mask: number,
  points: readonly Point[],
  weight: number,
  price: number,
): PricedTree {
  const yes = solve(points.filter(({ value }) => (value & mask) !== 0), price);
  const no = solve(points.filter(({ value }) => (value & mask) === 0), price);
  return {
    tree: { kind: "test", op: "set", k: mask, yes: yes.tree, no: no.tree },
    cost: weight + yes.cost + no.cost,
    tests: 1 + yes.tests + no.tests,
  };
}

/** Reports whether a price is less, or the same with fewer tests. */
function isBetter(a: Price, b: Price, price: number): boolean {
  const gain = b.cost + price * b.tests - a.cost - price * a.tests;
  // A rounding error must not count as a gain.
  if (Math.abs(gain) > 1e-9 * (1 + b.cost)) return gain > 0;
  return a.tests < b.tests;
}

/**
 * A good tree of `==` and `>=` tests for a few values, when others cannot
 * occur. It uses thresholds between runs of one class, and `==` on a value
 * between two runs of one class: O(n^3) for n runs.
 */
function solve(points: readonly Point[], price: number): PricedTree {
  const runs = runsOf(points);
  const known = new Map<number, PricedTree>();
  return solveRuns(0, runs.length - 1);

  function solveRuns(i: number, j: number): PricedTree {
    const key = i * runs.length + j;
    let best = known.get(key);
    if (best !== undefined) return best;
    const head = runs[i] ?? absent();
    if (i === j) {
      return { tree: { kind: "leaf", cls: head.cls }, cost: 0, tests: 0 };
    }
    let weight = 0;
    for (let r = i; r <= j; r++) weight += (runs[r] ?? absent()).weight;
    for (let r = i + 1; r <= j; r++) {
      const run = runs[r] ?? absent();
      const yes = solveRuns(r, j);
      const no = solveRuns(i, r - 1);
      const found: PricedTree = {
        tree: {
          kind: "test",
          op: "ge",
          k: run.first,
          yes: yes.tree,
          no: no.tree,
        },
        cost: weight + yes.cost + no.cost,
        tests: 1 + yes.tests + no.tests,
      };
      if (best === undefined || isBetter(found, best, price)) best = found;
    }
    const middle = runs[i + 1] ?? absent();
    if (
      j === i + 2 && middle.single && (runs[j] ?? absent()).cls === head.cls
    ) {
      const yes = { kind: "leaf", cls: middle.cls } as const;
      const no = { kind: "leaf", cls: head.cls } as const;
      best = {
        tree: { kind: "test", op: "eq", k: middle.first, yes, no },
        cost: weight,
        tests: 1,
      };
    }
    const found = best ?? absent();
    known.set(key, found);
    return found;
  }
}

/** Reports whether values have more than one class. */
function isMixed(values: number, classes: readonly number[]): boolean {
  for (let i = 0; i < classes.length; i++) {
    if ((values & ~(classes[i] ?? absent())) === 0) return false;
  }
  return true;
}

function classOf(tree: TestTree, value: number): number {
  let node = tree;
  while (node.kind === "test") {
    const holds = node.op === "eq" ? value === node.k : value >= node.k;
    node = holds ? node.yes : node.no;
  }
  return node.cls;
}

/** The cost of a tree for some values. */
function priceOf(tree: TestTree, points: readonly Point[]): PricedTree {
  let cost = 0;
  for (const { value, weight } of points) {
    let node = tree;
    while (node.kind === "test") {
      cost += weight;
      const holds = node.op === "eq" ? value === node.k : value >= node.k;
      node = holds ? node.yes : node.no;
    }
  }
  return { tree, cost, tests: countTests(tree) };
}

function depthOf(tree: BitTree): number {
  return tree.kind === "leaf"
    ? 0
    : 1 + Math.max(depthOf(tree.yes), depthOf(tree.no));
}

function countTests(tree: TestTree): number {
  return tree.kind === "leaf"
    ? 0
    : 1 + countTests(tree.yes) + countTests(tree.no);
}
