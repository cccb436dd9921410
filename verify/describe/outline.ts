/**
 * The outline of a filter: the structure of its meaning, word by word. It cuts
 * `arch` and `nr` into intervals, and describes for each of them which argument
 * words decide, and how.
 *
 * ```text
 * arch 0xc000003e ▶ nr 0…9 ▶ ALLOW
 *                   nr 10  ▶ low half of arg 0: 0…4 ▶ ALLOW, 5… ▶ ERRNO
 *      elsewhere  ▶ nr 0…  ▶ KILL
 * ```
 *
 * An outline only describes. Anything that is made from it needs its own proof.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import {
  CONSTANT_LEVEL,
  createDiagram,
  type Diagram,
  type Node,
} from "../core/diagram.ts";
import { meaningOf } from "../core/meaning.ts";
import type { Subject } from "../core/subject.ts";
import {
  ARCH_LEVEL,
  createSymbols,
  NR_LEVEL,
  type Order,
  type Symbols,
} from "../core/symbols.ts";
import { ALWAYS, NEVER } from "../core/diagram.ts";
import { type Word, WORD_BITS } from "../core/word.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  LimitReached,
  type ProofLimits,
} from "../limits.ts";
import { intervalsOf } from "./intervals.ts";
import type { Range } from "../../bpf/range.ts";

/** The meaning of a filter, cut by `arch` and `nr`. */
export interface Outline {
  /** Intervals of `arch` from 0 to 2^32 − 1, without gaps. */
  readonly arches: readonly ArchOutline[];
}

/** Values of `arch` that the filter treats alike. */
export interface ArchOutline extends Range {
  /** Intervals of `nr` from 0 to 2^32 − 1, without gaps. */
  readonly numbers: readonly NumberOutline[];
}

/** Values of `nr` that the filter treats alike. */
export interface NumberOutline extends Range {
  /** The filter's answer there. */
  readonly answer: ArgumentFunction;
}

/** The answer as a function of the argument words; equal functions are one object. */
export interface ArgumentFunction {
  /** Byte offsets of the words that it depends on, in rising order. */
  readonly offsets: readonly number[];
  /**
   * Reads the function word by word.
   *
   * @param order The offsets in the order in which to test the words.
   * @param options The form of the questions.
   * @returns The first question; `undefined` if a word has more cells than
   * allowed in every form, or if an answer is computed from the input.
   */
  read(order: readonly number[], options: ReadOptions): Reading | undefined;
}

/** The form of the questions of a reading. */
export interface ReadOptions {
  /** Maximum number of cells of one word. */
  readonly most: number;
  /** True to test required bits before intervals are cut. */
  readonly bitsFirst: boolean;
}

/** An answer, or a question about one word; equal readings are one object. */
export type Reading = Answer | Question;

/** The end of a reading. */
export interface Answer {
  readonly kind: "answer";
  /** The value that the filter returns. */
  readonly value: ReturnValue;
}

/** A question about one word. */
export interface Question {
  readonly kind: "question";
  /** Byte offset of the word. */
  readonly offset: number;
  /** Mask that is applied to the word first; 0xffff_ffff for none. */
  readonly mask: number;
  /**
   * Values of the masked word from 0 up, without gaps; those outside of the
   * mask do not occur.
   */
  readonly cells: readonly OutlineCell[];
}

/** Values of a masked word with the same rest. */
export interface OutlineCell extends Range {
  /** The next question or answer. */
  readonly rest: Reading;
}

/** Options of `outlineOf`. */
export interface OutlineOptions {
  /**
   * Whether return values are compared by effect or by exact bits (default:
   * exact).
   */
  readonly compare?: "effect" | "bits";
  /** Limits of the diagram. */
  readonly limits?: Partial<ProofLimits>;
  /** Called regularly; if it returns true, the work ends. */
  readonly interrupted?: () => boolean;
}

/** There is no outline. */
export interface NoOutline {
  readonly kind: "no-outline";
  /** The limit that was reached. */
  readonly limit: LimitName;
}

