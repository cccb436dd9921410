/**
 * The memory of the exact search: states to small numbers, by open addressing
 * (a `Map` would need keys beyond 2^31 or strings, ten times as slow).
 *
 * @module
 */

/** What is kept of each state: the state itself, and what is known about it. */
interface Columns {
  /** First and last run. */
  i: Int32Array;
  j: Int32Array;
  /** Rank of the heaviest candidate left, and of the heaviest of another class. */
  one: Int32Array;
  two: Int32Array;
  /** Tests that may follow. */
  room: Int32Array;
  /** Its cost, or a lower bound on it. */
  value: Float64Array;
  /** 1 where `value` is its cost and the choice below stands. */
  exact: Uint8Array;
  /** Number of `eq` tests on the heaviest value, then on the heaviest of another class. */
  heavy: Int32Array;
  light: Int32Array;
  /** First run right of the threshold that follows, or -1 for a leaf. */
  cut: Int32Array;
  /** Most tests on a path. */
  depth: Int32Array;
}

/** States by number. */
export interface Memo extends Columns {
  /** Number of states. */
  count: number;
  /** Number of a state; where it is new, `count` rises. */
  find(i: number, j: number, one: number, two: number, room: number): number;
}

/** Makes an empty memory. */
export function createMemo(): Memo {
  let capacity = 1 << 11;
  let mask = 2 * capacity - 1;
  let table = new Int32Array(2 * capacity);
  const place = (
    i: number,
    j: number,
    one: number,
    two: number,
    room: number,
  ): number => {
    let h = Math.imul(i, 0x9e37_79b1) ^ Math.imul(j, 0x85eb_ca6b);
    h = Math.imul(h ^ (h >>> 15) ^ one, 0x2c1b_3c6d);
    h = Math.imul(h ^ (h >>> 12) ^ two, 0x297a_2d39) + Math.imul(room, 0x51);
    return h ^ (h >>> 15);
  };
  const memo: Memo = {
    ...columns(capacity),
    count: 0,
    find(i, j, one, two, room): number {
      let at = place(i, j, one, two, room) & mask;
      for (let id = table[at] ?? 0; id !== 0; id = table[at] ?? 0) {
        const k = id - 1;
        if (
          memo.i[k] === i && memo.j[k] === j && memo.one[k] === one &&
          memo.two[k] === two && memo.room[k] === room
        ) return k;
        at = (at + 1) & mask;
      }
      const id = memo.count++;
      if (id === capacity) {
        grow();
        at = place(i, j, one, two, room) & mask;
        while (table[at] !== 0) at = (at + 1) & mask;
      }
      table[at] = id + 1;
      memo.i[id] = i;
      memo.j[id] = j;
      memo.one[id] = one;
      memo.two[id] = two;
      memo.room[id] = room;
      return id;
    },
  };
  const grow = (): void => {
    const old: Columns = { ...memo };
    const held = capacity;
    capacity *= 2;
    mask = 2 * capacity - 1;
    table = new Int32Array(2 * capacity);
    const longer = columns(capacity);
    longer.value.set(old.value);
    longer.exact.set(old.exact);
    for (
      const name of [
        "i",
        "j",
        "one",
        "two",
        "room",
        "heavy",
        "light",
        "cut",
        "depth",
      ] as const
    ) longer[name].set(old[name]);
    Object.assign(memo, longer);
    for (let k = 0; k < held; k++) {
      let at = mask & place(
        old.i[k] ?? 0,
        old.j[k] ?? 0,
        old.one[k] ?? 0,
        old.two[k] ?? 0,
        old.room[k] ?? 0,
      );
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = k + 1;
    }
  };
  return memo;
}

/** Makes columns for some states. */
function columns(capacity: number): Columns {
  return {
    i: new Int32Array(capacity),
    j: new Int32Array(capacity),
    one: new Int32Array(capacity),
    two: new Int32Array(capacity),
    room: new Int32Array(capacity),
    value: new Float64Array(capacity),
    exact: new Uint8Array(capacity),
    heavy: new Int32Array(capacity),
    light: new Int32Array(capacity),
    cut: new Int32Array(capacity),
    depth: new Int32Array(capacity),
  };
}
