/**
 * The memory of the exact search: states to small numbers, by open addressing
 * (a `Map` would need keys beyond 2^31 or strings, ten times as slow).
 *
 * @module
 */

/** No bound on the depth; deeper trees than this do not occur. */
export const UNBOUNDED = 2047;

/** What is kept of each state: the state itself, and what is known about it. */
interface Columns {
  /** First and last run. */
  i: Int32Array;
  j: Int32Array;
  /** Rank of the heaviest candidate left, and of the heaviest of another class. */
  one: Int32Array;
  two: Int32Array;
  /** Tests that may follow, or `UNBOUNDED`. */
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

/**
 * Makes an empty memory.
 *
 * @param n Runs of the line, so that i, j < n.
 * @param none Candidates of the line, so that one, two <= none.
 */
export function createMemo(n: number, none: number): Memo {
  let capacity = 1 << 13;
  let mask = 2 * capacity - 1;
  let table = new Int32Array(2 * capacity);
  let keys = new Float64Array(2 * capacity);
  // n <= 2^9, none < 2^12 and room < 2^11 keep keys below 2^53, so exact.
  const ranks = none + 1;
  const place = (range: number, holes: number): number => {
    let h = Math.imul(range, 0x9e37_79b1) ^ Math.imul(holes, 0x85eb_ca6b);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d);
    return (h ^ (h >>> 13)) & mask;
  };
  const memo: Memo = {
    ...columns(capacity),
    count: 0,
    find(i, j, one, two, room): number {
      const range = (room * n + i) * n + j;
      const holes = one * ranks + two;
      const key = range * ranks * ranks + holes;
      let at = place(range, holes);
      while (table[at] !== 0) {
        if (keys[at] === key) return (table[at] as number) - 1;
        at = (at + 1) & mask;
      }
      if (memo.count === capacity) {
        grow();
        at = place(range, holes);
        while (table[at] !== 0) at = (at + 1) & mask;
      }
      const id = memo.count++;
      table[at] = id + 1;
      keys[at] = key;
      memo.i[id] = i;
      memo.j[id] = j;
      memo.one[id] = one;
      memo.two[id] = two;
      memo.room[id] = room;
      return id;
    },
  };
  const grow = (): void => {
    const oldTable = table;
    const oldKeys = keys;
    capacity *= 2;
    mask = 2 * capacity - 1;
    table = new Int32Array(2 * capacity);
    keys = new Float64Array(2 * capacity);
    const longer = columns(capacity);
    for (const name of NAMES) longer[name].set(memo[name]);
    Object.assign(memo, longer);
    for (let from = 0; from < oldTable.length; from++) {
      const id = oldTable[from] as number;
      if (id === 0) continue;
      const k = id - 1;
      const range = ((memo.room[k] as number) * n + (memo.i[k] as number)) * n +
        (memo.j[k] as number);
      const holes = (memo.one[k] as number) * ranks + (memo.two[k] as number);
      let at = place(range, holes);
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = id;
      keys[at] = oldKeys[from] as number;
    }
  };
  return memo;
}

/**
 * The state `free`, which has no bound on depth, under such a bound: itself
 * where its best tree keeps the bound.
 */
export function underBound(memo: Memo, free: number, room: number): number {
  if (room === UNBOUNDED) return free;
  // `free` is one of the memo's states.
  if (memo.exact[free] === 1 && (memo.depth[free] as number) <= room) {
    return free;
  }
  const known = memo.count;
  const id = memo.find(
    memo.i[free] as number,
    memo.j[free] as number,
    memo.one[free] as number,
    memo.two[free] as number,
    room,
  );
  if (memo.count > known) memo.value[id] = memo.value[free] as number;
  return id;
}

/** Names of the columns. */
const NAMES = [
  "i",
  "j",
  "one",
  "two",
  "room",
  "value",
  "exact",
  "heavy",
  "light",
  "cut",
  "depth",
] as const;

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
