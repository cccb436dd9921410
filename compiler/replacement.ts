/**
 * Finds a replacement for a node in a graph of tests (share.ts): another
 * node, or one or two new tests in front of other nodes.
 *
 * For each value that reaches the node there is a set of candidates that are
 * wrong for it. The union over the values on one side of a test has all that may
 * not be used there. The unions for all thresholds are those of the values
 * before and after each; the unions for all masks of JSET follow from one
 * another, a bit at a time.
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

/** A node that may take the place of another. */
export interface StandIn {
  readonly node: number;
  /** By value: whether it is right. */
  readonly right: Uint32Array;
  /** Number of tests that would be kept for it alone. */
  readonly kept: number;
}

/** A value; a cell that is too long has only its first ones. */
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

/** Ways to divide samples, and the candidates that are wrong on each side. */
interface Splits {
  readonly tests: readonly ValueTest[];
  /** Sets of candidates, one after the other. */
  readonly yes: Uint32Array;
  readonly no: Uint32Array;
}

/** A new test of two candidates. */
interface NewTest {
  readonly test: ValueTest;
  readonly yes: StandIn;
  readonly no: StandIn;
  readonly kept: number;
}

/** The search for what may take the place of one node. */
export class ReplacementSearch {
  readonly #samples: readonly CellSample[];
  /** Those that keep the fewest tests first. */
  readonly #candidates: readonly StandIn[];
  readonly #words: number;
  /** By sample: the set of candidates that are wrong. */
  readonly #wrong: Uint32Array;
  readonly #make: MakeNode;
  #work = 0;

  /**
   * @param samples Those that reach the node, rising.
   * @param candidates Nodes that may take its place.
   * @param make Makes a node.
   */
  constructor(
    samples: readonly CellSample[],
    candidates: readonly StandIn[],
    make: MakeNode,
  ) {
    this.#samples = samples;
    this.#candidates = candidates.toSorted((a, b) => a.kept - b.kept);
    this.#make = make;
    const words = Math.ceil(candidates.length / 32);
    this.#words = words;
    this.#wrong = new Uint32Array(samples.length * words);
    for (const [c, { right }] of this.#candidates.entries()) {
      for (let i = 0; i < samples.length; i++) {
        const { index } = samples[i] ?? absent();
        if (has(right, index)) continue;
        const word = i * words + (c >> 5);
        this.#wrong[word] = (this.#wrong[word] ?? absent()) | (1 << (c & 31));
      }
    }
    this.#work += candidates.length * samples.length >> 3;
  }

  /** Work so far. */
  get work(): number {
    return this.#work;
  }

