/**
 * A few possible values of one word, and a lower bound on the cost of
 * separating their classes: the data of the JSET pass (bits.ts).
 *
 * @module
 */

import { absent } from "./present.ts";

/** A possible value, with its class. */
export interface Point {
  readonly value: number;
  readonly cls: number;
  readonly weight: number;
}

/** Neighboring values of one class; values between them cannot occur. */
export interface Run {
  readonly first: number;
  readonly cls: number;
  readonly weight: number;
  /** True if it is one value. */
  readonly single: boolean;
}

/** Joins neighboring values of one class. */
export function runsOf(points: readonly Point[]): readonly Run[] {
  const runs: Run[] = [];
  for (const { value, cls, weight } of points) {
    const before = runs[runs.length - 1];
    if (before?.cls === cls) {
      runs[runs.length - 1] = {
        ...before,
        weight: before.weight + weight,
        single: false,
      };
    } else runs.push({ first: value, cls, weight, single: true });
  }
  return runs;
}

/**
 * By mask of four bits: the values for which a JSET of the mask succeeds. A set
 * of values has one bit per value, for the value's four lowest bits; no two
 * values less than 16 apart share them.
 */
export const HELD: readonly number[] = Array.from(
  { length: 16 },
  (_, mask) => {
    let held = 0;
    for (let low = 0; low < 16; low++) {
      if ((low & mask) !== 0) held |= 1 << low;
    }
    return held;
  },
);

/** The values of each class as a set. */
export function setsOf(points: readonly Point[]): readonly number[] {
  const sets = new Map<number, number>();
  for (const { cls, value } of points) {
    sets.set(cls, (sets.get(cls) ?? 0) | (1 << (value & 15)));
  }
  return [...sets.values()];
}

/** The cost of a tree. */
export interface Price {
  /** Sum of weight times tests. */
  readonly cost: number;
  readonly tests: number;
}

/** The cost of a tree for one class. */
export const FREE: Price = { cost: 0, tests: 0 };

/**
 * A lower bound on the cost of a tree of `==` and `>=` tests that separates the
 * classes of some values; exact for at most three runs.
 *
 * @param points In rising order.
 * @param values Subset of them, as a set; of two classes or more.
 */
export function leastPrice(points: readonly Point[], values: number): Price {
  let runs = 0;
  let all = 0;
  let heaviest = 0;
  // The first run; of the second one the number of values; the last one.
  let firstClass = -1;
  let first = 0;
  let second = 0;
  let lastClass = -1;
  let last = 0;
  for (let i = 0; i < points.length; i++) {
    const { value, cls, weight } = points[i] ?? absent();
    if ((values & (1 << (value & 15))) === 0) continue;
    if (cls !== lastClass) {
      runs++;
      lastClass = cls;
      last = 0;
    }
    last += weight;
    all += weight;
    if (last > heaviest) heaviest = last;
    if (runs === 1) {
      firstClass = cls;
      first = last;
    } else if (runs === 2) second++;
  }
  const peeled = runs === 3 && second === 1 && firstClass === lastClass;
  if (runs === 2 || peeled) return { cost: all, tests: 1 };
  // At most one run is finished after the first test.
  return runs === 3
    ? { cost: 2 * all - Math.max(first, last), tests: 2 }
    : { cost: 2 * all - heaviest, tests: Math.max(2, runs >> 1) };
}
