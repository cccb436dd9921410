/**
 * What is left of a range of runs after `eq` tests took values out: the *view*
 * of a state of the exact search.
 *
 * @module
 */

import type { Line } from "./line.ts";

/** Parts of one class from left to right, with sums from both ends. */
export interface View {
  /** Number of parts; neighbors differ in class. */
  m: number;
  /** Number of candidates that are gone. */
  holes: number;
  /** Per part: first and last run that is alive. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Per part: its class. */
  readonly cls: Int32Array;
  /** Weight left of each part, m + 1 sums. */
  readonly sums: Float64Array;
  /** Per part: 1 where it is one candidate and nothing else. */
  readonly sole: Uint8Array;
  /** Heaviest candidate left of part p (p = 1…m), and heaviest of another class than that one. */
  readonly left1: Int32Array;
  readonly left2: Int32Array;
  /** The same for part p and what is right of it (p = 0…m - 1). */
  readonly right1: Int32Array;
  readonly right2: Int32Array;
  /** Scratch: heaviest candidate of each part. */
  readonly rank: Int32Array;
}

/** Makes an empty view for lines of up to n runs. */
export function createView(n: number): View {
  return {
    m: 0,
    holes: 0,
    from: new Int32Array(n),
    to: new Int32Array(n),
    cls: new Int32Array(n),
    sums: new Float64Array(n + 1),
    sole: new Uint8Array(n),
    left1: new Int32Array(n + 1),
    left2: new Int32Array(n + 1),
    right1: new Int32Array(n + 1),
    right2: new Int32Array(n + 1),
    rank: new Int32Array(n),
  };
}

/**
 * Fills a view with the runs i…j without the candidates of class `cls` that
 * rank before `low`, and without those of other classes that rank before
 * `lowOther`.
 */
export function fillView(
  line: Line,
  view: View,
  i: number,
  j: number,
  cls: number,
  low: number,
  lowOther: number,
): void {
  const { classes, sums, peelable, first, ranks, candidateWeight } = line;
  const { from, to, rank, sole } = view;
  const none = candidateWeight.length;
  let m = -1;
  let holes = 0;
  // All reads below are within bounds: i <= run <= j < n, p < ranks.length.
  for (let run = i; run <= j; run++) {
    const own = classes[run] as number;
    const limit = own === cls ? low : lowOther;
    const end = first[run + 1] as number;
    let p = first[run] as number;
    let weight = (sums[run + 1] as number) - (sums[run] as number);
    while (p < end && (ranks[p] as number) < limit) {
      weight -= candidateWeight[ranks[p] as number] as number;
      p++;
      holes++;
    }
    if (p === end && peelable[run] === 1) continue;
    const heaviest = p < end ? ranks[p] as number : none;
    if (m >= 0 && view.cls[m] === own) {
      to[m] = run;
      sole[m] = 0;
      if (heaviest < (rank[m] as number)) rank[m] = heaviest;
      view.sums[m + 1] = (view.sums[m + 1] as number) + weight;
    } else {
      m++;
      from[m] = to[m] = run;
      view.cls[m] = own;
      sole[m] = peelable[run] === 1 && end - p === 1 ? 1 : 0;
      rank[m] = heaviest;
      view.sums[m + 1] = (view.sums[m] as number) + weight;
    }
  }
  view.m = m + 1;
  view.holes = holes;
  sweep(view, none);
}

/** Sums the heaviest candidates up from both ends. */
function sweep(view: View, none: number): void {
  const { m, rank, cls, left1, left2, right1, right2 } = view;
  let one = none;
  let two = none;
  let oneClass = -1;
  left1[0] = left2[0] = none;
  for (let p = 0; p < m; p++) {
    const r = rank[p] as number;
    const c = cls[p] as number;
    if (r < one) {
      if (c !== oneClass) two = one;
      one = r;
      oneClass = c;
    } else if (r < two && c !== oneClass) two = r;
    left1[p + 1] = one;
    left2[p + 1] = two;
  }
  one = two = none;
  oneClass = -1;
  for (let p = m - 1; p >= 0; p--) {
    const r = rank[p] as number;
    const c = cls[p] as number;
    if (r < one) {
      if (c !== oneClass) two = one;
      one = r;
      oneClass = c;
    } else if (r < two && c !== oneClass) two = r;
    right1[p] = one;
    right2[p] = two;
  }
}

/**
 * Sums the weight left of each class.
 *
 * @param weights Where to put it, by class; other classes are left alone.
 * @returns The heaviest class's weight.
 */
export function weighClasses(view: View, weights: Float64Array): number {
  const { m, cls, sums } = view;
  for (let p = 0; p < m; p++) weights[cls[p] as number] = 0;
  let most = 0;
  for (let p = 0; p < m; p++) {
    const c = cls[p] as number;
    const part = (sums[p + 1] as number) - (sums[p] as number);
    const weight = (weights[c] as number) + part;
    weights[c] = weight;
    if (weight > most) most = weight;
  }
  return most;
}
