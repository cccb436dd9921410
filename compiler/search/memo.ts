/**
 * The memory of the exact search: states to small numbers, by open addressing
 * (a `Map` would need keys beyond 2^31 or strings, ten times as slow).
 *
 * @module
 */

import { present } from "../present.ts";

/** No bound on the depth; deeper trees than this do not occur. */
export const UNBOUNDED = 2047;

/** A query to the exact search, without a bound on depth. */
export interface State {
  /** First and last run. */
  readonly i: number;
  readonly j: number;
  /** Rank of the heaviest candidate left, and of the heaviest of another class. */
  readonly one: number;
  readonly two: number;
}

/** Capacity before the first growth. */
const CAPACITY = 1 << 13;

/** States by number, with the facts known about each. */
export class Memo {
  /** Number of states. */
  count = 0;
  /** The state, as in `State`. */
  i: Int32Array = new Int32Array(CAPACITY);
  j: Int32Array = new Int32Array(CAPACITY);
  one: Int32Array = new Int32Array(CAPACITY);
  two: Int32Array = new Int32Array(CAPACITY);
  /** Number of tests that may follow, or `UNBOUNDED`. */
  room: Int32Array = new Int32Array(CAPACITY);
  /** Its cost, or a lower bound on it. */
  value: Float64Array = new Float64Array(CAPACITY);
  /** 1 if `value` is its exact cost and the choice below is valid. */
  exact: Uint8Array = new Uint8Array(CAPACITY);
  /** Number of `eq` tests on the heaviest value, then on the heaviest of another class. */
  heavy: Int32Array = new Int32Array(CAPACITY);
  light: Int32Array = new Int32Array(CAPACITY);
  /** First run to the right of the threshold that follows, or -1 for a leaf. */
  cut: Int32Array = new Int32Array(CAPACITY);
  /** Maximum number of tests on a path. */
  depth: Int32Array = new Int32Array(CAPACITY);

  readonly #n: number;
  readonly #ranks: number;
  /** By hash: the number of a state plus 1, or 0; its key. */
  #table = new Int32Array(2 * CAPACITY);
  #keys = new Float64Array(2 * CAPACITY);

  /**
   * Makes an empty memory.
   *
   * @param n Number of runs of the line, so that i, j < n.
   * @param none Number of candidates of the line, so that one, two <= none.
   */
  constructor(n: number, none: number) {
    this.#n = n;
    this.#ranks = none + 1;
  }

  /**
   * Returns the number of a state; `count` rises if it is new.
   *
   * Takes numbers instead of a record: it is called twice for each threshold
   * that is tried, and records made the exact search 8 % slower.
   */
  find(i: number, j: number, one: number, two: number, room: number): number {
    // n <= 2^9, none < 2^12 and room < 2^11 keep keys below 2^53, so exact.
    const ranks = this.#ranks;
    const range = (room * this.#n + i) * this.#n + j;
    const holes = one * ranks + two;
    const key = range * ranks * ranks + holes;
    const hash = hashOf(range, holes);
    const table = this.#table;
    const keys = this.#keys;
    const mask = table.length - 1;
    let at = hash & mask;
    for (let known = present(table[at]); known !== 0;) {
      if (keys[at] === key) return known - 1;
      at = (at + 1) & mask;
      known = present(table[at]);
    }
    if (2 * this.count === table.length) {
      this.#grow();
      at = this.#freePlace(hash);
    }
    const id = this.count++;
    this.#table[at] = id + 1;
    this.#keys[at] = key;
    this.i[id] = i;
    this.j[id] = j;
    this.one[id] = one;
    this.two[id] = two;
    this.room[id] = room;
    return id;
  }

  /**
   * Returns the state `free`, which has no bound on depth, under such a bound:
   * itself if its best tree keeps the bound.
   */
  underBound(free: number, room: number): number {
    if (room === UNBOUNDED) return free;
    if (this.exact[free] === 1 && present(this.depth[free]) <= room) {
      return free;
    }
    const known = this.count;
    const { i, j, one, two } = this.stateOf(free);
    const id = this.find(i, j, one, two, room);
    if (this.count > known) this.value[id] = present(this.value[free]);
    return id;
  }

  /** Returns the state with a given number. */
  stateOf(id: number): State {
    return {
      i: present(this.i[id]),
      j: present(this.j[id]),
      one: present(this.one[id]),
      two: present(this.two[id]),
    };
  }

  #freePlace(hash: number): number {
    const mask = this.#table.length - 1;
    let at = hash & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    this.i = doubled(this.i);
    this.j = doubled(this.j);
    this.one = doubled(this.one);
    this.two = doubled(this.two);
    this.room = doubled(this.room);
    this.heavy = doubled(this.heavy);
    this.light = doubled(this.light);
    this.cut = doubled(this.cut);
    this.depth = doubled(this.depth);
    const { value, exact } = this;
    this.value = new Float64Array(2 * value.length);
    this.value.set(value);
    this.exact = new Uint8Array(2 * exact.length);
    this.exact.set(exact);
    const table = this.#table;
    const keys = this.#keys;
    this.#table = new Int32Array(2 * table.length);
    this.#keys = new Float64Array(2 * table.length);
    for (const [from, known] of table.entries()) {
      if (known === 0) continue;
      const { i, j, one, two } = this.stateOf(known - 1);
      const range = (present(this.room[known - 1]) * this.#n + i) * this.#n + j;
      const at = this.#freePlace(hashOf(range, one * this.#ranks + two));
      this.#table[at] = known;
      this.#keys[at] = present(keys[from]);
    }
  }
}

/** Copies a column into one of twice the length. */
function doubled(column: Int32Array): Int32Array {
  const longer = new Int32Array(2 * column.length);
  longer.set(column);
  return longer;
}

/** Spreads a state over the bits of a number. */
function hashOf(range: number, holes: number): number {
  let h = Math.imul(range, 0x9e37_79b1) ^ Math.imul(holes, 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d);
  return h ^ (h >>> 13);
}
