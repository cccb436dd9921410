/**
 * A function of one value as spans of that value.
 *
 * @module
 */

import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import type { ValueBlock } from "./cubes.ts";
import type { Span } from "./formula.ts";

/**
 * Lists the levels of the bits on which a function depends, highest first.
 *
 * @param block The variables.
 * @param f A function of them.
 */
export function supportOf({ diagram }: ValueBlock, f: Node): readonly number[] {
  const levels = new Set<number>();
  const seen = new Set<Node>();
  const visit = (f: Node): void => {
    if (f === NEVER || f === ALWAYS || seen.has(f)) return;
    seen.add(f);
    const level = diagram.level(f);
    levels.add(level);
    visit(diagram.lowOf(f, level));
    visit(diagram.highOf(f, level));
  };
  visit(f);
  return [...levels].sort((a, b) => a - b);
}

/** More than the bits of a value. */
const MOST_BITS = 128;

/**
 * Counts the spans of a function under the mask of some bits.
 *
 * @param block The variables.
 * @param f A function of those bits.
 * @param levels Their levels, rising, including all on which `f` depends.
 * @returns The number, which may be very large.
 */
export function countSpans(
  { diagram }: ValueBlock,
  f: Node,
  levels: readonly number[],
): number {
  /** The values at both ends, and the number of spans that are true. */
  type Ends = readonly [first: boolean, last: boolean, count: number];
  const known = new Map<number, Ends>();
  const visit = (f: Node, place: number): Ends => {
    if (f === NEVER) return [false, false, 0];
    if (f === ALWAYS) return [true, true, 1];
    const key = f * MOST_BITS + place;
    const made = known.get(key);
    if (made !== undefined) return made;
    const level = levels[place] ?? 0;
    const low = visit(diagram.lowOf(f, level), place + 1);
    const high = visit(diagram.highOf(f, level), place + 1);
    const merged = low[1] && high[0] ? 1 : 0;
    const both: Ends = [low[0], high[1], low[2] + high[2] - merged];
    known.set(key, both);
    return both;
  };
  return visit(f, 0)[2];
}

/**
 * Lists the spans of a function under the mask of some bits; `countSpans` says
 * how many there are.
 *
 * @param block The variables.
 * @param f A function of those bits.
 * @param levels Their levels, rising.
 * @returns The spans of the masked value, rising.
 */
export function listSpans(
  { diagram, base, width }: ValueBlock,
  f: Node,
  levels: readonly number[],
): readonly Span[] {
  const weights = levels.map((level) => 1n << BigInt(base + width - 1 - level));
  /** Sums of the weights, starting at each place. */
  const sums = [0n];
  for (const weight of weights.toReversed()) {
    sums.unshift(weight + (sums[0] ?? 0n));
  }
  const spans: { first: bigint; last: bigint }[] = [];
  let open = false;
  const visit = (first: bigint, place: number, f: Node): void => {
    if (f === NEVER) {
      open = false;
      return;
    }
    if (f === ALWAYS) {
      const last = first + (sums[place] ?? 0n);
      const before = spans.at(-1);
      if (open && before !== undefined) before.last = last;
      else spans.push({ first, last });
      open = true;
      return;
    }
    const level = levels[place] ?? 0;
    visit(first, place + 1, diagram.lowOf(f, level));
    visit(
      first + (weights[place] ?? 0n),
      place + 1,
      diagram.highOf(f, level),
    );
  };
  visit(0n, 0, f);
  return spans;
}

/**
 * Makes the function that is true on some spans.
 *
 * @param diagram Its diagram.
 * @param bits The bits of the value, highest first; each a variable.
 * @param spans Spans in rising order, not adjacent.
 */
