/**
 * A few values of one word that can still occur, and what telling them apart
 * costs at least: what the JSET pass looks at (bits.ts).
 *
 * @module
 */

/** A value that can still occur, with its class. */
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
  /** Whether it is one value. */
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

/** What a side of a JSET costs at least. */
export interface Least {
  readonly cost: number;
  readonly tests: number;
}

/**
 * By mask of four bits, the values for which a JSET of it holds. A set of
 * values is a bit for each value's four lowest bits; of values less than 16
 * apart no two are the same.
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

/** What both sides of a JSET cost at least; neither is empty. */
export function sidesOf(
  points: readonly Point[],
  mask: number,
): { readonly yes: Least; readonly no: Least } {
  const yes = createSide();
  const no = createSide();
  for (const point of points) {
    const side = (point.value & mask) === 0 ? no : yes;
    if (point.cls !== side.cls) {
      side.runs++;
      side.cls = point.cls;
      side.own = 0;
    }
    side.own += point.weight;
    side.all += point.weight;
    if (side.own > side.heaviest) side.heaviest = side.own;
  }
  return { yes: leastOf(yes), no: leastOf(no) };
}

/** The values on one side, as far as they were looked at. */
interface Side {
  /** Runs, and the class and weight of the last one. */
  runs: number;
  cls: number;
  own: number;
  /** Weight of the heaviest run, and of all. */
  heaviest: number;
  all: number;
}

function createSide(): Side {
  return { runs: 0, cls: -1, own: 0, heaviest: 0, all: 0 };
}

/**
 * A test tells three runs of one class apart at most, two tests six; of more
 * than three, one at most is done after the first test.
 */
function leastOf({ runs, all, heaviest }: Side): Least {
  if (runs === 1) return { cost: 0, tests: 0 };
  return runs <= 3
    ? { cost: all, tests: 1 }
    : { cost: 2 * all - heaviest, tests: Math.max(2, runs >> 1) };
}
