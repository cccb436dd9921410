/**
 * Words of `struct seccomp_data`, as a part of all inputs shows them.
 * docs/certificate.md has the same steps in prose.
 *
 * @module
 */

/** Facts about a word that are true of all inputs of a part. */
export interface Seen {
  /** The bits that have one value, and their values; both are signed. */
  readonly known: number;
  readonly bits: number;
  /** Lowest and highest value, u32. */
  readonly low: number;
  readonly high: number;
  /** Tests `(word & mask) = k` that are false. */
  readonly holes: readonly Split[];
}

/** A test: `(word & mask) = k`, or `(word & mask) >= k`, unsigned. */
export interface Split {
  /** Index of the word, 0 to 15. */
  readonly at: number;
  readonly mask: number;
  readonly op: "=" | ">=";
  /** An integer from 0 to 2^32, which no word reaches. */
  readonly k: number;
}

/** All bits of a word; its highest value. */
export const ALL = 0xffff_ffff;

/** A word of which nothing is known. */
export const ANY: Seen = { known: 0, bits: 0, low: 0, high: ALL, holes: [] };

/**
 * Adds the result of a test to the facts about a word.
 *
 * @returns The facts; `undefined` if they show that the test has another result.
 */
export function cut(of: Seen, by: Split, passes: boolean): Seen | undefined {
  const { mask, op, k } = by;
  let { known, bits, low, high, holes } = of;
  if (op === ">=") {
    const most = ((bits | ~known) & mask) >>> 0;
    if (passes ? most < k : (bits & mask) >>> 0 >= k) return undefined;
    const rest = (bits & ~mask) >>> 0;
    if ((~mask & ~known) === 0 && passes) low = Math.max(low, k + rest);
    else if ((~mask & ~known) === 0) high = Math.min(high, k + rest - 1);
  } else if (passes) {
    const isOther = ((bits ^ k) & known & mask) !== 0;
    if ((k & ~mask) !== 0 || isOther) return undefined;
    known |= mask;
    bits |= k;
  } else if ((k & ~mask) === 0) holes = [...holes, by];
  if (low > high) return undefined;
  // The values of an interval share the leading bits that its ends share.
  const shared = ~(2 ** (32 - Math.clz32(low ^ high)) - 1);
  if (((bits ^ low) & known & shared) !== 0) return undefined;
  known |= shared;
  bits |= low & shared;
  for (const { mask, k } of holes) {
    const open = mask & ~known;
    if (((bits ^ k) & known & mask) !== 0 || (open & (open - 1)) !== 0) {
      continue;
    }
    if (open === 0) return undefined;
    // All other bits are those of the hole, so this one is not.
    known |= open;
    bits |= ~k & open;
  }
  low = Math.max(low, bits >>> 0);
  high = Math.min(high, (bits | ~known) >>> 0);
  return low > high ? undefined : { known, bits, low, high, holes };
}

/**
 * Decides a test for all inputs of a part: 1 if it is true, -1 if it is false, 0
 * if neither is shown. So "and" is the least, "or" the greatest, and "not"
 * changes the sign.
 */
export function truthOf(words: readonly Seen[], test: Split): number {
  const word = words[test.at] ?? ANY;
  if (cut(word, test, true) === undefined) return -1;
  return cut(word, test, false) === undefined ? 1 : 0;
}
