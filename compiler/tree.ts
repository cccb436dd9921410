/**
 * The pass that finds a value: converts cells of one word, with their
 * decisions, to one decision with the minimum expected cost.
 *
 * The search itself (search/) works only with classes and weights. Here cells
 * with the same decision become one class, and tests that intervals cannot
 * express are tried first: a set of values that is an entire subcube around 0,
 * such as {0, 8, 0x20000, 0x20008}, is one JSET.
 *
 * @module
 */

import type { WeightedInterval } from "./cost.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import { addBitTests, type BitTree } from "./bits.ts";
import { absent } from "./present.ts";
import type { SearchOptions } from "./search/problem.ts";
import { searchTree } from "./search/search.ts";
import { JSET_BITS } from "./replacement.ts";
import { countSharedTests, shareTests, testsFor } from "./share.ts";

/** A decision for a word that is in the accumulator. */
export interface WordTree {
  readonly node: Decision;
  /** Sum of weight times executed tests. */
  readonly cost: number;
  /** The same with the price of the tests themselves: the minimized cost. */
  readonly priced: number;
  /** Maximum number of tests on a path. */
  readonly depth: number;
  /** True if no tree of `==` and `>=` tests has a smaller `priced`. */
  readonly proven: boolean;
  /** Lower bound on `priced` over all trees of `==` and `>=` tests. */
  readonly lowerBound: number;
}

/** Options of the search. */
export interface TreeOptions extends SearchOptions {
  /** Bits of the word that are tested, of which no cell needs others; all by default. */
  readonly mask?: number;
  /** True to try subcubes; they are useless for system call numbers. */
  readonly cubes?: boolean;
  /** True to try JSET in narrow ranges, as a last pass. */
  readonly bits?: boolean;
  /** True to share parts after that, for size. */
  readonly shares?: boolean;
  /** The search, if not `searchTree` itself. */
  readonly search?: typeof searchTree;
}

const FULL = 0xffff_ffff;
/** Maximum number of values of a class for which a subcube is searched. */
const MAX_CUBE_POINTS = 128;
/** Maximum number of subcubes to try, those with most values first. */
const MAX_CUBES = 8;

/**
 * Builds the tree.
 *
 * @param graph Graph in which nodes are made.
 * @param offset Byte offset of the word.
 * @param cells Sorted, without gaps, from 0 to 2^32 − 1.
 * @param options Options of the search.
 */
export function treeOfCells(
  graph: DecisionGraph,
  offset: number,
  cells: readonly WeightedInterval[],
  options: TreeOptions = {},
): WordTree {
  const word = { graph, offset, mask: options.mask ?? FULL };
  const merged = mergeCells(cells);
  const plain = smallTree(word, merged, options) ??
    plainTree(word, cells, merged, options);
  if (options.cubes !== true) return plain;
  // Neighboring points of a cube are single cells only before they are merged.
  return bestCube(word, cells, options, plain);
}

/** A word and the graph in which it is tested. */
interface TestedWord {
  readonly graph: DecisionGraph;
  /** Byte offset. */
  readonly offset: number;
  /** Bits that are tested. */
  readonly mask: number;
}

function mergeCells(
  cells: readonly WeightedInterval[],
): readonly WeightedInterval[] {
  const merged: WeightedInterval[] = [];
  for (const cell of cells) {
    const { node, last, weight, apart } = cell;
    const before = merged.at(-1);
    const joins = before?.node === node && before.apart !== true &&
      apart !== true;
    if (!joins) merged.push(cell);
    else {
      const { first } = before;
      const sum = before.weight + weight;
      merged.splice(-1, 1, { first, last, node, weight: sum });
    }
  }
  return merged;
}

/**
 * Handles trees of at most one test, which cannot be improved and are frequent
 * for arguments.
 */