const FULL = 0xffff_ffff;
/** Maximum number of intervals of `arch`, and of `nr` for each of them. */
const MOST_INTERVALS = 0x1_0000;
/** Maximum number of bits of a masked word whose values are all examined. */
const MOST_MASK_BITS = 8;
/** Maximum number of questions of one reading. */
const MOST_QUESTIONS = 512;
/** Up to this number of cells, no better form is searched. */
const FEW_CELLS = 3;

/**
 * Makes the outline of a filter.
 *
 * @param subject A filter, a stack of filters, or a policy.
 * @param options How to compare return values, and limits.
 * @returns The outline, or the limit that was reached.
 */
export function outlineOf(
  subject: Subject,
  options: OutlineOptions = {},
): Outline | NoOutline {
  const limits = {
    ...DEFAULT_PROOF_LIMITS,
    ...options.limits,
    interrupted: options.interrupted,
  };
  let limit: LimitName = "nodes";
  for (const [order, share] of ATTEMPTS) {
    const nodes = Math.ceil(limits.nodes * share);
    try {
      const symbols = createSymbols(order, { ...limits, nodes });
      const asActed = options.compare === "effect";
      return cut(symbols, meaningOf(subject, asActed, symbols));
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      limit = error.limit;
      if (limit === "interrupted") break;
    }
  }
  return { kind: "no-outline", limit };
}

/**
 * Orders of variables and shares of the nodes, each tried once: sums need the
 * second.
 */
const ATTEMPTS: readonly (readonly [order: Order, share: number])[] = [
  ["word", 1 / 8],
  ["bit", 1 / 8],
  ["word", 1],
  ["bit", 1],
];

/** Cuts a meaning by `arch` and `nr`, which come first in every order. */
function cut(symbols: Symbols, meaning: Node): Outline {
  const { diagram } = symbols;
  const functions = new Map<Node, ArgumentFunction>();
  const answerOf = (f: Node): ArgumentFunction => {
    const made = functions.get(f) ?? createFunction(symbols, f);
    functions.set(f, made);
    return made;
  };
  const arches = whole(diagram, meaning, ARCH_LEVEL);
  return {
    arches: arches.map(({ first, last, rest }) => ({
      first,
      last,
      numbers: whole(diagram, rest, NR_LEVEL).map((number) => ({
        first: number.first,
        last: number.last,
        answer: answerOf(number.rest),
      })),
    })),
  };
}

/** Cuts a word into all its intervals. */
function whole(
  diagram: Diagram,
  f: Node,
  level: number,
): ReturnType<typeof intervalsOf> {
  const intervals = intervalsOf(diagram, f, level, MOST_INTERVALS);
  if (intervals.at(-1)?.last !== FULL) throw new LimitReached("nodes");
  return intervals;
}

function createFunction(symbols: Symbols, f: Node): ArgumentFunction {
  const offsets = dependencies(symbols, f);
  return {
    offsets,
    read: (order, options) => new Reader(symbols, order, options).read(f),
  };
}

/** Byte offsets of the words on which a function depends. */
function dependencies(symbols: Symbols, f: Node): readonly number[] {
  const { diagram } = symbols;
  const levels = new Set<number>();
  const seen = new Set<Node>();
  const visit = (f: Node): void => {
    if (seen.has(f)) return;
    seen.add(f);
    const level = diagram.level(f);
    if (level === CONSTANT_LEVEL) {
      // An answer may itself be computed from the input.
      if (f !== NEVER && f !== ALWAYS) wordOf(symbols, f).forEach(visit);
      return;
    }
    levels.add(level);
    visit(diagram.lowOf(f, level));
    visit(diagram.highOf(f, level));
  };
  visit(f);
  return [...symbols.words].filter(([, word]) =>
    word.some((variable) => levels.has(diagram.level(variable)))
  ).map(([offset]) => offset).sort((a, b) => a - b);
}

function wordOf({ wordOf }: Symbols, leaf: Node): Word {
  return wordOf(leaf);
}

