/**
 * The search problem: find tests on one input word that determine its class
 * with the minimum expected number of tests. It knows neither architectures nor
 * return values; `compiler/tree.ts` translates.
 *
 * A problem is a line of cells, a gapless partition of [0, 2^32). A cell of one
 * value can be the target of an `eq` test; a `ge` test cuts at the first value
 * of a cell. Neighboring cells may have the same class, which can matter: a hot
 * value between values of its own class is worth an `eq` test, and two light
 * adjacent values may be worth one each. So give each value whose weight
 * matters a cell of its own; results and proofs cover trees that single out
 * only cells of one value.
 *
 * @module
 */

/** A line of cells with classes and weights. */
export interface SearchProblem {
  /** First value of each cell, rising; the first is 0. */
  readonly starts: Uint32Array;
  /** 1 for a cell of exactly one value. */
  readonly singles: Uint8Array;
  /** Class of each cell, any non-negative integers. */
  readonly classes: Int32Array;
  /** Weight of each entire cell, finite and not negative. */
  readonly weights: Float64Array;
}

/** Cost to minimize, and limits. */
export interface SearchOptions {
  /**
   * Cost of each test in the tree, in units of weight; 0 by default (fewer
   * tests break ties).
   */
  readonly sizePenalty?: number;
  /**
   * Maximum number of tests on any path; no bound by default. Raised to the
   * minimum that is possible.
   */
  readonly maxDepth?: number;
  /**
   * Work units that the exact search may use, about 10^7 per second; 10^7 by
   * default.
   */
  readonly workLimit?: number;
  /**
   * True (the default) to search exactly. Without it only the interval search
   * runs: it takes a few ms and is still proven if that is cheap, as for
   * uniform weights; it costs up to twice the optimum on very uneven ones.
   */
  readonly prove?: boolean;
  /**
   * Work units for a lower bound on the trees that keep `maxDepth`, if the
   * limit makes the tree costlier; 0 by default, which gives the bound of all
   * trees.
   */
  readonly boundWork?: number;
}

/** A binary tree of tests; `yes` is the side of success. */
export type TestTree =
  | { readonly kind: "leaf"; readonly cls: number }
  | {
    readonly kind: "test";
    /** `eq`: value === k. `ge`: value >= k, unsigned. */
    readonly op: "eq" | "ge";
    /** Constant of the test, a u32. */
    readonly k: number;
    readonly yes: TestTree;
    readonly no: TestTree;
  };

/** The tree that was found, and the facts that are known about it. */
export interface SearchResult {
  /** The tree. */
  readonly tree: TestTree;
  /** Sum over cells of weight times number of tests; without `sizePenalty`. */
  readonly cost: number;
  /** Number of tests in the tree. */
  readonly tests: number;
  /** Maximum number of tests on a path. */
  readonly depth: number;
  /**
   * True if no tree of `eq` and `ge` tests of any depth has a smaller `cost +
   * sizePenalty * tests`, up to one part in 10^6 of the total weight (the
   * tie-breaks and rounding are within it). A tree that `maxDepth` made
   * costlier than the unbounded optimum is never called proven.
   */
  readonly proven: boolean;
  /** Lower bound on `cost + sizePenalty * tests`. */
  readonly lowerBound: number;
}