function smallTree(
  { graph, offset, mask }: TestedWord,
  merged: readonly WeightedInterval[],
  options: TreeOptions,
): WordTree | undefined {
  const [left, middle, right] = merged;
  if (left === undefined || merged.length > 3) return undefined;
  const made = (node: Decision, depth: number): WordTree => {
    const cost = depth * merged.reduce((sum, cell) => sum + cell.weight, 0);
    const priced = cost + depth * (options.sizePenalty ?? 0);
    return { node, cost, priced, depth, proven: true, lowerBound: priced };
  };
  if (middle === undefined) return made(left.node, 0);
  const test = { offset, mask, k: middle.first } as const;
  if (right === undefined) {
    if (middle.node === left.node) return made(left.node, 0);
    const single = [left, middle].find((cell) => cell.first === cell.last);
    const other = single === left ? middle : left;
    return made(
      single === undefined
        ? graph.branch({ ...test, op: "ge" }, middle.node, left.node)
        : graph.branch(
          { ...test, op: "eq", k: single.first },
          single.node,
          other.node,
        ),
      1,
    );
  }
  if (right.node !== left.node || middle.first !== middle.last) {
    return undefined;
  }
  return middle.node === left.node
    ? made(left.node, 0)
    : made(graph.branch({ ...test, op: "eq" }, middle.node, left.node), 1);
}

function plainTree(
  word: TestedWord,
  cells: readonly WeightedInterval[],
  merged: readonly WeightedInterval[],
  options: TreeOptions,
): WordTree {
  const nodes = [...new Set(merged.map((cell) => cell.node))];
  const classes = new Map(nodes.map((node, i) => [node, i]));
  const { search = searchTree } = options;
  const found = search({
    starts: Uint32Array.from(merged, (cell) => cell.first),
    singles: Uint8Array.from(merged, (c) => c.first === c.last ? 1 : 0),
    classes: Int32Array.from(merged, (c) => classes.get(c.node) ?? absent()),
    weights: Float64Array.from(merged, (cell) => cell.weight),
  }, options);
  const price = options.sizePenalty ?? 0;
  const { tree, savedCost, savedTests } = options.bits === true
    ? addBitTests(found.tree, (value) => weightOf(cells, value), price)
    : { tree: found.tree, savedCost: 0, savedTests: 0 };
  if (options.shares === true) {
    return sharedTree(word, { cells, merged, classes, nodes, tree }, options);
  }
  const cost = found.cost - savedCost;
  return {
    node: decisionOf(word, tree, nodes),
    cost,
    priced: cost + price * (found.tests - savedTests),
    depth: found.depth,
    proven: found.proven,
    lowerBound: found.lowerBound,
  };
}

/** The same with parts that are shared, about which nothing is proven. */
function sharedTree(
  word: TestedWord,
  { cells, merged, classes, nodes, tree }: {
    readonly cells: readonly WeightedInterval[];
    readonly merged: readonly WeightedInterval[];
    readonly classes: ReadonlyMap<Decision, number>;
    readonly nodes: readonly Decision[];
    readonly tree: BitTree;
  },
  options: TreeOptions,
): WordTree {
  const shared = shareTests(
    tree,
    merged.map(({ first, last, node }) => ({
      first,
      last,
      cls: classes.get(node) ?? absent(),
    })),
  );
  let [cost, depth] = [0, 0];
  for (const { first, last, weight } of cells) {
    // A longer cell is tested alike from there on.
    const size = Math.min(last - first + 1, 2 ** JSET_BITS);
    for (let value = first; value < first + size; value++) {
      const tests = testsFor(shared, value);
      depth = Math.max(depth, tests);
      cost += tests * weight / size;
    }
  }
  const priced = cost + (options.sizePenalty ?? 0) * countSharedTests(shared);
  const node = decisionOf(word, shared, nodes);
  return { node, cost, priced, depth, proven: false, lowerBound: 0 };
}

/** Weight of one value: its share of the cell that contains it. */
function weightOf(cells: readonly WeightedInterval[], value: number): number {
  let low = 0;
  let high = cells.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((cells[middle] ?? absent()).first <= value) low = middle;
    else high = middle - 1;
  }
  const { first, last, weight } = cells[low] ?? absent();
  return weight / (last - first + 1);
}

