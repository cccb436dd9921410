/**
 * One state of the exact search while its continuations are compared.
 *
 * @module
 */

import { present } from "../present.ts";
import type { Line } from "./line.ts";
import type { View } from "./view.ts";

/** Continuation of a tree after the tested values of a frame. */
export interface Way {
  /** Number of them that were the heaviest of another class. */
  readonly light: number;
  /** First run to the right of the threshold that follows, or -1 for a leaf. */
  readonly cut: number;
  /** Maximum number of tests on a path after them. */
  readonly depth: number;
}

/** The best continuation of a state, while it is searched. */
export class Frame {
  /** Maximum cost: the budget, then the best cost so far. */
  limit: number;
  /** Minimum lower bound of the continuations that were discarded. */
  lowerBound: number;
  /** Cost of the best tree so far; its continuation, as in `Memo`. */
  best: number;
  heavy = 0;
  light = 0;
  cut = -1;
  depth = 0;
  /**
   * Lower bound on the left side of all cuts to the right of the last one
   * tried, and the reverse.
   */
  leftLow = 0;
  rightLow = 0;
  /** Ranks of the values that the chain tests. */
  readonly tested: number[] = [];

  /** Begins a state whose maximum cost is `budget`. */
  constructor(budget: number) {
    this.limit = budget;
    this.lowerBound = Infinity;
    this.best = Infinity;
  }

  /**
   * Records a lower bound of a continuation; returns true if it cannot be the
   * best.
   */
  giveUp(bound: number): boolean {
    if (bound <= this.limit && bound < this.best) return false;
    if (bound < this.lowerBound) this.lowerBound = bound;
    return true;
  }

  /** Keeps a tree if it is the best so far. */
  offer(cost: number, { light, cut, depth }: Way): void {
    if (this.giveUp(cost)) return;
    this.best = cost;
    this.limit = cost;
    this.heavy = this.tested.length - light;
    this.light = light;
    this.cut = cut;
    this.depth = this.tested.length + depth;
  }

  /**
   * Reports whether a threshold before part p leaves, on the side away from
   * each tested value, no more than that value weighs.
   */
  obeysLemma(line: Line, { m, sums, from }: View, p: number): boolean {
    if (this.tested.length === 0) return true;
    const left = present(sums[p]);
    const right = present(sums[m]) - left;
    for (const rank of this.tested) {
      const run = present(line.candidateRun[rank]);
      const away = run >= present(from[p]) ? left : right;
      const own = present(line.candidateWeight[rank]);
      if (away > own + line.noise) return false;
    }
    return true;
  }
}
