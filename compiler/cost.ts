/**
 * What a filter costs, in one place: how often each number and each argument
 * is expected, and what a load counts. A cost is a number of executed
 * instructions.
 *
 * @module
 */

import type { Interval } from "./partition.ts";

/** Instructions around the tests of an argument word. */
export const ARGUMENT_COSTS = { load: 1 } as const;

/**
 * How many numbers count where no weights are given: the native ones that a
 * kernel of the 6.18 series knows, 0 to 469.
 */
export const COUNTED_NUMBERS = 470;

/**
 * Largest number whose architecture starts at 0 although its numbers have a
 * base elsewhere: mips counts from 4000 (o32), 5000 (n64) or 6000 (n32).
 */
const BASES: readonly number[] = [6000, 5000, 4000];

/**
 * Gives each interval its uniform weight: the count of its numbers among those
 * that a program can call natively. Numbers of x32 count nothing: nobody calls
 * them, and their tests must not slow the others down.
 *
 * @param intervals A partition.
 * @returns One weight per interval, 0 or more.
 */
export function uniformWeights(
  intervals: readonly Interval[],
): readonly number[] {
  const base = numberBase(intervals);
  const end = base + COUNTED_NUMBERS - 1;
  return intervals.map(({ first, last }) =>
    Math.max(0, Math.min(last, end) - Math.max(first, base) + 1)
  );
}

function numberBase(intervals: readonly Interval[]): number {
  const named = intervals.filter((i) =>
    i.first === i.last && i.rules.length > 0
  );
  const least = named[0]?.first ?? 0;
  return BASES.find((base) => least >= base && least < base + 1000) ?? 0;
}

/**
 * Weighs a cell of an argument word. Most arguments are small, and 0 is the
 * most frequent of all; nothing else is known.
 *
 * @param first First value, a u32.
 * @returns 8 for the cell of 0, else 1.
 */
export function argumentWeight(first: number): number {
  return first === 0 ? 8 : 1;
}
