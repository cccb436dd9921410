/**
 * Lists of spans: sorts, joins, and splits them.
 *
 * @module
 */

import type { Formula, Span } from "./formula.ts";

/** Maximum number of values of a span under a mask that are listed. */
const MOST_LISTED = 16;

/**
 * Lists the values of a span that occur under a mask, separately if they are
 * few and not consecutive.
 *
 * @param span The span.
 * @param mask The mask.
 */
export function listPoints(span: Span, mask: bigint): readonly Span[] {
  const points: Span[] = [];
  let isConsecutive = true;
  for (let value = span.first;; value = ((value | ~mask) + 1n) & mask) {
    isConsecutive &&= value === span.first + BigInt(points.length);
    points.push({ first: value, last: value });
    if (value === span.last) break;
    if (points.length === MOST_LISTED) return [span];
  }
  return isConsecutive ? [span] : points;
}

/**
 * Sorts spans and joins those that touch.
 *
 * @param spans The spans.
 */
export function joinSpans(spans: readonly Span[]): readonly Span[] {
  const sorted = spans.toSorted((a, b) => a.first < b.first ? -1 : 1);
  const joined: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of sorted) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before.last + 1n) {
      if (last > before.last) before.last = last;
    } else joined.push({ first, last });
  }
  return joined;
}

/** Maximum number of points that are compared with one another. */
const MOST_POINTS = 64;

/**
 * Reports whether few of the values of a test differ in only one bit.
 *
 * @param formula The test.
 */
export function areLonePoints(formula: Formula): boolean {
  if (formula.kind !== "test" || formula.spans.length > MOST_POINTS) {
    return false;
  }
  const points = formula.spans.map(({ first }) => first);
  if (formula.spans.some(({ first, last }) => first !== last)) return false;
  let pairs = 0;
  for (const [i, a] of points.entries()) {
    for (const b of points.slice(i + 1)) {
      const difference = a ^ b;
      if ((difference & (difference - 1n)) === 0n) pairs++;
    }
  }
  return pairs < points.length / 2;
}
