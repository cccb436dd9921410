/**
 * Finds a replacement for a node in a graph of tests (share.ts): another
 * node, or one or two new tests in front of other nodes.
 *
 * For each value that reaches the node, there is a set of candidates that are
 * wrong for it. The union over the values on one side of a test contains all
 * candidates that cannot be used there. The unions for all thresholds are those
 * of the values before and after each; the unions for all masks of JSET follow
 * from one another, a bit at a time.
 *
 * @module
 */

import type { BitTree } from "./bits.ts";
import { absent } from "./present.ts";

/** A test of the value. */
export type ValueTest = Pick<Extract<BitTree, { kind: "test" }>, "op" | "k">;

/** Bits that JSET may test: those of all numbers of calls. */
export const JSET_BITS = 9;
/** Maximum number of samples for which two new tests are tried. */
const MOST_SAMPLES = 32;

/** A node that may replace another. */
export interface StandIn {
  readonly node: number;
  /** By value: whether it is right. */
  readonly right: Int32Array;
  /** Number of tests that would be kept for it alone. */
  readonly kept: number;
}

/** A value; a long cell is represented by its first values. */
export interface CellSample {
  readonly value: number;
  /** Position among all. */
  readonly index: number;
  /** The only constant of `>=` that tells it from the samples before. */
  readonly start: number;
  /** True if all values of its cell are samples. */
  readonly isWhole: boolean;
}

/** Makes a node. */
type MakeNode = (test: ValueTest, yes: number, no: number) => number;

/**
 * Ways to divide samples, and the candidates that are wrong on each side; by
 * columns, because most are never looked at again.
 */
interface Splits {
  readonly ops: ValueTest["op"][];
  readonly ks: number[];
  /** Sets of candidates, one after the other. */
  readonly yes: Int32Array;
  readonly no: Int32Array;
}

/** A new test of two candidates. */
interface NewTest {
  readonly test: ValueTest;
  readonly yes: StandIn;
  readonly no: StandIn;
  readonly kept: number;
}

/** The search for a replacement of one node. */
export class ReplacementSearch {
  readonly #samples: readonly CellSample[];
  /** Those that keep the fewest tests first. */
  readonly #candidates: readonly StandIn[];
  readonly #words: number;
  /** By sample: the set of candidates that are wrong. */
  readonly #wrong: Int32Array;
  readonly #make: MakeNode;
  #work = 0;

  /**
   * @param samples Those that reach the node, rising.
   * @param reached The set of their positions.
   * @param candidates Nodes that may take its place.
   * @param make Makes a node.
   */
  constructor(
    samples: readonly CellSample[],
    reached: Int32Array,
    candidates: readonly StandIn[],
    make: MakeNode,
  ) {
    this.#samples = samples;
    this.#candidates = candidates.toSorted((a, b) => a.kept - b.kept);
    this.#make = make;
    const words = Math.ceil(candidates.length / 32);
    this.#words = words;
    const wrong = new Int32Array(samples.length * words);
    this.#wrong = wrong;
    const places = new Int32Array(32 * reached.length);
    for (let i = 0; i < samples.length; i++) {
      places[(samples[i] ?? absent()).index] = i;
    }
    for (let c = 0; c < candidates.length; c++) {
      const { right } = this.#candidates[c] ?? absent();
      const bit = 1 << (c & 31);
      for (let w = 0; w < reached.length; w++) {
        let rest = (reached[w] ?? absent()) & ~(right[w] ?? absent());
        for (; rest !== 0; rest &= rest - 1) {
          const index = 32 * w + 31 - Math.clz32(rest & -rest);
          const word = (places[index] ?? absent()) * words + (c >> 5);
          wrong[word] = (wrong[word] ?? absent()) | bit;
        }
      }
    }
    this.#work += candidates.length * samples.length >> 3;
  }

  /** Work so far. */
  get work(): number {
    return this.#work;
  }