export function nodeOfSpans(
  diagram: ValueBlock["diagram"],
  bits: readonly Node[],
  spans: readonly Span[],
): Node {
  /** True for values from `first` on whose first `place` bits are given. */
  const visit = (
    first: bigint,
    place: number,
    from: number,
    to: number,
  ): Node => {
    const last = first + (1n << BigInt(bits.length - place)) - 1n;
    while (from < to && (spans[from]?.last ?? 0n) < first) from++;
    while (from < to && (spans[to - 1]?.first ?? 0n) > last) to--;
    const span = spans[from];
    if (from === to || span === undefined) return NEVER;
    if (span.first <= first && last <= span.last) return ALWAYS;
    const middle = first + (1n << BigInt(bits.length - place - 1));
    return diagram.choose(
      bits[place] ?? NEVER,
      visit(middle, place + 1, from, to),
      visit(first, place + 1, from, to),
    );
  };
  return visit(0n, 0, 0, spans.length);
}

/**
 * Finds the lowest value at or above another for which a function has a given
 * truth.
 *
 * @param block The variables.
 * @param f The function.
 * @param from The other value.
 * @param truth The truth.
 * @returns The value; `undefined` if no value has it.
 */
export function nextValue(
  { diagram, base, width }: ValueBlock,
  f: Node,
  from: bigint,
  truth: boolean,
): bigint | undefined {
  const never = truth ? NEVER : ALWAYS;
  const visit = (
    f: Node,
    place: number,
    value: bigint,
    free: boolean,
  ): bigint | undefined => {
    if (f === never) return undefined;
    if (place === width) return value;
    const bit = 1n << BigInt(width - 1 - place);
    const level = base + place;
    const isSet = !free && (from & bit) !== 0n;
    const low = isSet
      ? undefined
      : visit(diagram.lowOf(f, level), place + 1, value, free);
    return low ??
      visit(
        diagram.highOf(f, level),
        place + 1,
        value | bit,
        free || !isSet,
      );
  };
  return visit(f, 0, 0n, false);
}

/**
 * Finds the highest value at or below another for which a function has a given
 * truth.
 *
 * @param block The variables.
 * @param f The function.
 * @param from The other value.
 * @param truth The truth.
 * @returns The value; `undefined` if no value has it.
 */
export function previousValue(
  { diagram, base, width }: ValueBlock,
  f: Node,
  from: bigint,
  truth: boolean,
): bigint | undefined {
  const never = truth ? NEVER : ALWAYS;
  const visit = (
    f: Node,
    place: number,
    value: bigint,
    free: boolean,
  ): bigint | undefined => {
    if (f === never) return undefined;
    if (place === width) return value;
    const bit = 1n << BigInt(width - 1 - place);
    const level = base + place;
    const isClear = !free && (from & bit) === 0n;
    const high = isClear
      ? undefined
      : visit(diagram.highOf(f, level), place + 1, value | bit, free);
    return high ??
      visit(diagram.lowOf(f, level), place + 1, value, free || !isClear);
  };
  return visit(f, 0, 0n, false);
}

/**
 * Finds the span of a function's values around one of them.
 *
 * @param block The variables.
 * @param f The function.
 * @param at A value for which it is true.
 */
export function spanAround(block: ValueBlock, f: Node, at: bigint): Span {
  const before = previousValue(block, f, at, false);
  const after = nextValue(block, f, at, false);
  return {
    first: before === undefined ? 0n : before + 1n,
    last: after === undefined ? (1n << BigInt(block.width)) - 1n : after - 1n,
  };
}

/**
 * Finds a value in the largest aligned block of values for which a function is
 * true.
 *
 * @param block The variables.
 * @param f The function.
 * @returns The value; `undefined` if the function is never true.
 */
export function valueOfLargest(
  { diagram, base, width }: ValueBlock,
  f: Node,
): bigint | undefined {
  let layer = new Map<Node, bigint>([[f, 0n]]);
  for (let place = 0; place <= width; place++) {
    const found = layer.get(ALWAYS);
    if (found !== undefined) return found;
    const next = new Map<Node, bigint>();
    const bit = place < width ? 1n << BigInt(width - 1 - place) : 0n;
    for (const [f, value] of layer) {
      const low = diagram.lowOf(f, base + place);
      const high = diagram.highOf(f, base + place);
      if (!next.has(low)) next.set(low, value);
      if (!next.has(high)) next.set(high, value | bit);
    }
    next.delete(NEVER);
    layer = next;
  }
  return undefined;
}
