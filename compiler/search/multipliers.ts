/**
 * A lower bound on the cost of trees that keep a limit on depth. The exact
 * search has no such bound: its lemma is false under a limit.
 *
 * Let T be a tree of depth D or less, w the weights, and u any numbers of 0 or
 * more, one for each cell. No cell is deeper than D in T, so
 *
 *     cost(w, T) = cost(w + u, T) - (sum of u times depth in T)
 *               >= OPT(w + u) - D * (sum of u)
 *
 * and OPT, the minimum cost of trees of any depth, is bounded by the exact
 * search. u are Lagrange multipliers for "not deeper than D". Subgradient steps
 * (Polyak 1969) approach good ones: u rises for the cells that are deeper than
 * D in the best tree for w + u, and falls for the others. The length of a step
 * is the distance to the cost of a tree that keeps the limit, divided by the
 * square of the direction. A gap may remain, so the bound proves nothing more.
 *
 * @module
 */

import { present } from "../present.ts";

/** The best tree for other weights, without a limit on depth. */
export interface Relaxed {
  /** Lower bound on the cost under these weights. */
  readonly lowerBound: number;
  /** Number of tests on the path of each cell in a good tree. */
  readonly depths: Int32Array;
  /** Work units that it took. */
  readonly work: number;
}

/** The bound to compute, and how. */
export interface DepthLimited {
  readonly weights: Float64Array;
  /** The limit on depth. */
  readonly maxDepth: number;
  /** Cost of a tree that keeps it. */
  readonly cost: number;
  /** Searches with other weights, within a work limit. */
  readonly relax: (weights: Float64Array, workLimit: number) => Relaxed;
  /** Work units for all searches. */
  readonly workLimit: number;
}

/** Number of steps without a better bound before the steps become shorter. */
const PATIENCE = 4;
/**
 * The bound is good enough at this distance from the cost, as a share of it.
 */
const CLOSE = 1e-6;
/** Steps shorter than this share of Polyak's are useless. */
const SHORTEST = 1 / 64;

/**
 * Bounds the cost of all trees that keep a limit on depth.
 *
 * @returns The best bound that was found; 0 if there was no work to spend.
 */
export function boundWithin(
  { weights, maxDepth, cost, relax, workLimit }: DepthLimited,
): number {
  const multipliers = new Float64Array(weights.length);
  let best = 0;
  let share = 1;
  let idle = 0;
  let left = workLimit;
  let last = 0;
  // A search that its limit stops gives a useless bound.
  while (left > last && share >= SHORTEST) {
    const { lowerBound, depths, work } = relax(
      weights.map((weight, i) => weight + present(multipliers[i])),
      left,
    );
    left -= work;
    last = work;
    const bound = lowerBound -
      maxDepth * multipliers.reduce((sum, u) => sum + u, 0);
    if (bound > best) idle = 0;
    else if (++idle === PATIENCE) {
      share /= 2;
      idle = 0;
    }
    best = Math.max(best, bound);
    if (best >= cost * (1 - CLOSE)) break;
    const direction = Float64Array.from(
      depths,
      (depth, i) =>
        depth > maxDepth || present(multipliers[i]) > 0 ? depth - maxDepth : 0,
    );
    const square = direction.reduce((sum, g) => sum + g * g, 0);
    if (square === 0) break;
    const step = share * (cost - bound) / square;
    direction.forEach((g, i) => {
      multipliers[i] = Math.max(0, present(multipliers[i]) + step * g);
    });
  }
  return best;
}