  /**
   * Finds the replacement that saves most.
   *
   * @param own Number of tests that are removed with the node.
   * @returns A function that builds it; `undefined` if no replacement saves a
   * test.
   */
  best(own: number): (() => number) | undefined {
    let best: (() => number) | undefined;
    let saved = 0;
    const offer = (saves: number, make: () => number): void => {
      if (saves <= saved) return;
      saved = saves;
      best = make;
    };
    const all = this.#samples.map((_, i) => i);
    const splits = this.#split(all);
    const whole = this.#rightOne(this.#union(all), 0);
    if (whole !== undefined) offer(own - whole.kept, () => whole.node);
    const one = this.#oneTest(splits, Infinity);
    if (one !== undefined) {
      offer(own - 1 - one.kept, () => this.#build(one));
    }
    if (all.length > MOST_SAMPLES) return best;
    const seen = new Set<string>();
    for (let i = 0; i < splits.ks.length; i++) {
      for (const isYes of [true, false]) {
        if (saved >= own - 2) return best;
        const side = this.#rightOne(isYes ? splits.yes : splits.no, i);
        if (side === undefined || side.kept > own - 3 - saved) continue;
        const test = testAt(splits, i);
        const rest = all.filter((i) =>
          succeeds(test, (this.#samples[i] ?? absent()).value) !== isYes
        );
        const key = `${side.node} ${rest.join()}`;
        if (rest.length < 2 || seen.has(key)) continue;
        seen.add(key);
        const inner = this.#oneTest(
          this.#split(rest),
          own - 2 - side.kept - saved,
        );
        if (inner === undefined) continue;
        offer(own - 2 - side.kept - inner.kept, () => {
          const other = this.#build(inner);
          return isYes
            ? this.#make(test, side.node, other)
            : this.#make(test, other, side.node);
        });
      }
    }
    return best;
  }

  #build({ test, yes, no }: NewTest): number {
    return this.#make(test, yes.node, no.node);
  }

  /** The split whose two sides keep the fewest tests, less than given. */
  #oneTest(splits: Splits, limit: number): NewTest | undefined {
    const { yes, no, ks } = splits;
    let best: NewTest | undefined;
    let least = limit;
    for (let i = 0; i < ks.length; i++) {
      const onYes = this.#rightOne(yes, i);
      if (onYes === undefined || onYes.kept >= least) continue;
      const onNo = this.#rightOne(no, i);
      if (onNo === undefined) continue;
      const kept = onYes.kept + onNo.kept;
      if (kept >= least) continue;
      best = { test: testAt(splits, i), yes: onYes, no: onNo, kept };
      least = kept;
    }
    return best;
  }