  /**
   * Finds what saves most.
   *
   * @param own Number of tests that go with the node.
   * @returns A function that makes it; `undefined` if nothing saves a test.
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
    const one = this.#oneTest(splits);
    if (one !== undefined) {
      offer(own - 1 - one.kept, () => this.#build(one));
    }
    if (all.length > MOST_SAMPLES) return best;
    const seen = new Set<string>();
    for (const [i, test] of splits.tests.entries()) {
      for (const isYes of [true, false]) {
        if (saved >= own - 2) return best;
        const side = this.#rightOne(isYes ? splits.yes : splits.no, i);
        if (side === undefined || side.kept > own - 3 - saved) continue;
        const rest = all.filter((i) =>
          succeeds(test, (this.#samples[i] ?? absent()).value) !== isYes
        );
        const key = `${side.node} ${rest.join()}`;
        if (rest.length < 2 || seen.has(key)) continue;
        seen.add(key);
        const inner = this.#oneTest(this.#split(rest));
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

  /** The split whose two sides keep the fewest tests. */
  #oneTest({ tests, yes, no }: Splits): NewTest | undefined {
    let best: NewTest | undefined;
    for (let i = 0; i < tests.length; i++) {
      const onYes = this.#rightOne(yes, i);
      const onNo = onYes && this.#rightOne(no, i);
      if (onYes === undefined || onNo === undefined) continue;
      const kept = onYes.kept + onNo.kept;
      if (kept >= (best?.kept ?? Infinity)) continue;
      best = { test: tests[i] ?? absent(), yes: onYes, no: onNo, kept };
    }
    return best;
  }

  /** The first candidate that is not in the set at an index. */
  #rightOne(sets: Uint32Array, index: number): StandIn | undefined {
    for (let w = 0; w < this.#words; w++) {
      const right = ~(sets[index * this.#words + w] ?? absent());
      // Bits beyond the last candidate are none.
      if (right !== 0) {
        return this.#candidates[32 * w + 31 - Math.clz32(right & -right)];
      }
    }
    return undefined;
  }

  /** The candidates that are wrong for one of some samples. */
  #union(samples: readonly number[]): Uint32Array {
    const union = new Uint32Array(this.#words);
    for (const i of samples) this.#join(union, 0, this.#wrong, i);
    return union;
  }

  /** Adds the set at an index of `from` to that at an index of `to`. */
  #join(to: Uint32Array, at: number, from: Uint32Array, index: number): void {
    for (let w = 0; w < this.#words; w++) {
      const word = at * this.#words + w;
      to[word] = (to[word] ?? absent()) |
        (from[index * this.#words + w] ?? absent());
    }
  }

  /** Divides samples by all tests. */
  #split(samples: readonly number[]): Splits {
    const tests: ValueTest[] = [];
    const count = samples.length;
    const varying = this.#varyingBits(samples);
    const most = 2 * count + 2 ** varying.length;
    const yes = new Uint32Array(most * this.#words);
    const no = new Uint32Array(most * this.#words);
    this.#work += (3 * count + 2 * most) * this.#words;
    // By position: the union of the samples before it, and of those from it on.
    const below = new Uint32Array((count + 1) * this.#words);
    const above = new Uint32Array((count + 1) * this.#words);
    for (let i = 0; i < count; i++) {
      this.#join(below, i + 1, below, i);
      this.#join(below, i + 1, this.#wrong, samples[i] ?? absent());
      const j = count - 1 - i;
      this.#join(above, j, above, j + 1);
      this.#join(above, j, this.#wrong, samples[j] ?? absent());
    }
    let before = -1;
    for (const [i, sample] of samples.entries()) {
      const { value, start, isWhole } = this.#samples[sample] ?? absent();
      if (i > 0 && start > before) {
        this.#join(yes, tests.length, above, i);
        this.#join(no, tests.length, below, i);
        tests.push({ op: "ge", k: start });
      }
      // In a long cell a sample stands for others as well.
      if (isWhole) {
        this.#join(yes, tests.length, this.#wrong, sample);
        this.#join(no, tests.length, below, i);
        this.#join(no, tests.length, above, i + 1);
        tests.push({ op: "eq", k: value });
      }
      before = value;
    }
    this.#splitByBits(samples, varying, { tests, yes, no });
    return { tests, yes, no };
  }

  /** JSET with each mask of the bits in which samples differ. */
  #splitByBits(
    samples: readonly number[],
    varying: readonly number[],
    { tests, yes, no }: Splits & { readonly tests: ValueTest[] },
  ): void {
    const masks = 2 ** varying.length;
    /** By set of bits: samples with no other bits. */
    const within = new Uint32Array(masks * this.#words);
    const withBit = new Uint32Array(varying.length * this.#words);
    for (const sample of samples) {
      const { value } = this.#samples[sample] ?? absent();
      let pattern = 0;
      for (const [b, bit] of varying.entries()) {
        if ((value & bit) === 0) continue;
        pattern |= 1 << b;
        this.#join(withBit, b, this.#wrong, sample);
      }
      this.#join(within, pattern, this.#wrong, sample);
    }
    for (let b = 0; b < varying.length; b++) {
      for (let set = 0; set < masks; set++) {
        if ((set >> b & 1) === 1) {
          this.#join(within, set, within, set ^ (1 << b));
        }
      }
    }
    for (let mask = 1; mask < masks; mask++) {
      let k = 0;
      for (const [b, bit] of varying.entries()) {
        if ((mask >> b & 1) === 0) continue;
        k |= bit;
        this.#join(yes, tests.length, withBit, b);
      }
      this.#join(no, tests.length, within, masks - 1 ^ mask);
      tests.push({ op: "set", k });
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

/** Adds a number to a set. */
export function put(set: Uint32Array, index: number): void {
  set[index >> 5] = (set[index >> 5] ?? absent()) | (1 << (index & 31));
}

/** Reports whether a set has a number. */
export function has(set: Uint32Array, index: number): boolean {
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
