/**
 * A late pass for size over a tree of tests: parts of the tree are replaced by
 * other existing parts, with up to two new tests before them. So the tree
 * becomes a graph.
 *
 * ```text
 * 0x64…0x67  w & 4, w == 0x66      both become one test of w & 2, if what is
 * 0x134…0x137  w >= 0x136, …       left to decide is the same in both places
 * ```
 *
 * In logic synthesis this is called resubstitution. A node is right for a value
 * if the tests from there lead to the value's class, whatever leads to the node.
 * A node may be replaced by any other that is right for all values that reach
 * it. A test of two nodes is right for what the one is right for on its side and
 * the other on the other side. So the search compares sets of values, and the
 * result decides like the tree.
 *
 * The fewest tests over all graphs cannot be found in reasonable time; every
 * step saves at least one. The work is counted, so that results are the same on
 * every machine.
 *
 * @module
 */

import type { BitTree } from "./bits.ts";
import { absent, present } from "./present.ts";
import {
  type CellSample,
  has,
  JSET_BITS,
  put,
  ReplacementSearch,
  type StandIn,
  succeeds,
  type ValueTest,
} from "./replacement.ts";

/** Values with one class; the first of them, and the last. */
export interface ClassCell {
  readonly first: number;
  readonly last: number;
  readonly cls: number;
}

/** Limit on the work, in words of sets that are combined. */
const WORK_LIMIT = 8_000_000;
/** Maximum number of tests of a tree; a larger one is left unchanged. */
const MOST_TESTS = 1000;

/**
 * Shares parts of a tree.
 *
 * @param tree The tree.
 * @param cells All values with their classes, rising, without gaps.
 * @returns An equivalent graph with at most as many tests.
 */
export function shareTests(
  tree: BitTree,
  cells: readonly ClassCell[],
): BitTree {
  const graph = new SharedGraph(tree, cells);
  graph.improve();
  return graph.tree();
}

/** Counts the tests that decide a value. */
export function testsFor(tree: BitTree, value: number): number {
  let tests = 0;
  let node = tree;
  while (node.kind === "test") {
    tests++;
    node = succeeds(node, value) ? node.yes : node.no;
  }
  return tests;
}

/** Counts the tests of a graph, shared ones once. */
export function countSharedTests(tree: BitTree): number {
  const seen = new Set<BitTree>();
  const visit = (node: BitTree): void => {
    if (node.kind === "leaf" || seen.has(node)) return;
    seen.add(node);
    visit(node.yes);
    visit(node.no);
  };
  visit(tree);
  return seen.size;
}

class SharedGraph {
  readonly #classes: number;
  readonly #samples: CellSample[] = [];
  readonly #words: number;
  readonly #tests: ValueTest[] = [];
  readonly #testIds = new Map<string, number>();
  /** By test: the samples for which it succeeds. */
  readonly #holds: Int32Array[] = [];
  /** By node; a leaf has its class as its number, and no test. */
  readonly #test: number[] = [];
  readonly #yes: number[] = [];
  readonly #no: number[] = [];
  /** By node: the samples for which it is right, and those that reach it. */
  readonly #right: Int32Array[] = [];
  readonly #reached: Int32Array[] = [];
  readonly #nodeIds = new Map<string, number>();
  /** By node: 1 if it is in use. */
  #alive = new Uint8Array(0);
  #root: number;
  #work = 0;

