/**
 * The rest of a range of runs after `eq` tests removed values: the *view* of a
 * state of the exact search.
 *
 * @module
 */

import { present } from "../present.ts";
import type { Line } from "./line.ts";

/** The values of a view: those of some runs that no `eq` test removed. */
export interface Remainder {
  /** First and last run. */
  readonly first: number;
  readonly last: number;
  /** A class; -1 for none. Its candidates before rank `low` are removed. */
  readonly cls: number;
  readonly low: number;
  /** The candidates of other classes before this rank are removed. */
  readonly lowOther: number;
}

/** Parts of one class from left to right, with sums from both ends. */
export class View {
  /** Number of parts; neighbors differ in class. */
  m = 0;
  /** Number of removed candidates. */
  holes = 0;
  /** Per part: first and last run that is left. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Per part: its class. */
  readonly cls: Int32Array;
  /** Weight left of each part, m + 1 sums. */
  readonly sums: Float64Array;
  /** Per part: 1 if it is exactly one candidate. */
  readonly sole: Uint8Array;
  /**
   * Heaviest candidate left of part p (p = 1…m), and heaviest of another class
   * than that one.
   */
  readonly left1: Int32Array;
  readonly left2: Int32Array;
  /** The same for part p and everything to its right (p = 0…m - 1). */
  readonly right1: Int32Array;
  readonly right2: Int32Array;
  /** Scratch: heaviest candidate of each part. */
  readonly #rank: Int32Array;

  /** Makes an empty view for lines of up to n runs. */
  constructor(n: number) {
    this.from = new Int32Array(n);
    this.to = new Int32Array(n);
    this.cls = new Int32Array(n);
    this.sums = new Float64Array(n + 1);
    this.sole = new Uint8Array(n);
    this.left1 = new Int32Array(n + 1);
    this.left2 = new Int32Array(n + 1);
    this.right1 = new Int32Array(n + 1);
    this.right2 = new Int32Array(n + 1);
    this.#rank = new Int32Array(n);
  }

  /** Computes the rest of a line. */
  fill(line: Line, { first, last, cls, low, lowOther }: Remainder): void {
    const { classes, peelable, ranks, candidateWeight } = line;
    const { from, to, sole, sums } = this;
    const rank = this.#rank;
    const none = candidateWeight.length;
    let m = -1;
    let holes = 0;
    for (let run = first; run <= last; run++) {
      const own = present(classes[run]);
      const limit = own === cls ? low : lowOther;
      const end = present(line.first[run + 1]);
      let p = present(line.first[run]);
      let weight = present(line.sums[run + 1]) - present(line.sums[run]);
      while (p < end && present(ranks[p]) < limit) {
        weight -= present(candidateWeight[present(ranks[p])]);
        p++;
        holes++;
      }
      if (p === end && peelable[run] === 1) continue;
      const heaviest = p < end ? present(ranks[p]) : none;
      if (m >= 0 && this.cls[m] === own) {
        to[m] = run;
        sole[m] = 0;
        if (heaviest < present(rank[m])) rank[m] = heaviest;
        sums[m + 1] = present(sums[m + 1]) + weight;
      } else {
        m++;
        from[m] = to[m] = run;
        this.cls[m] = own;
        sole[m] = peelable[run] === 1 && end - p === 1 ? 1 : 0;
        rank[m] = heaviest;
        sums[m + 1] = present(sums[m]) + weight;
      }
    }
    this.m = m + 1;
    this.holes = holes;
    this.#sweep(none);
  }

  /** Finds the heaviest candidates from both ends. */
  #sweep(none: number): void {
    const { m, cls, left1, left2, right1, right2 } = this;
    const rank = this.#rank;
    let one = none;
    let two = none;
    let oneClass = -1;
    left1[0] = left2[0] = none;
    for (let p = 0; p < m; p++) {
      const r = present(rank[p]);
      const c = present(cls[p]);
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
      const r = present(rank[p]);
      const c = present(cls[p]);
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
   * @param weights Receives the sums, by class; other classes are unchanged.
   * @returns The heaviest class's weight.
   */
  weighClasses(weights: Float64Array): number {
    const { m, cls, sums } = this;
    for (let p = 0; p < m; p++) weights[present(cls[p])] = 0;
    let most = 0;
    for (let p = 0; p < m; p++) {
      const c = present(cls[p]);
      const part = present(sums[p + 1]) - present(sums[p]);
      const weight = present(weights[c]) + part;
      weights[c] = weight;
      if (weight > most) most = weight;
    }
    return most;
  }
}
