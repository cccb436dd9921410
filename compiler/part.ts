/**
 * Comparisons of 64-bit arguments as comparisons of 32-bit words. This is the
 * only place that knows how the two halves of an argument form one number.
 *
 * A part is the undecided rest of one condition: both halves, one half, or
 * nothing (then it is `true` or `false`). The only bounds are `lt` and `ge`,
 * because `x <= v` is `x < v + 1` and `x > v` is `x >= v + 1`.
 *
 * @module
 */

import type { Condition } from "../profile/policy.ts";

/** A 32-bit word of an argument: `2 * arg` for the low half, `2 * arg + 1` for the high one. */
export type ArgWord = number;

/** A comparison of one word, `(w & mask) op value`. */
export interface WordTest {
  readonly kind: "word";
  readonly word: ArgWord;
  readonly op: "eq" | "ne" | "lt" | "ge";
  readonly mask: number;
  readonly value: number;
}

/** A comparison of both words of an argument as one number. */
export interface PairTest {
  readonly kind: "pair";
  readonly arg: number;
  readonly op: "eq" | "ne" | "lt" | "ge";
  readonly hi: { readonly mask: number; readonly value: number };
  readonly lo: { readonly mask: number; readonly value: number };
}

/** The undecided rest of a condition. */
export type Part = WordTest | PairTest | boolean;

/**
 * Splits a condition.
 *
 * @param condition Its mask and value are u64.
 * @returns Both halves if both matter, otherwise the simplest equal part.
 */
export function partOf({ arg, op, mask, value }: Condition): Part {
  switch (op) {
    case "eq":
    case "ne":
    case "lt":
    case "ge":
      return pair(arg, op, mask, value);
    case "le":
      return value >= mask || pair(arg, "lt", mask, next(mask, value));
    case "gt":
      return value < mask && pair(arg, "ge", mask, next(mask, value));
  }
}

/** A bound above `value` and not above the next number within `mask`. */
function next(mask: bigint, value: bigint): bigint {
  return value + ((value & ~mask) === 0n ? mask & -mask : 1n);
}

function pair(
  arg: number,
  op: PairTest["op"],
  mask: bigint,
  value: bigint,
): Part {
  const half = (shift: bigint): PairTest["hi"] => ({
    mask: Number((mask >> shift) & 0xffff_ffffn),
    value: Number((value >> shift) & 0xffff_ffffn),
  });
  const whole: PairTest = {
    kind: "pair",
    arg,
    op,
    hi: half(32n),
    lo: half(0n),
  };
  // Bits outside the mask are never equal.
  if ((op === "eq" || op === "ne") && (value & ~mask) !== 0n) {
    return op === "ne";
  }
  // A half with an empty mask is always 0.
  if (whole.hi.mask === 0) return knowWord(whole, 2 * arg + 1, 0);
  if (whole.lo.mask === 0 && (op === "eq" || op === "ne")) {
    return knowWord(whole, 2 * arg, 0);
  }
  // A bound that is a multiple of 2^32 is a bound of the high half.
  if (whole.lo.value === 0 && (op === "lt" || op === "ge")) {
    return wordTest(2 * arg + 1, op, whole.hi.mask, whole.hi.value);
  }
  return whole;
}

/** Makes a test of one word, or the result if every word gives the same one. */
function wordTest(
  word: ArgWord,
  op: WordTest["op"],
  mask: number,
  value: number,
): Part {
  const inside = (value & ~mask) === 0;
  switch (op) {
    case "eq":
      if (!inside) return false;
      if (mask === 0) return true;
      break;
    case "ne":
      if (!inside) return true;
      if (mask === 0) return false;
      break;
    case "lt":
      if (value === 0) return false;
      if (value > mask) return true;
      break;
    case "ge":
      if (value === 0) return true;
      if (value > mask) return false;
  }
  return { kind: "word", word, op, mask, value };
}

/**
 * Reduces a part by the known value of one word.
 *
 * @param part A part.
 * @param word The known word.
 * @param seen Its value, a u32.
 * @returns The part itself if it does not test that word.
 */
