/**
 * The memory of the exact search: states to small numbers, by open addressing
 * on two 32-bit words (a `Map` with number keys beyond 2^31 takes some ten
 * times as long).
 *
 * @module
 */

/** States by number, with what is known about each. */
export interface Memo {
  /** Number of states. */
  count: number;
  /** Number of a state, made where it is new: then `count` has risen. */
  find(a: number, b: number): number;
  /** Per state: its cost, or a lower bound on it. */
  value: Float64Array;
  /** Per state: 1 where `value` is its cost and the choice stands. */
  exact: Uint8Array;
  /** Per state: number of `eq` tests on the heaviest value, then of those on the heaviest of another class. */
  heavy: Int32Array;
  light: Int32Array;
  /** Per state: first run right of the threshold that follows, or -1 for a leaf. */
  cut: Int32Array;
}

/** Makes an empty memory. */
export function createMemo(): Memo {
  let size = 1 << 12;
  let table = new Int32Array(size);
  let keyA = new Int32Array(size >> 1);
  let keyB = new Int32Array(size >> 1);
  const hash = (a: number, b: number): number => {
    let h = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b);
    h ^= h >>> 15;
    return Math.imul(h, 0x2c1b_3c6d) ^ (h >>> 13);
  };
  const memo: Memo = {
    count: 0,
    value: new Float64Array(size >> 1),
    exact: new Uint8Array(size >> 1),
    heavy: new Int32Array(size >> 1),
    light: new Int32Array(size >> 1),
    cut: new Int32Array(size >> 1),
    find(a: number, b: number): number {
      let at = hash(a, b) & (size - 1);
      for (let id = table[at] ?? 0; id !== 0; id = table[at] ?? 0) {
        if (keyA[id - 1] === a && keyB[id - 1] === b) return id - 1;
        at = (at + 1) & (size - 1);
      }
      const id = memo.count++;
      if (memo.count > size >> 1) {
        grow();
        at = hash(a, b) & (size - 1);
        while (table[at] !== 0) at = (at + 1) & (size - 1);
      }
      table[at] = id + 1;
      keyA[id] = a;
      keyB[id] = b;
      return id;
    },
  };
  const grow = (): void => {
    size *= 2;
    const longer = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const made = new Int32Array(size >> 1);
      made.set(old);
      return made;
    };
    keyA = longer(keyA);
    keyB = longer(keyB);
    memo.heavy = longer(memo.heavy);
    memo.light = longer(memo.light);
    memo.cut = longer(memo.cut);
    const { value, exact } = memo;
    memo.value = new Float64Array(size >> 1);
    memo.value.set(value);
    memo.exact = new Uint8Array(size >> 1);
    memo.exact.set(exact);
    table = new Int32Array(size);
    for (let id = 0; id < memo.count - 1; id++) {
      let at = hash(keyA[id] ?? 0, keyB[id] ?? 0) & (size - 1);
      while (table[at] !== 0) at = (at + 1) & (size - 1);
      table[at] = id + 1;
    }
  };
  return memo;
}
