/**
 * Divides one input word in the form that needs the fewest tests: intervals,
 * intervals under a mask, required bits, or one value against all others.
 *
 * @module
 */

import type { Range } from "../../bpf/range.ts";
import type { Diagram, Node } from "../core/diagram.ts";
import { WORD_BITS } from "../core/word.ts";

/** The form of the cuts. */
export interface CutOptions {
  /** Maximum number of cells of one word. */
  readonly most: number;
  /** True to test required bits before intervals are cut. */
  readonly bitsFirst: boolean;
}

/** The values of a word under a mask, cut at the changes of a function. */
export interface WordCut {
  /** Mask that is applied to the word first; 0xffff_ffff for none. */
  readonly mask: number;
  /** From 0 up, without gaps; values outside of the mask do not occur. */
  readonly cells: readonly (Range & { readonly rest: Node })[];
}

const FULL = 0xffff_ffff;
/** Maximum number of cells for which no better form is searched. */
export const FEW_CELLS = 3;

/** A function and the word that it is cut by. */
interface CutWord {
  readonly diagram: Diagram;
  readonly f: Node;
  /** Level of the word's highest bit; the others follow. */
  readonly level: number;
  /** Levels of the bits that matter, in rising order. */
  readonly bits: readonly number[];
}

/**
 * Cuts the values of a word.
 *
 * @param diagram Diagram of the function.
 * @param f A function without variables above `level`.
 * @param level Level of the word's highest bit; the others follow.
 * @param options The form of the cut.
 * @returns The cut; `undefined` if there are too many cells in every form.
 */
export function cutWord(
  diagram: Diagram,
  f: Node,
  level: number,
  options: CutOptions,
): WordCut | undefined {
  const word = { diagram, f, level, bits: bitsOf(diagram, f, level) };
  const all = Array.from({ length: WORD_BITS }, (_, i) => level + i);
  const whole = countCells(word, all);
  const masked = countCells(word, word.bits);
  const isMasked = whole > FEW_CELLS && masked < whole;
  const count = isMasked ? masked : whole;
  const isFew = count <= FEW_CELLS;
  if (!isFew && (options.bitsFirst || count > options.most)) {
    const required = requiredBits(word);
    if (required !== undefined) return required;
  }
  if (count > options.most) return undefined;
  return cellsOf(word, isMasked ? word.bits : all);
}

/** Levels of the bits of one word on which a function depends, in rising order. */
function bitsOf(diagram: Diagram, f: Node, level: number): readonly number[] {
  const end = level + WORD_BITS;
  const levels = new Set<number>();
  const seen = new Set<Node>();
  const collect = (f: Node): void => {
    const at = diagram.level(f);
    if (at >= end || seen.has(f)) return;
    seen.add(f);
    levels.add(at);
    collect(diagram.lowOf(f, at));
    collect(diagram.highOf(f, at));
  };
  collect(f);
  return [...levels].sort((a, b) => a - b);
}

/** The value of the bit at a level. */
function weightOf({ level }: CutWord, at: number): number {
  return 2 ** (level + WORD_BITS - 1 - at);
}

/** The sum of some bits. */
function maskOf(word: CutWord, bits: readonly number[]): number {
  return bits.reduce((sum, at) => sum + weightOf(word, at), 0);
}

/** Number of cells under the mask of some bits: O(nodes times bits). */
function countCells({ diagram, f }: CutWord, bits: readonly number[]): number {
  /** The functions at both ends, and the number of cells. */
  interface Span {
    readonly first: Node;
    readonly last: Node;
    readonly count: number;
  }
  const places = new Map(bits.map((at, place) => [at, place]));
  /** By node: its span from its own level on. */
  const known = new Map<Node, Span>();
  /** Number of cells from a place on. */
  const countFrom = (place: number, f: Node, span: Span): number => {
    const own = places.get(diagram.level(f)) ?? bits.length;
    let { count } = span;
    // Bits on which it does not depend repeat the cells.
    const merged = span.first === span.last ? 1 : 0;
    for (let at = place; at < own; at++) count = 2 * count - merged;
    return count;
  };
  const spanOf = (f: Node): Span => {
    const made = known.get(f);
    if (made !== undefined) return made;
    const at = diagram.level(f);
    const place = places.get(at);
    if (place === undefined) return { first: f, last: f, count: 1 };
    const [low, high] = [diagram.lowOf(f, at), diagram.highOf(f, at)];
    const [below, above] = [spanOf(low), spanOf(high)];
    const { first } = below;
    const { last } = above;
    const merged = below.last === above.first ? 1 : 0;
    const count = countFrom(place + 1, low, below) +
      countFrom(place + 1, high, above) - merged;
    const span = { first, last, count };
    known.set(f, span);
    return span;
  };
  return countFrom(0, f, spanOf(f));
}

