/**
 * Functions of the input's bits as reduced ordered decision diagrams: boolean
 * ones, and ones whose values are *leaves* (R. E. Bryant, "Graph-Based Algorithms for Boolean Function
 * Manipulation", IEEE Trans. Computers C-35(8), 1986).
 *
 * A node tests one variable, named by its level; levels rise from a node to its
 * children; equal nodes are one node, and no node has equal children. So two
 * nodes represent the same function if and only if they are the same number,
 * and a proof needs to compare only that.
 *
 * The depth of recursion is the number of levels, for programs of any size.
 *
 * @module
 */

import { checkSteps, type DiagramLimits, LimitReached } from "../limits.ts";

/**
 * A function by its number. It is either boolean, with `NEVER` and `ALWAYS` at
 * the bottom, or has leaves there; never both.
 */
export type Node = number;

/** The function that is false everywhere. */
export const NEVER: Node = 0;
/** The function that is true everywhere. */
export const ALWAYS: Node = 1;

/** A set of shared functions. */
export interface Diagram {
  /** The function that is the variable itself. */
  variable(level: number): Node;
  /** A new constant function; each call returns a different one. */
  leaf(): Node;
  /** If the boolean `f` is true, then `g`, otherwise `h`. */
  choose(f: Node, g: Node, h: Node): Node;
  not(f: Node): Node;
  and(f: Node, g: Node): Node;
  or(f: Node, g: Node): Node;
  /** True if `f` is true and `g` is not. */
  except(f: Node, g: Node): Node;
  /** The function that is `combine` of the values of `f` and `g`. */
  apply(f: Node, g: Node, combine: (f: Node, g: Node) => Node): Node;
  /** Level of the variable that a node tests; `CONSTANT_LEVEL` for constants. */
  level(node: Node): number;
  /** `f` with the variable of `level`, not below its own, set to 0. */
  lowOf(f: Node, level: number): Node;
  /** The same with that variable set to 1. */
  highOf(f: Node, level: number): Node;
  /** Number of nodes made so far. */
  nodes(): number;
  /** Number of steps so far. */
  steps(): number;
}

/** A level below all variables, which are u16 numbers. */
export const CONSTANT_LEVEL = 0xffff;

/**
 * More than the maximum number of nodes, so that two node numbers can be packed
 * into one exact number.
 */
const PAIR = 2 ** 26;
/** Maximum number of entries of a `Map`, with a margin. */
const MOST_ENTRIES = 2 ** 23;

/**
 * Creates a diagram without nodes.
 *
 * @param limits Its limits.
 * @returns The diagram; its operations throw `LimitReached`.
 */
export function createDiagram(limits: DiagramLimits): Diagram {
  // An integer of 0 or more, because writes outside an array are lost.
  const mostNodes = Math.max(0, Math.min(limits.nodes, PAIR / 2)) | 0;
  // By node; indices below are nodes, so every value read is a number.
  const levels = new Uint16Array(mostNodes + 2).fill(CONSTANT_LEVEL, 0, 2);
  const lows = new Int32Array(mostNodes + 2).fill(ALWAYS, 1, 2);
  const highs = new Int32Array(mostNodes + 2).fill(ALWAYS, 1, 2);
  let size = 2;
  /** By node: an older one with the same `mix`; 0 for none. */
  const nexts = new Int32Array(mostNodes + 2);
  const places = 4 << Math.log2(mostNodes);
  /**
   * The newest node of each `mix`; kept small, because touching memory takes
   * time.
   */
  const newest = new Int32Array(Math.min(places / 2, 1 << 20));
  /**
   * Results of `choose`, four words each: f, g, h, result; overwritten as
   * needed.
   */
  const cache = new Int32Array(Math.min(places, 1 << 21));
  let steps = 0;

  const level = (f: Node): number => levels[f] as number;
  /**
   * A node with the variable of `top`, which is not below its own, set to 0.
   */
  const lowOf = (f: Node, top: number): Node =>
    levels[f] === top ? lows[f] as number : f;
  const highOf = (f: Node, top: number): Node =>
    levels[f] === top ? highs[f] as number : f;

  function make(level: number, low: Node, high: Node): Node {
    if (low === high) return low;
    const place = mix(level, low, high) & (newest.length - 1);
    let node = newest[place] as number;
    for (; node !== 0; node = nexts[node] as number) {
      if (
        lows[node] === low && highs[node] === high && levels[node] === level
      ) return node;
    }
    node = add(level, low, high);
    nexts[node] = newest[place] as number;
    return newest[place] = node;
  }

  function add(level: number, low: Node, high: Node): Node {
    if (size - 2 >= mostNodes) throw new LimitReached("nodes");
    levels[size] = level;
    lows[size] = low;
    highs[size] = high;
    return size++;
  }

  function choose(f: Node, g: Node, h: Node): Node {
    if (f === ALWAYS || g === h) return g;
    if (f === NEVER) return h;
    if (g === ALWAYS && h === NEVER) return f;
    const entry = 4 * mix(f, g, h) & (cache.length - 1);
    const isKnown = cache[entry] === f && cache[entry + 1] === g &&
      cache[entry + 2] === h;
    if (isKnown) return cache[entry + 3] as number;
    checkSteps(limits, ++steps);
    // `lowOf` and `highOf` are inlined, because a short proof spends most of
    // its time here.
    const a = levels[f] as number;
    const b = levels[g] as number;
    const c = levels[h] as number;
    const top = Math.min(a, b, c);
    const low = choose(
      a === top ? lows[f] as number : f,
      b === top ? lows[g] as number : g,
      c === top ? lows[h] as number : h,
    );
    const high = choose(
      a === top ? highs[f] as number : f,
      b === top ? highs[g] as number : g,
      c === top ? highs[h] as number : h,
    );
    const result = make(top, low, high);
    cache[entry] = f;
    cache[entry + 1] = g;
    cache[entry + 2] = h;
    return cache[entry + 3] = result;
  }

  function apply(
    f: Node,
    g: Node,
    combine: (f: Node, g: Node) => Node,
  ): Node {
    const results = new Map<number, Node>();
    function visit(f: Node, g: Node): Node {
      const key = f * PAIR + g;
      const known = results.get(key);
      if (known !== undefined) return known;
      checkSteps(limits, ++steps);
      if (results.size === MOST_ENTRIES) throw new LimitReached("nodes");
      const top = Math.min(level(f), level(g));
      const result = top === CONSTANT_LEVEL ? combine(f, g) : choose(
        make(top, NEVER, ALWAYS),
        visit(highOf(f, top), highOf(g, top)),
        visit(lowOf(f, top), lowOf(g, top)),
      );
      results.set(key, result);
      return result;
    }
    return visit(f, g);
  }

  return {
    variable: (level) => make(level, NEVER, ALWAYS),
    leaf: () => add(CONSTANT_LEVEL, NEVER, NEVER),
    choose,
    not: (f) => choose(f, NEVER, ALWAYS),
    and: (f, g) => choose(f, g, NEVER),
    or: (f, g) => choose(f, ALWAYS, g),
    except: (f, g) => choose(g, NEVER, f),
    apply,
    level,
    lowOf,
    highOf,
    nodes: () => size - 2,
    steps: () => steps,
  };
}

/** Spreads three numbers over the bits of one. */
function mix(a: number, b: number, c: number): number {
  const h = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b) ^
    Math.imul(c, 0xc2b2_ae35);
  return Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d) >>> 8;
}