export function knowWord(part: Part, word: ArgWord, seen: number): Part {
  if (typeof part === "boolean") return part;
  if (part.kind === "word") {
    return part.word === word ? holds(part, seen) : part;
  }
  if (word === 2 * part.arg + 1) return knowHigh(part, seen);
  return word === 2 * part.arg ? knowLow(part, seen) : part;
}

function holds({ op, mask, value }: WordTest, seen: number): boolean {
  const masked = (seen & mask) >>> 0;
  switch (op) {
    case "eq":
      return masked === value;
    case "ne":
      return masked !== value;
    case "lt":
      return masked < value;
    case "ge":
      return masked >= value;
  }
}

function knowHigh({ arg, op, hi, lo }: PairTest, seen: number): Part {
  const masked = (seen & hi.mask) >>> 0;
  if (masked === hi.value) return wordTest(2 * arg, op, lo.mask, lo.value);
  switch (op) {
    case "eq":
      return false;
    case "ne":
      return true;
    case "lt":
      return masked < hi.value;
    case "ge":
      return masked > hi.value;
  }
}

function knowLow({ arg, op, hi, lo }: PairTest, seen: number): Part {
  const masked = (seen & lo.mask) >>> 0;
  const high = 2 * arg + 1;
  switch (op) {
    case "eq":
      return masked === lo.value && wordTest(high, "eq", hi.mask, hi.value);
    case "ne":
      return masked !== lo.value || wordTest(high, "ne", hi.mask, hi.value);
    case "lt":
      return wordTest(
        high,
        "lt",
        hi.mask,
        masked < lo.value ? hi.value + 1 : hi.value,
      );
    case "ge":
      return wordTest(
        high,
        "ge",
        hi.mask,
        masked >= lo.value ? hi.value : hi.value + 1,
      );
  }
}

/** The test of one word in a part: the comparison of its half, or nothing. */
export function halfOf(
  part: Part,
  word: ArgWord,
): {
  readonly op: PairTest["op"];
  readonly mask: number;
  readonly value: number;
} | undefined {
  if (typeof part === "boolean") return undefined;
  if (part.kind === "word") return part.word === word ? part : undefined;
  if (word >> 1 !== part.arg) return undefined;
  return { op: part.op, ...(word === 2 * part.arg ? part.lo : part.hi) };
}

/**
 * Reduces a part by the known result of a masked comparison of one of its
 * halves.
 */
export function knowMasked(
  part: Part,
  word: ArgWord,
  fact: MaskedFact,
): Part {
  const half = halfOf(part, word);
  if (half === undefined || (half.op !== "eq" && half.op !== "ne")) return part;
  const equal = impliedEqual(half.mask, half.value, fact);
  if (equal === undefined) return part;
  return knowWord(
    part,
    word,
    equal ? half.value : (half.value ^ lowestBit(half.mask)) >>> 0,
  );
}

/** The result of `(w & mask) === value`. */
export interface MaskedFact {
  readonly mask: number;
  readonly value: number;
  readonly holds: boolean;
}

/**
 * Result of `(w & mask) === value` if a fact determines it, else `undefined`.
 */
export function impliedEqual(
  mask: number,
  value: number,
  fact: MaskedFact,
): boolean | undefined {
  if (fact.holds) {
    const common = mask & fact.mask;
    if (((value ^ fact.value) & common) !== 0) return false;
    return (mask & ~fact.mask) === 0 ? true : undefined;
  }
  const within = (fact.mask & ~mask) === 0 &&
    ((value ^ fact.value) & fact.mask) === 0;
  return within ? false : undefined;
}

function lowestBit(mask: number): number {
  return (mask & -mask) >>> 0;
}

/** A text that is equal for equal parts. */
export function partKey(part: Part): string {
  if (typeof part === "boolean") return String(part);
  return part.kind === "word"
    ? `${part.word}${part.op}${part.mask}:${part.value}`
    : `p${part.arg}${part.op}${part.hi.mask}:${part.hi.value}:${part.lo.mask}:${part.lo.value}`;
}