function decisionOf(
  word: TestedWord,
  tree: BitTree,
  nodes: readonly Decision[],
  known: Map<BitTree, Decision> = new Map(),
): Decision {
  if (tree.kind === "leaf") {
    return nodes[tree.cls] ?? absent();
  }
  let node = known.get(tree);
  if (node === undefined) {
    node = word.graph.branch(
      { offset: word.offset, mask: word.mask, op: tree.op, k: tree.k },
      decisionOf(word, tree.yes, nodes, known),
      decisionOf(word, tree.no, nodes, known),
    );
    known.set(tree, node);
  }
  return node;
}

/** Tries a JSET for each largest subcube of values of one class. */
function bestCube(
  { graph, offset }: TestedWord,
  cells: readonly WeightedInterval[],
  options: TreeOptions,
  plain: WordTree,
): WordTree {
  const total = cells.reduce((sum, cell) => sum + cell.weight, 0);
  let best = plain;
  for (const { node, bits } of cubesOf(cells)) {
    const inside = (cell: WeightedInterval): boolean =>
      cell.first === cell.last && (cell.first & ~bits) === 0;
    const rest = withoutCells(cells, inside);
    const tree = treeOfCells(graph, offset, rest, options);
    const cost = total + tree.cost;
    const priced = total + (options.sizePenalty ?? 0) + tree.priced;
    if (priced >= best.priced) continue;
    const outside = (~bits) >>> 0;
    best = {
      node: graph.branch(
        { offset, mask: FULL, op: "set", k: outside },
        tree.node,
        node,
      ),
      cost,
      priced,
      depth: tree.depth + 1,
      proven: false,
      lowerBound: Math.min(plain.lowerBound, priced),
    };
  }
  return best;
}

interface Cube {
  readonly node: Decision;
  /** The bits that vary; all others are 0. */
  readonly bits: number;
}

/** Subcubes around 0 all of whose values are single cells of one class. */
function cubesOf(cells: readonly WeightedInterval[]): readonly Cube[] {
  const zero = cells[0];
  if (zero === undefined || zero.last !== 0) return [];
  const points = new Set(
    cells.filter((c) => c.node === zero.node && c.first === c.last)
      .map((c) => c.first),
  );
  if (points.size < 4 || points.size > MAX_CUBE_POINTS) return [];
  const cubes = new Set<number>();
  for (const a of points) {
    for (const b of points) {
      const bits = (a | b) >>> 0;
      if (bits !== 0 && submasks(bits).every((value) => points.has(value))) {
        cubes.add(bits);
      }
    }
  }
  const largest = [...cubes].filter((bits) =>
    ![...cubes].some((other) => other !== bits && (bits & ~other) === 0)
  );
  return largest.filter((bits) => (bits & (bits - 1)) !== 0)
    .sort((a, b) => submasks(b).length - submasks(a).length || a - b)
    .slice(0, MAX_CUBES)
    .map((bits) => ({ node: zero.node, bits }));
}

/**
 * All values whose bits are within `bits`; gives up (returns −1) on wide masks.
 */
function submasks(bits: number): readonly number[] {
  const values: number[] = [];
  let value = bits;
  while (values.length <= MAX_CUBE_POINTS) {
    values.push(value);
    if (value === 0) return values;
    value = ((value - 1) & bits) >>> 0;
  }
  return [-1];
}

/** Merges cells that can no longer occur into a neighbor. */
function withoutCells(
  cells: readonly WeightedInterval[],
  gone: (cell: WeightedInterval) => boolean,
): readonly WeightedInterval[] {
  const left: WeightedInterval[] = [];
  let start = 0;
  for (const cell of cells) {
    if (gone(cell)) {
      const before = left.pop();
      if (before !== undefined) left.push({ ...before, last: cell.last });
      continue;
    }
    left.push({ ...cell, first: left.length === 0 ? start : cell.first });
    start = cell.last + 1;
  }
  return left;
}