/** The values of a word under a mask, cut at the changes of a function. */
interface Cut {
  readonly mask: number;
  readonly cells: readonly (Range & { readonly rest: Node })[];
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/** Reads functions with their words in a given order. */
class Reader {
  readonly #symbols: Symbols;
  readonly #order: readonly number[];
  readonly #options: ReadOptions;
  /** The functions again, with variables in the given order. */
  readonly #diagram: Diagram;
  readonly #levels = new Map<number, number>();
  readonly #ordered = new Map<Node, Node>();
  readonly #answers = new Map<Node, Answer>();
  readonly #readings = new Map<Node, Reading | undefined>();
  #questions = 0;

  constructor(
    symbols: Symbols,
    order: readonly number[],
    options: ReadOptions,
  ) {
    this.#symbols = symbols;
    this.#order = order;
    this.#options = options;
    this.#diagram = createDiagram(ORDER_LIMITS);
    for (const [place, offset] of order.entries()) {
      for (const [bit, variable] of symbols.input(offset).entries()) {
        const level = WORD_BITS * place + WORD_BITS - 1 - bit;
        this.#levels.set(symbols.diagram.level(variable), level);
      }
    }
  }

  read(f: Node): Reading | undefined {
    try {
      const ordered = this.#reorder(f);
      return ordered === undefined ? undefined : this.#visit(ordered);
    } catch (error) {
      if (error instanceof LimitReached) return undefined;
      throw error;
    }
  }

  #reorder(f: Node): Node | undefined {
    const known = this.#ordered.get(f);
    if (known !== undefined) return known;
    const { diagram } = this.#symbols;
    const level = diagram.level(f);
    let made: Node;
    if (level === CONSTANT_LEVEL) {
      const value = constantOf(wordOf(this.#symbols, f));
      if (value === undefined) return undefined;
      made = this.#diagram.leaf();
      this.#answers.set(made, { kind: "answer", value });
    } else {
      const low = this.#reorder(diagram.lowOf(f, level));
      const high = this.#reorder(diagram.highOf(f, level));
      const to = this.#levels.get(level);
      if (low === undefined || high === undefined) return undefined;
      if (to === undefined) throw new Error("Unreachable: a word out of order");
      made = this.#diagram.choose(this.#diagram.variable(to), high, low);
    }
    this.#ordered.set(f, made);
    return made;
  }

  #visit(f: Node): Reading | undefined {
    if (!this.#readings.has(f)) this.#readings.set(f, this.#ask(f));
    return this.#readings.get(f);
  }

  #ask(f: Node): Reading | undefined {
    const answer = this.#answers.get(f);
    if (answer !== undefined) return answer;
    const place = Math.floor(this.#diagram.level(f) / WORD_BITS);
    const level = WORD_BITS * place;
    if (++this.#questions > MOST_QUESTIONS) return undefined;
    const split = this.#cut(f, level);
    if (split === undefined) return undefined;
    const cells: OutlineCell[] = [];
    for (const { first, last, rest } of split.cells) {
      const reading = this.#visit(rest);
      if (reading === undefined) return undefined;
      cells.push({ first, last, rest: reading });
    }
    const offset = this.#order[place] ?? 0;
    return { kind: "question", offset, mask: split.mask, cells };
  }

  /** Cuts the values of a word in the form that has the fewest cells. */
  #cut(f: Node, level: number): Cut | undefined {
    const { most, bitsFirst } = this.#options;
    const whole = intervalsOf(this.#diagram, f, level, most + 1);
    const isWhole = whole.at(-1)?.last === FULL && whole.length <= most;
    if (isWhole && whole.length <= FEW_CELLS) {
      return { mask: FULL, cells: whole };
    }
    const masked = this.#maskedCells(f, level);
    if (masked !== undefined && masked.cells.length <= FEW_CELLS) return masked;
    if (bitsFirst || !isWhole) {
      const required = this.#requiredBits(f, level);
      if (required !== undefined) return required;
    }
    if (!isWhole) return masked;
    return masked !== undefined && masked.cells.length < whole.length
      ? masked
      : { mask: FULL, cells: whole };
  }

  /**
   * Bits that must all have given values, else the rest is always the same.
   * Bits for which the rest is the same function are not included.
   */
  #requiredBits(f: Node, level: number): Cut | undefined {
    const bits = this.#supportOf(f, level);
    const candidates = new Map<Node, { mask: number; value: number }>();
    for (const at of bits) {
      const weight = 1 << (level + WORD_BITS - 1 - at);
      for (const isSet of [false, true]) {
        const rest = this.#restrict(f, at, isSet);
        const found = candidates.get(rest) ?? { mask: 0, value: 0 };
        found.mask = (found.mask | weight) >>> 0;
        if (!isSet) found.value = (found.value | weight) >>> 0;
        candidates.set(rest, found);
      }
    }
    const isSettled = (rest: Node): number =>
      this.#diagram.level(rest) < level + WORD_BITS ? 0 : 1;
    const [best] = [...candidates].sort(([f, a], [g, b]) =>
      bitCount(b.mask) - bitCount(a.mask) || isSettled(g) - isSettled(f)
    );
    if (best === undefined) return undefined;
    const [otherwise, { mask, value }] = best;
    let inside = f;
    for (const at of bits) {
      const weight = 1 << (level + WORD_BITS - 1 - at);
      if ((mask & weight) === 0) continue;
      inside = this.#restrict(inside, at, (value & weight) !== 0);
    }
    const cells = [
      { first: 0, last: value - 1, rest: otherwise },
      { first: value, last: value, rest: inside },
      { first: value + 1, last: FULL, rest: otherwise },
    ].filter(({ first, last }) => first <= last);
    return { mask, cells };
  }

  /** A function with one variable set to 0 or 1. */
  #restrict(f: Node, at: number, isSet: boolean): Node {
    const made = new Map<Node, Node>();
    const visit = (f: Node): Node => {
      const level = this.#diagram.level(f);
      if (level > at) return f;
      const known = made.get(f);
      if (known !== undefined) return known;
      const low = this.#diagram.lowOf(f, level);
      const high = this.#diagram.highOf(f, level);
      const g = level === at ? isSet ? high : low : this.#diagram.choose(
        this.#diagram.variable(level),
        visit(high),
        visit(low),
      );
      made.set(f, g);
      return g;
    };
    return visit(f);
  }