/** The cells of the word under the mask of some bits, all that matter among them. */
function cellsOf(word: CutWord, bits: readonly number[]): WordCut {
  const { diagram, f } = word;
  const end = bits.at(-1) ?? 0;
  const cells: { first: number; last: number; rest: Node }[] = [];
  /** True if only one value of the newest cell occurs under the mask. */
  let isSingle = false;
  const visit = (first: number, place: number, rest: Node): void => {
    const at = bits[place];
    if (at === undefined || diagram.level(rest) > end) {
      const before = cells.at(-1);
      const isAlone = at === undefined;
      if (before?.rest === rest) {
        isSingle = false;
        return;
      }
      if (before !== undefined) {
        before.last = isSingle ? before.first : first - 1;
      }
      const start = before === undefined ? 0 : before.last + 1;
      cells.push({ first: start, last: FULL, rest });
      // The first value may lie further up than the cell begins.
      isSingle = isAlone && start === first;
      return;
    }
    visit(first, place + 1, diagram.lowOf(rest, at));
    visit(first + weightOf(word, at), place + 1, diagram.highOf(rest, at));
  };
  visit(0, 0, f);
  return { mask: maskOf(word, bits), cells };
}

/**
 * Bits that must all have given values; otherwise the rest is always the same.
 * Bits for which the rest is the same function are not included.
 */
function requiredBits(word: CutWord): WordCut | undefined {
  const { diagram, f, level, bits } = word;
  const candidates = new Map<Node, { mask: number; value: number }>();
  for (const at of bits) {
    const weight = weightOf(word, at);
    for (const isSet of [false, true]) {
      const rest = restrict(diagram, f, at, isSet);
      const found = candidates.get(rest) ?? { mask: 0, value: 0 };
      found.mask = (found.mask | weight) >>> 0;
      if (!isSet) found.value = (found.value | weight) >>> 0;
      candidates.set(rest, found);
    }
  }
  const isSettled = (rest: Node): number =>
    diagram.level(rest) < level + WORD_BITS ? 0 : 1;
  const [best] = [...candidates].sort(([f, a], [g, b]) =>
    bitCount(b.mask) - bitCount(a.mask) || isSettled(g) - isSettled(f)
  );
  if (best === undefined) return undefined;
  const [otherwise, { mask, value }] = best;
  const alone = exceptValue(word, otherwise);
  if (alone !== undefined) return alone;
  const inside = bits.filter((at) => isIn(mask, weightOf(word, at)))
    .reduce(
      (f, at) => restrict(diagram, f, at, isIn(value, weightOf(word, at))),
      f,
    );
  return { mask, cells: around(value, inside, otherwise) };
}

/**
 * The single value for which the function differs, if there is one: every
 * branch that leaves the path to it leads to the same rest.
 */
function exceptValue(word: CutWord, otherwise: Node): WordCut | undefined {
  const { diagram, bits } = word;
  let value = 0;
  let [inside, outside] = [word.f, otherwise];
  for (const at of bits) {
    const isLowAlike = diagram.lowOf(inside, at) === diagram.lowOf(outside, at);
    const isHighAlike =
      diagram.highOf(inside, at) === diagram.highOf(outside, at);
    if (isLowAlike === isHighAlike) return undefined;
    if (isLowAlike) value += weightOf(word, at);
    const follow = isLowAlike ? diagram.highOf : diagram.lowOf;
    inside = follow(inside, at);
    outside = follow(outside, at);
  }
  return {
    mask: maskOf(word, bits),
    cells: around(value, inside, otherwise),
  };
}

/** Cells for one value and for all others. */
function around(
  value: number,
  inside: Node,
  otherwise: Node,
): WordCut["cells"] {
  return [
    { first: 0, last: value - 1, rest: otherwise },
    { first: value, last: value, rest: inside },
    { first: value + 1, last: FULL, rest: otherwise },
  ].filter(({ first, last }) => first <= last);
}

/**
 * Sets one variable of a function to 0 or 1.
 *
 * @param diagram The diagram.
 * @param f The function.
 * @param at Level of the variable.
 * @param isSet True for 1.
 * @returns The function without the variable.
 */
export function restrict(
  diagram: Diagram,
  f: Node,
  at: number,
  isSet: boolean,
): Node {
  const made = new Map<Node, Node>();
  const visit = (f: Node): Node => {
    const level = diagram.level(f);
    if (level > at) return f;
    const known = made.get(f);
    if (known !== undefined) return known;
    const low = diagram.lowOf(f, level);
    const high = diagram.highOf(f, level);
    const g = level === at ? isSet ? high : low : diagram.choose(
      diagram.variable(level),
      visit(high),
      visit(low),
    );
    made.set(f, g);
    return g;
  };
  return visit(f);
}

function isIn(mask: number, bit: number): boolean {
  return (mask & bit) !== 0;
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
