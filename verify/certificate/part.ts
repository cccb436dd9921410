/**
 * Parts: the sets of inputs into which a certificate splits all inputs. A part
 * knows an interval, with holes, of some words under some masks. A test of a
 * word is decided by that, or left open. docs/certificate.md has the same
 * rules in prose.
 *
 * @module
 */

/** The values that one word under one mask has in a part. */
export interface WordView {
  /** The mask, a u32. */
  readonly mask: number;
  /** Lowest value of `word & mask`, a u32. */
  readonly low: number;
  /** Highest value, a u32; below `low` if it has none. */
  readonly high: number;
  /** Values in between that it does not have. */
  readonly holes: readonly number[];
}

/**
 * The views of each of the sixteen words. A part has the inputs for which all of
 * them are true.
 */
export type InputPart = readonly (readonly WordView[])[];

/** All inputs. */
export const EVERYTHING: InputPart = Array.from({ length: 16 }, () => []);

/** A test of one word, `(word & mask) = k` or `(word & mask) >= k`. */
export interface SplitTest {
  /** Index of the word in `struct seccomp_data`, 0 to 15. */
  readonly word: number;
  /** The mask, a u32. */
  readonly mask: number;
  /** The comparison, unsigned. */
  readonly op: "=" | ">=";
  /** An integer from 0 to 2^32, which no word reaches. */
  readonly k: number;
}

/** Bounds of a word under a mask, and the bits of the word that are known. */
export interface WordBounds extends WordView {
  /** Bits of the word that have one value in the part. */
  readonly known: number;
  /** Their values. */
  readonly bits: number;
  /** True if the views contradict each other: the part is empty. */
  readonly clash: boolean;
}

const NO_HOLES: readonly number[] = [];

/**
 * Bounds a word under a mask by its views. The leading bits that both ends of
 * an interval share are those of every value in it; and if two masks differ
 * only in such bits, the values under them differ by a constant.
 *
 * @param views The views of the word.
 * @param mask A u32.
 * @returns The bounds; `low` is above `high` if the part is seen to be empty.
 */
export function boundsOf(
  views: readonly WordView[],
  mask: number,
): WordBounds {
  let [known, bits, clash] = [0, 0, false];
  for (const view of views) {
    const free = 32 - Math.clz32(view.low ^ view.high);
    const fixed = free === 32 ? 0 : view.mask >>> free << free;
    clash ||= ((bits ^ view.low) & known & fixed) !== 0;
    known |= fixed;
    bits |= view.low & fixed;
  }
  let low = (bits & mask) >>> 0;
  let high = (low | mask & ~known) >>> 0;
  let holes = NO_HOLES;
  for (const view of views) {
    if (view.mask === mask) holes = view.holes;
    if (((view.mask ^ mask) & ~known) !== 0) continue;
    const plus = (bits & mask & ~view.mask) >>> 0;
    const minus = (bits & view.mask & ~mask) >>> 0;
    low = Math.max(low, view.low + plus - minus);
    high = Math.min(high, Math.max(0, view.high + plus - minus));
  }
  return { mask, low, high, holes, known, bits, clash };
}

/**
 * Decides a test for all inputs of a part.
 *
 * @param part The part.
 * @param test The test.
 * @returns The result, or `undefined` if the part does not show it.
 */
export function decideTest(
  part: InputPart,
  test: SplitTest,
): boolean | undefined {
  const { word, mask, op, k } = test;
  const { low, high, holes, known, bits, clash } = boundsOf(
    part[word] ?? [],
    mask,
  );
  if (clash || k > high) return false;
  if (op === ">=") return k <= low ? true : undefined;
  if (k < low || holes.includes(k) || (k & ~mask) !== 0) return false;
  if (((k ^ bits) & known & mask) !== 0) return false;
  return low === high ? true : undefined;
}

/**
 * Cuts a part by a test.
 *
 * @param part The part.
 * @param test The test; for `>=`, `k` is not 0.
 * @param passes The result that is kept.
 * @returns The inputs of the part for which the test has this result.
 */
export function cutPart(
  part: InputPart,
  test: SplitTest,
  passes: boolean,
): InputPart {
  const { word, mask, op, k } = test;
  const views = part[word] ?? [];
  const own = views.find((view) => view.mask === mask);
  const { low = 0, high = mask, holes = NO_HOLES } = own ?? {};
  const cut = {
    mask,
    low: passes ? Math.max(low, k) : low,
    high: op === "="
      ? passes ? Math.min(high, k) : high
      : passes
      ? high
      : Math.min(high, k - 1),
    holes: op === "=" && !passes ? [...holes, k] : holes,
  };
  return part.with(word, [...views.filter((view) => view !== own), cut]);
}

/**
 * Reports whether a part shows that it has no input.
 *
 * @param part The part.
 * @returns True if it is empty; false if it is not, or does not show it.
 */
export function isEmptyPart(part: InputPart): boolean {
  return part.some((views) =>
    views.some(({ mask }) => {
      const { low, high, holes, clash } = boundsOf(views, mask);
      return clash || low > high || low === high && holes.includes(low);
    })
  );
}