  /** The first candidate that is not in the set at an index. */
  #rightOne(sets: Int32Array, index: number): StandIn | undefined {
    const words = this.#words;
    for (let w = 0; w < words; w++) {
      const right = ~(sets[index * words + w] ?? absent());
      // Bits beyond the last candidate are none.
      if (right !== 0) {
        return this.#candidates[32 * w + 31 - Math.clz32(right & -right)];
      }
    }
    return undefined;
  }

  /** The candidates that are wrong for one of some samples. */
  #union(samples: readonly number[]): Int32Array {
    const union = new Int32Array(this.#words);
    for (const i of samples) this.#join(union, 0, this.#wrong, i);
    return union;
  }

  /** Adds the set at an index of `from` to that at an index of `to`. */
  #join(to: Int32Array, at: number, from: Int32Array, index: number): void {
    const words = this.#words;
    const [here, there] = [at * words, index * words];
    for (let w = 0; w < words; w++) {
      to[here + w] = (to[here + w] ?? absent()) | (from[there + w] ?? absent());
    }
  }

  /** Divides samples by all tests. */
  #split(samples: readonly number[]): Splits {
    const count = samples.length;
    const varying = this.#varyingBits(samples);
    const most = 2 * count + 2 ** varying.length;
    const splits: Splits = {
      ops: [],
      ks: [],
      yes: new Int32Array(most * this.#words),
      no: new Int32Array(most * this.#words),
    };
    const { ops, ks, yes, no } = splits;
    this.#work += (3 * count + 2 * most) * this.#words;
    // By position: the union of the samples before it, and of those from it on.
    const below = new Int32Array((count + 1) * this.#words);
    const above = new Int32Array((count + 1) * this.#words);
    for (let i = 0; i < count; i++) {
      this.#join(below, i + 1, below, i);
      this.#join(below, i + 1, this.#wrong, samples[i] ?? absent());
      const j = count - 1 - i;
      this.#join(above, j, above, j + 1);
      this.#join(above, j, this.#wrong, samples[j] ?? absent());
    }
    let before = -1;
    for (let i = 0; i < count; i++) {
      const sample = samples[i] ?? absent();
      const { value, start, isWhole } = this.#samples[sample] ?? absent();
      if (i > 0 && start > before) {
        this.#join(yes, ks.length, above, i);
        this.#join(no, ks.length, below, i);
        ops.push("ge");
        ks.push(start);
      }
      // In a long cell a sample stands for others as well.
      if (isWhole) {
        this.#join(yes, ks.length, this.#wrong, sample);
        this.#join(no, ks.length, below, i);
        this.#join(no, ks.length, above, i + 1);
        ops.push("eq");
        ks.push(value);
      }
      before = value;
    }
    this.#splitByBits(samples, varying, splits);
    return splits;
  }

  /** JSET with each mask of the bits in which samples differ. */
  #splitByBits(
    samples: readonly number[],
    varying: readonly number[],
    { ops, ks, yes, no }: Splits,
  ): void {
    const masks = 2 ** varying.length;
    const start = ks.length;
    // By set of bits: samples with no others but these fail the test of all
    // others, which is at `start` and the mask of those, minus one.
    const placeOf = (set: number): number => start + (masks - 1 ^ set) - 1;
    for (const sample of samples) {
      const { value } = this.#samples[sample] ?? absent();
      let pattern = 0;
      for (let b = 0; b < varying.length; b++) {
        if ((value & (varying[b] ?? absent())) === 0) continue;
        pattern |= 1 << b;
        this.#join(yes, start + (1 << b) - 1, this.#wrong, sample);
      }
      // An empty mask tests nothing.
      if (pattern < masks - 1) {
        this.#join(no, placeOf(pattern), this.#wrong, sample);
      }
    }
    for (let b = 0; b < varying.length; b++) {
      for (let set = 0; set < masks - 1; set++) {
        if ((set >> b & 1) === 1) {
          this.#join(no, placeOf(set), no, placeOf(set ^ (1 << b)));
        }
      }
    }
    for (let mask = 1; mask < masks; mask++) {
      const lowest = mask & -mask;
      const rest = mask ^ lowest;
      let k = varying[31 - Math.clz32(lowest)] ?? absent();
      if (rest !== 0) {
        const at = start + mask - 1;
        this.#join(yes, at, yes, start + lowest - 1);
        this.#join(yes, at, yes, start + rest - 1);
        k |= ks[start + rest - 1] ?? absent();
      }
      ops.push("set");
      ks.push(k);
    }
  }

  /** Bits in which samples differ. */
  #varyingBits(samples: readonly number[]): readonly number[] {
    let [some, all] = [0, -1];
    for (const sample of samples) {
      const { value } = this.#samples[sample] ?? absent();
      some |= value;
      all &= value;
    }
    return Array.from({ length: JSET_BITS }, (_, b) => 1 << b)
      .filter((bit) => (some & ~all & bit) !== 0);
  }
}

/** The test at an index. */
function testAt({ ops, ks }: Splits, index: number): ValueTest {
  return { op: ops[index] ?? absent(), k: ks[index] ?? absent() };
}

/** Adds a number to a set. */
export function put(set: Int32Array, index: number): void {
  set[index >> 5] = (set[index >> 5] ?? absent()) | (1 << (index & 31));
}

/** Reports whether a set has a number. */
export function has(set: Int32Array, index: number): boolean {
  return ((set[index >> 5] ?? absent()) >>> (index & 31) & 1) === 1;
}

/** Reports whether a test succeeds for a value. */
export function succeeds({ op, k }: ValueTest, value: number): boolean {
  return op === "eq"
    ? value === k
    : op === "ge"
    ? value >= k
    : (value & k) !== 0;
}
