/**
 * The search problem: which tests on one word of the input lead to its class
 * at the least expected number of tests. It knows neither architectures nor
 * return values; `compiler/tree.ts` translates.
 *
 * A problem is a line of cells, a gapless partition of [0, 2^32). A cell that
 * holds one value can be the target of an `eq` test; a `ge` test cuts at the
 * first value of a cell. Neighboring cells may have the same class, and that is
 * not idle: a hot value between values of its own class is worth an `eq` test,
 * and two light values side by side may be worth one each. So give each value
 * whose weight counts a cell of its own; what is found and proven is over trees
 * that single out cells of one value only.
 *
 * @module
 */

/** A line of cells with classes and weights. */
export interface SearchProblem {
  /** First value of each cell, rising; the first is 0. */
  readonly starts: Uint32Array;
  /** 1 where the cell holds exactly one value. */
  readonly singles: Uint8Array;
  /** Class of each cell, any non-negative integers. */
  readonly classes: Int32Array;
  /** Weight of each cell as a whole, finite and not negative. */
  readonly weights: Float64Array;
}

/** What to minimize, within which limits. */
export interface SearchOptions {
  /** Cost of one test's existence, in units of weight; 0 if absent (fewer tests break ties). */
  readonly sizePenalty?: number;
  /** Most tests on any path; absent for no bound. Raised to what is possible at all. */
  readonly maxDepth?: number;
  /** Work units that the exact search may spend, some 10^7 a second; 10^7 where absent. */
  readonly workLimit?: number;
  /**
   * Whether to search exactly; true where absent. Without it there is the
   * interval search only: a few ms, and still proven where that is cheap, as
   * for uniform weights; up to twice the optimum on very uneven ones.
   */
  readonly prove?: boolean;
  /**
   * Work units for a lower bound on the trees that keep `maxDepth`, if the limit
   * makes the tree dearer; 0 if absent: the bound is that of all trees then.
   */
  readonly boundWork?: number;
}

/** A binary tree of tests; `yes` is taken where the test holds. */
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

/** The tree that was found, and what is known about it. */
export interface SearchResult {
  /** The tree. */
  readonly tree: TestTree;
  /** Sum over cells of weight times number of tests; without `sizePenalty`. */
  readonly cost: number;
  /** Number of tests in the tree. */
  readonly tests: number;
  /** Most tests on a path. */
  readonly depth: number;
  /**
   * Whether no tree of `eq` and `ge` tests has a smaller `cost + sizePenalty *
   * tests`, depth unbounded, up to one part in 10^6 of the total weight (the
   * tie-breaks and rounding live there). A tree that `maxDepth` made dearer
   * than the unbounded optimum is never called proven.
   */
  readonly proven: boolean;
  /** No tree has a smaller `cost + sizePenalty * tests`. */
  readonly lowerBound: number;
}