  /** Levels of the bits of one word on which a function depends, in rising order. */
  #supportOf(f: Node, level: number): readonly number[] {
    const end = level + WORD_BITS;
    const levels = new Set<number>();
    const seen = new Set<Node>();
    const collect = (f: Node): void => {
      const at = this.#diagram.level(f);
      if (at >= end || seen.has(f)) return;
      seen.add(f);
      levels.add(at);
      collect(this.#diagram.lowOf(f, at));
      collect(this.#diagram.highOf(f, at));
    };
    collect(f);
    return [...levels].sort((a, b) => a - b);
  }

  /** The word under the mask of the bits that matter, if they are few. */
  #maskedCells(f: Node, level: number): Cut | undefined {
    const end = level + WORD_BITS;
    const bits = this.#supportOf(f, level);
    if (bits.length > MOST_MASK_BITS) return undefined;
    const mask = bits.reduce((sum, at) => (sum | 1 << (end - 1 - at)) >>> 0, 0);
    const cells: { first: number; last: number; rest: Node }[] = [];
    for (let i = 0; i < 2 ** bits.length; i++) {
      let rest = f;
      let value = 0;
      for (const [place, at] of bits.entries()) {
        const isSet = (i >> (bits.length - 1 - place) & 1) === 1;
        if (isSet) value = (value | 1 << (end - 1 - at)) >>> 0;
        rest = isSet
          ? this.#diagram.highOf(rest, at)
          : this.#diagram.lowOf(rest, at);
      }
      const before = cells.at(-1);
      if (before?.rest === rest) continue;
      if (before !== undefined) before.last = value - 1;
      cells.push({ first: value, last: FULL, rest });
    }
    return { mask, cells };
  }
}

/** Limits of the second diagram of one call. */
const ORDER_LIMITS = { nodes: 1 << 14, steps: 500_000 };

/** The number that a word is everywhere, if there is one. */
function constantOf(word: Word): number | undefined {
  let value = 0;
  for (const [bit, f] of word.entries()) {
    if (f !== NEVER && f !== ALWAYS) return undefined;
    if (f === ALWAYS) value = (value | 1 << bit) >>> 0;
  }
  return value;
}
