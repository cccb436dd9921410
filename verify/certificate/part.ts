/**
 * Parts: the sets of inputs into which a certificate splits all inputs. A part
 * knows an interval, with holes, of some words under some masks. A test of a
 * word is decided by that, or left open. docs/certificate.md has the same
 * rules in prose.
 *
 * @module
 */

/** The values of one word under one mask; all numbers are u32. */
export interface WordView {
  /** The mask. */
  readonly mask: number;
  /** Lowest value of `word & mask`. */
  readonly low: number;
  /** Highest value; below `low` if it has none. */
  readonly high: number;
  /** Values in between that it does not have. */
  readonly holes: readonly number[];
}

/** Facts about one word, which are true of all inputs of a part. */
export interface PartWord {
  /** At most one for each mask. */
  readonly views: readonly WordView[];
  /** Bits of the word that have one value, by its views. */
  readonly known: number;
  /** Their values. */
  readonly bits: number;
  /** True if the views contradict each other: the part is empty. */
  readonly clash: boolean;
}

/** Facts about each of the sixteen words; its inputs are those that fit. */
export type InputPart = readonly PartWord[];

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

/**
 * Result of a test or condition for all inputs of a part: "and" is the least,
 * "or" is the greatest, and "not" changes the sign.
 */
export type Truth = number;
/** False for all inputs of the part. */
export const NO = -1;
/** Not shown by the part. */
export const OPEN = 0;
/** True for all inputs of the part. */
export const YES = 1;

const NO_HOLES: readonly number[] = [];

/** All inputs. */
export const EVERYTHING: InputPart = new Array(16).fill(combine([]));

/** The leading bits that both ends of a view share are known. */
function combine(views: readonly WordView[]): PartWord {
  let known = 0;
  let bits = 0;
  let clash = false;
  for (let i = 0; i < views.length; i++) {
    const { mask, low, high } = views[i] as WordView;
    const free = 32 - Math.clz32(low ^ high);
    const fixed = free === 32 ? 0 : mask >>> free << free;
    clash ||= ((bits ^ low) & known & fixed) !== 0;
    known |= fixed;
    bits |= low & fixed;
  }
  return { views, known, bits, clash };
}

/**
 * Bounds a word under a mask by all its views. If two masks differ only in
 * known bits, the values under them differ by a constant.
 *
 * @param word Facts about the word.
 * @param mask A u32.
 * @returns The bounds; `low` is above `high` if the part is seen to be empty.
 */
export function boundsOf(word: PartWord, mask: number): WordView {
  const { views, known, bits } = word;
  let low = (bits & mask) >>> 0;
  let high = (low | mask & ~known) >>> 0;
  let holes = NO_HOLES;
  for (let i = 0; i < views.length; i++) {
    const view = views[i] as WordView;
    if (view.mask === mask) holes = view.holes;
    if (((view.mask ^ mask) & ~known) !== 0) continue;
    const plus = (bits & mask & ~view.mask) >>> 0;
    const minus = (bits & view.mask & ~mask) >>> 0;
    low = Math.max(low, view.low + plus - minus);
    high = Math.min(high, Math.max(0, view.high + plus - minus));
  }
  return { mask, low, high, holes };
}

/**
 * Decides a test, `(word & mask) = k` or `(word & mask) >= k`, for all inputs
 * of a part.
 *
 * @param word Facts about the word.
 * @param mask A u32.
 * @param op The comparison, unsigned.
 * @param k An integer from 0 to 2^32, which no word reaches.
 * @returns The result.
 */
export function decideTest(
  word: PartWord,
  mask: number,
  op: "=" | ">=",
  k: number,
): Truth {
  const { low, high, holes } = boundsOf(word, mask);
  if (word.clash || k > high) return NO;
  if (op === ">=") return k <= low ? YES : OPEN;
  if (k < low || holes.includes(k) || (k & ~mask) !== 0) return NO;
  if (((k ^ word.bits) & word.known & mask) !== 0) return NO;
  return low === high ? YES : OPEN;
}

/**
 * Splits a part by a test.
 *
 * @param part The part.
 * @param test The test; for `>=`, `k` is not 0.
 * @returns The inputs of the part that pass, and the others.
 */
export function splitPart(
  part: InputPart,
  { word, mask, op, k }: SplitTest,
): { readonly passing: InputPart; readonly others: InputPart } {
  const { views } = wordOf(part, word);
  const kept = views.filter((view) => view.mask !== mask);
  const narrow = (low: number, high: number, holes: WordView["holes"]) =>
    part.with(word, combine([...kept, { mask, low, high, holes }]));
  const { low, high, holes } = views.find((view) => view.mask === mask) ??
    { low: 0, high: mask, holes: NO_HOLES };
  const isLeast = op === ">=";
  const most = isLeast ? high : Math.min(high, k);
  const rest = isLeast ? Math.min(high, k - 1) : high;
  return {
    passing: narrow(Math.max(low, k), most, holes),
    others: narrow(low, rest, isLeast ? holes : [...holes, k]),
  };
}

/**
 * Reports whether a part shows that it has no input.
 *
 * @param part The part.
 * @returns True if it is empty; false if it is not, or does not show it.
 */
export function isEmptyPart(part: InputPart): boolean {
  return part.some((word) =>
    word.views.some(({ mask }) => {
      const { low, high, holes } = boundsOf(word, mask);
      return word.clash || low > high || low === high && holes.includes(low);
    })
  );
}

/** System call numbers, from the first to the last. */
export interface NumberRange {
  /** The first, a u32. */
  readonly first: number;
  /** The last, a u32; if it is below the first, there are none. */
  readonly last: number;
}

/**
 * Lists the numbers of a part, by what is known of all bits of the word.
 *
 * @param part The part.
 * @returns Ranges that are not empty.
 */
export function numbersIn(part: InputPart): readonly NumberRange[] {
  const { low, high, holes } = boundsOf(wordOf(part, 0), 0xffff_ffff);
  const numbers: NumberRange[] = [];
  let first = low;
  for (const hole of holes.toSorted((a, b) => a - b)) {
    if (hole < first || hole > high) continue;
    if (hole > first) numbers.push({ first, last: hole - 1 });
    first = hole + 1;
  }
  if (first <= high) numbers.push({ first, last: high });
  return numbers;
}

/**
 * Takes a range out of others.
 *
 * @param numbers Ranges that are not empty.
 * @param range The range.
 * @returns The numbers that are left.
 */
export function without(
  numbers: readonly NumberRange[],
  { first, last }: NumberRange,
): readonly NumberRange[] {
  const left: NumberRange[] = [];
  for (const { first: from, last: to } of numbers) {
    if (from < first) left.push({ first: from, last: Math.min(to, first - 1) });
    if (to > last) left.push({ first: Math.max(from, last + 1), last: to });
  }
  return left;
}

/**
 * Reports whether a range has some of the numbers.
 *
 * @param numbers Ranges that are not empty.
 * @param range The range.
 * @returns True if it has.
 */
export function touches(
  numbers: readonly NumberRange[],
  { first, last }: NumberRange,
): boolean {
  return numbers.some((one) =>
    Math.max(one.first, first) <= Math.min(one.last, last)
  );
}

/**
 * Returns the facts of a part about a word.
 *
 * @param part The part.
 * @param index Index of the word, 0 to 15.
 */
export function wordOf(part: InputPart, index: number): PartWord {
  return part[index] as PartWord;
}