  constructor(tree: BitTree, cells: readonly ClassCell[]) {
    const classOf: number[] = [];
    for (const { first, last, cls } of cells) {
      // A longer cell has every value of the bits.
      const isWhole = last - first < 2 ** JSET_BITS;
      const end = isWhole ? last : first + 2 ** JSET_BITS - 1;
      for (let value = first; value <= end; value++) {
        const start = isWhole ? value : first;
        this.#samples.push({ value, index: classOf.length, start, isWhole });
        classOf.push(cls);
      }
    }
    this.#words = Math.ceil(classOf.length / 32);
    this.#classes = Math.max(...cells.map(({ cls }) => cls)) + 1;
    for (let cls = 0; cls < this.#classes; cls++) {
      this.#push(-1, -1, -1);
      const right = present(this.#right[cls]);
      classOf.forEach((other, i) => {
        if (other === cls) put(right, i);
      });
    }
    this.#root = this.#add(tree);
  }

  /** The graph; equal nodes are one object. */
  tree(): BitTree {
    const made = new Map<number, BitTree>();
    const visit = (node: number): BitTree => {
      const known = made.get(node);
      if (known !== undefined) return known;
      const test = this.#tests[present(this.#test[node])];
      const tree: BitTree = test === undefined ? { kind: "leaf", cls: node } : {
        kind: "test",
        ...test,
        yes: visit(present(this.#yes[node])),
        no: visit(present(this.#no[node])),
      };
      made.set(node, tree);
      return tree;
    };
    return visit(this.#root);
  }

  /** Replaces nodes as long as that saves tests. */
  improve(): void {
    let alive = this.#begin();
    for (let saves = true; saves;) {
      saves = false;
      // From the ends to the root.
      const order = alive;
      if (order.length > MOST_TESTS) return;
      for (const node of order) {
        if (this.#work > WORK_LIMIT) return;
        // An earlier replacement may have removed it.
        if (node < this.#classes || this.#alive[node] !== 1) continue;
        if (!this.#replace(node, alive)) continue;
        saves = true;
        alive = this.#begin();
      }
    }
  }

  /** Describes the graph as it is now; returns all nodes in use. */
  #begin(): readonly number[] {
    const alive = this.#order();
    this.#alive = new Uint8Array(this.#test.length);
    this.#nodeIds.clear();
    for (const node of alive) {
      this.#alive[node] = 1;
      if (node < this.#classes) continue;
      const [test, yes, no] = [this.#test, this.#yes, this.#no]
        .map((list) => list[node]);
      this.#nodeIds.set(`${test} ${yes} ${no}`, node);
    }
    this.#measure(alive);
    return alive;
  }

  #testId({ op, k }: ValueTest): number {
    const key = `${op}${k}`;
    const known = this.#testIds.get(key);
    if (known !== undefined) return known;
    const holds = new Int32Array(this.#words);
    for (const { value, index } of this.#samples) {
      if (succeeds({ op, k }, value)) put(holds, index);
    }
    this.#testIds.set(key, this.#tests.length);
    this.#holds.push(holds);
    return this.#tests.push({ op, k }) - 1;
  }

  #push(test: number, yes: number, no: number): number {
    this.#test.push(test);
    this.#yes.push(yes);
    this.#no.push(no);
    this.#right.push(new Int32Array(this.#words));
    return this.#reached.push(new Int32Array(this.#words)) - 1;
  }

  #add(tree: BitTree): number {
    if (tree.kind === "leaf") return tree.cls;
    const test = this.#testId(tree);
    return this.#node(test, this.#add(tree.yes), this.#add(tree.no));
  }

  #node(test: number, yes: number, no: number): number {
    if (yes === no) return yes;
    const key = `${test} ${yes} ${no}`;
    const known = this.#nodeIds.get(key);
    if (known !== undefined) return known;
    const made = this.#push(test, yes, no);
    this.#nodeIds.set(key, made);
    return made;
  }

  /** All nodes in use, targets before tests. */
  #order(without = -1): number[] {
    const order: number[] = [];
    const seen = new Uint8Array(this.#test.length);
    const visit = (node: number): void => {
      if (node === without || seen[node] === 1) return;
      seen[node] = 1;
      if (node >= this.#classes) {
        visit(present(this.#yes[node]));
        visit(present(this.#no[node]));
      }
      order.push(node);
    };
    visit(this.#root);
    return order;
  }

  /** Computes the sets of all nodes in use. */
  #measure(order: readonly number[]): void {
    for (const node of order) {
      present(this.#reached[node]).fill(0);
      if (node < this.#classes) continue;
      const right = present(this.#right[node]);
      const holds = present(this.#holds[present(this.#test[node])]);
      const yes = present(this.#right[present(this.#yes[node])]);
      const no = present(this.#right[present(this.#no[node])]);
      for (let w = 0; w < right.length; w++) {
        const h = holds[w] ?? absent();
        right[w] = (h & (yes[w] ?? absent())) | (~h & (no[w] ?? absent()));
      }
    }
    for (const { index } of this.#samples) {
      put(present(this.#reached[this.#root]), index);
    }
    for (const node of order.toReversed()) {
      if (node < this.#classes) continue;
      const reached = present(this.#reached[node]);
      const holds = present(this.#holds[present(this.#test[node])]);
      const yes = present(this.#reached[present(this.#yes[node])]);
      const no = present(this.#reached[present(this.#no[node])]);
      for (let w = 0; w < reached.length; w++) {
        const [r, h] = [reached[w] ?? absent(), holds[w] ?? absent()];
        yes[w] = (yes[w] ?? absent()) | (r & h);
        no[w] = (no[w] ?? absent()) | (r & ~h);
      }
    }
  }

  /** Replaces a node if that saves tests. */
  #replace(node: number, alive: readonly number[]): boolean {
    this.#work += 4 * alive.length * this.#words;
    const staying = new Uint8Array(this.#test.length);
    for (const each of this.#order(node)) staying[each] = 1;
    let own = 0;
    const candidates: StandIn[] = [];
    const leading = new Uint8Array(this.#test.length);
    for (const each of alive) {
      const isTest = each >= this.#classes;
      if (isTest && staying[each] === 0) own++;
      const isLeading = each === node ||
        isTest && (leading[present(this.#yes[each])] === 1 ||
            leading[present(this.#no[each])] === 1);
      if (isLeading) {
        leading[each] = 1;
        continue;
      }
      const kept = staying[each] === 1 ? 0 : this.#countOwn(each, staying);
      const right = present(this.#right[each]);
      candidates.push({ node: each, right, kept });
    }
    const reached = present(this.#reached[node]);
    const search = new ReplacementSearch(
      this.#samples.filter(({ index }) => has(reached, index)),
      reached,
      candidates,
      (test, yes, no) => this.#node(this.#testId(test), yes, no),
    );
    const best = search.best(own);
    this.#work += search.work;
    if (best === undefined) return false;
    this.#redirect(node, best());
    return true;
  }

  /** Number of tests below a node that nothing else keeps. */
  #countOwn(node: number, staying: Uint8Array): number {
    const seen = new Set<number>();
    const visit = (node: number): void => {
      if (node < this.#classes || staying[node] === 1 || seen.has(node)) return;
      seen.add(node);
      visit(present(this.#yes[node]));
      visit(present(this.#no[node]));
    };
    visit(node);
    return seen.size;
  }

  /** Makes all tests that lead to a node lead to another one. */
  #redirect(node: number, to: number): void {
    if (this.#root === node) this.#root = to;
    for (let i = this.#classes; i < this.#test.length; i++) {
      if (this.#yes[i] === node) this.#yes[i] = to;
      if (this.#no[i] === node) this.#no[i] = to;
    }
  }
}
