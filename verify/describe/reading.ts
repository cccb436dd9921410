/**
 * A function of the argument words, read word by word in a given order.
 *
 * @module
 */

import type { Range } from "../../bpf/range.ts";
import type { ReturnValue } from "../../profile/policy.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  createDiagram,
  type Diagram,
  NEVER,
  type Node,
} from "../core/diagram.ts";
import type { Symbols } from "../core/symbols.ts";
import { type Word, WORD_BITS } from "../core/word.ts";
import { LimitReached } from "../limits.ts";
import { cutWord, FEW_CELLS } from "./word_cut.ts";

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

/** Maximum number of questions of one reading. */
const MOST_QUESTIONS = 512;
/** Limits of the second diagram of one call. */
const ORDER_LIMITS = { nodes: 1 << 14, steps: 500_000 };

/**
 * Reads a function in up to two forms: with intervals cut first, and with
 * required bits tested first.
 *
 * @param symbols The input of the function.
 * @param f The function.
 * @param order Byte offsets of the words on which it depends, in the order in which to test them.
 * @param most Maximum number of cells of one word.
 * @returns The first question of each form; none if a word has more cells than
 * allowed in every form, or if an answer is computed from the input.
 */
export function readFunction(
  symbols: Symbols,
  f: Node,
  order: readonly number[],
  most: number,
): readonly Reading[] {
  const readings: Reading[] = [];
  try {
    const reader = new Reader(symbols, order, most);
    for (const bitsFirst of [false, true]) {
      const reading = reader.read(f, bitsFirst);
      if (reading !== undefined) readings.push(reading);
      if (!reader.hasForms) break;
    }
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
  }
  return readings;
}

/** Reads functions with their words in a given order. */
class Reader {
  readonly #symbols: Symbols;
  readonly #order: readonly number[];
  readonly #most: number;
  /** The functions again, with variables in the given order. */
  readonly #diagram: Diagram = createDiagram(ORDER_LIMITS);
  readonly #levels = new Map<number, number>();
  readonly #ordered = new Map<Node, Node>();
  readonly #answers = new Map<Node, Answer>();
  readonly #readings = new Map<Node, Reading | undefined>();
  #bitsFirst = false;
  #hasForms = false;
  #questions = 0;

  constructor(symbols: Symbols, order: readonly number[], most: number) {
    this.#symbols = symbols;
    this.#order = order;
    this.#most = most;
    for (const [place, offset] of order.entries()) {
      for (const [bit, variable] of symbols.input(offset).entries()) {
        const level = WORD_BITS * place + WORD_BITS - 1 - bit;
        this.#levels.set(symbols.diagram.level(variable), level);
      }
    }
  }

  /** True if the last reading may have another form. */
  get hasForms(): boolean {
    return this.#hasForms;
  }

  read(f: Node, bitsFirst: boolean): Reading | undefined {
    this.#bitsFirst = bitsFirst;
    this.#hasForms = false;
    this.#questions = 0;
    this.#readings.clear();
    const ordered = this.#reorder(f);
    return ordered === undefined ? undefined : this.#visit(ordered);
  }

  #reorder(f: Node): Node | undefined {
    const known = this.#ordered.get(f);
    if (known !== undefined) return known;
    const { diagram, wordOf } = this.#symbols;
    const level = diagram.level(f);
    let made: Node;
    if (level === CONSTANT_LEVEL) {
      const value = constantOf(wordOf(f));
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
    if (++this.#questions > MOST_QUESTIONS) return undefined;
    const level = WORD_BITS * place;
    const options = { most: this.#most, bitsFirst: this.#bitsFirst };
    const cut = cutWord(this.#diagram, f, level, options);
    if (cut === undefined) return undefined;
    if (cut.cells.length > FEW_CELLS) this.#hasForms = true;
    const cells: OutlineCell[] = [];
    for (const { first, last, rest } of cut.cells) {
      const reading = this.#visit(rest);
      if (reading === undefined) return undefined;
      cells.push({ first, last, rest: reading });
    }
    const offset = this.#order[place] ?? 0;
    return { kind: "question", offset, mask: cut.mask, cells };
  }
}

/** The number that a word is everywhere, if there is one. */
function constantOf(word: Word): number | undefined {
  let value = 0;
  for (const [bit, f] of word.entries()) {
    if (f !== NEVER && f !== ALWAYS) return undefined;
    if (f === ALWAYS) value = (value | 1 << bit) >>> 0;
  }
  return value;
}
