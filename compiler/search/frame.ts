/**
 * One state of the exact search while its ways on are compared.
 *
 * @module
 */

import type { Line } from "./line.ts";
import type { View } from "./view.ts";

/** The best way on from a state, while it is searched. */
export interface Frame {
  /** What it may cost: the budget, then the best cost so far. */
  limit: number;
  /** Least lower bound among the ways that were given up. */
  floor: number;
  /** Cost of the best tree so far; how it goes on, as in `Memo`. */
  best: number;
  heavy: number;
  light: number;
  cut: number;
  depth: number;
  /** Lower bound on the left side of all cuts right of the last one tried, and the reverse. */
  leftLow: number;
  rightLow: number;
  /** Ranks of the values that the chain tests. */
  readonly tested: number[];
}

/** Begins a state that may cost `budget`. */
export function createFrame(budget: number): Frame {
  return {
    limit: budget,
    floor: Infinity,
    best: Infinity,
    heavy: 0,
    light: 0,
    cut: -1,
    depth: 0,
    leftLow: 0,
    rightLow: 0,
    tested: [],
  };
}

/** Notes a lower bound of a way and tells whether it cannot be the best. */
export function giveUp(frame: Frame, bound: number): boolean {
  if (bound <= frame.limit && bound < frame.best) return false;
  if (bound < frame.floor) frame.floor = bound;
  return true;
}

/** Takes a tree where it is the best so far. */
export function offer(
  frame: Frame,
  cost: number,
  light: number,
  cut: number,
  depth: number,
): void {
  if (giveUp(frame, cost)) return;
  frame.best = cost;
  frame.limit = cost;
  frame.heavy = frame.tested.length - light;
  frame.light = light;
  frame.cut = cut;
  frame.depth = frame.tested.length + depth;
}

/** Whether the side away from each tested value is no heavier than the value. */
export function obeysLemma(
  line: Line,
  tested: readonly number[],
  view: View,
  p: number,
): boolean {
  const left = view.sums[p] as number;
  const right = (view.sums[view.m] as number) - left;
  for (const rank of tested) {
    const run = line.candidateRun[rank] as number;
    const away = run >= (view.from[p] as number) ? left : right;
    const own = line.candidateWeight[rank] as number;
    if (away > own + line.noise) return false;
  }
  return true;
}
