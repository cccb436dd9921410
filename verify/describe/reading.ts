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
   * Values of the masked word from 0 up, without gaps; values outside the mask
   * do not occur.
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
/** Limits of the diagram of one order of words. */
const ORDER_LIMITS = { nodes: 1 << 14, steps: 500_000 };

/**
 * Diagrams for functions with their words in another order. Touching the memory
 * of a new diagram takes time, so each is used for many orders.
 */
export class OrderedDiagrams {
  /** The input of the functions. */
  readonly symbols: Symbols;
  /** The byte offset and the bit of each variable, by level. */
  readonly bits: Map<number, readonly [offset: number, bit: number]> =
    new Map();
  readonly #limits = { ...ORDER_LIMITS };
  #diagram: Diagram = createDiagram(this.#limits);

  /** @param symbols The input of the functions. */
  constructor(symbols: Symbols) {
    this.symbols = symbols;
    for (const [offset, word] of symbols.words) {
      for (const [bit, variable] of word.entries()) {
        this.bits.set(symbols.diagram.level(variable), [offset, bit]);
      }
    }
  }

  /** Returns a diagram with room for most functions. */
  next(): Diagram {
    if (this.#diagram.nodes() > ORDER_LIMITS.nodes / 2) {
      this.#diagram = createDiagram(this.#limits);
    }
    this.#limits.steps = this.#diagram.steps() + ORDER_LIMITS.steps;
    return this.#diagram;
  }
}

/** A function of some words in one order. */
interface Ordered {
  readonly diagram: Diagram;
  readonly f: Node;
  /** The byte offset and the bit that the variable of a level is. */
  readonly bitAt: (level: number) => readonly [offset: number, bit: number];
  /** The answer of a leaf, if it is not computed. */
  readonly answerOf: (leaf: Node) => Answer | undefined;
}

/**
 * Reads a function word by word in any order. Each order is built from the
 * previous one, because neighbors in a list of all orders are similar.
 */
export class OrderedReader {
  readonly #diagrams: OrderedDiagrams;
  readonly #first: Ordered;
  #last: Ordered;

  /**
   * @param diagrams Diagrams for the other orders.
   * @param f The function.
   */
  constructor(diagrams: OrderedDiagrams, f: Node) {
    this.#diagrams = diagrams;
    const { bits, symbols: { diagram, wordOf } } = diagrams;
    this.#first = {
      diagram,
      f,
      bitAt: (level) => {
        const at = bits.get(level);
        if (at === undefined) throw new Error("Unreachable: no such variable");
        return at;
      },
      answerOf: (leaf) => {
        const value = constantOf(wordOf(leaf));
        return value === undefined ? undefined : { kind: "answer", value };
      },
    };
    this.#last = this.#first;
  }

  /**
   * Reads the function in up to two forms: with intervals cut first, and with
   * required bits tested first.
   *
   * @param order Byte offsets of the words on which it depends, in the order in
   * which to test them.
   * @param most Maximum number of cells of one word.
   * @returns The first question of each form; empty if a word has more cells
   * than allowed in every form, or if an answer is computed from the input.
   */
  read(order: readonly number[], most: number): readonly Reading[] {
    const readings: Reading[] = [];
    const readFrom = (from: Ordered, diagram: Diagram): void => {
      readings.splice(0);
      const ordered = reorder(from, diagram, order);
      if (ordered === undefined) return;
      this.#last = ordered;
      const reader = new Reader(ordered, order, most);
      for (const reading of reader.forms()) readings.push(reading);
    };
    try {
      try {
        readFrom(this.#last, this.#diagrams.next());
      } catch (error) {
        if (!(error instanceof LimitReached)) throw error;
        readFrom(this.#first, createDiagram(ORDER_LIMITS));
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
    }
    return readings;
  }
}

/**
 * Builds a function with its words in a given order; `undefined` if it has
 * computed answers.
 */
function reorder(
  from: Ordered,
  diagram: Diagram,
  order: readonly number[],
): Ordered | undefined {
  const places = new Map(order.map((offset, place) => [offset, place]));
  const answers = new Map<Node, Answer>();
  const made = new Map<Node, Node>();
  const visit = (f: Node): Node | undefined => {
    const known = made.get(f);
    if (known !== undefined) return known;
    let node: Node;
    if (from.diagram.level(f) === CONSTANT_LEVEL) {
      const answer = from.answerOf(f);
      if (answer === undefined) return undefined;
      node = from.diagram === diagram ? f : diagram.leaf();
      answers.set(node, answer);
    } else {
      const cut = cutTop(from, f);
      const rests = new Map<Node, Node>();
      for (const rest of cut.rests) {
        const node = visit(rest);
        if (node === undefined) return undefined;
        rests.set(rest, node);
      }
      const place = places.get(cut.offset);
      if (place === undefined) throw new Error("Unreachable: no such word");
      node = moveWord(diagram, { ...cut, place, ends: rests });
    }
    made.set(f, node);
    return node;
  };
  const root = visit(from.f);
  return root === undefined ? undefined : {
    diagram,
    f: root,
    bitAt: (level) => [
      order[Math.floor(level / WORD_BITS)] ?? -1,
      WORD_BITS - 1 - level % WORD_BITS,
    ],
    answerOf: (leaf) => answers.get(leaf),
  };
}

/** The part of a function that tests the word of its first variable. */
interface TopWord {
  readonly offset: number;
  /** The nodes that test it, rests first, with the bit that each tests. */
  readonly tests: readonly {
    readonly f: Node;
    readonly bit: number;
    readonly low: Node;
    readonly high: Node;
  }[];
  /** The functions that are left after it. */
  readonly rests: readonly Node[];
}

/**
 * Splits off the first word; if its variables are not contiguous, stops at
 * another word's variable.
 */
function cutTop({ diagram, bitAt }: Ordered, f: Node): TopWord {
  const [top] = bitAt(diagram.level(f));
  const tests: { f: Node; bit: number; low: Node; high: Node }[] = [];
  const rests: Node[] = [];
  const seen = new Set<Node>();
  const visit = (f: Node): void => {
    if (seen.has(f)) return;
    seen.add(f);
    const level = diagram.level(f);
    const [offset, bit] = level === CONSTANT_LEVEL ? [-1, 0] : bitAt(level);
    if (offset !== top) {
      rests.push(f);
      return;
    }
    const low = diagram.lowOf(f, level);
    const high = diagram.highOf(f, level);
    visit(low);
    visit(high);
    tests.push({ f, bit, low, high });
  };
  visit(f);
  return { offset: top, tests, rests };
}

/**
 * Maximum number of rests for which each is put under all its values at once.
 */
const FEW_RESTS = 8;

/**
 * Moves the tests of a word to another place, above or below the tests of its
 * rests.
 */
function moveWord(
  diagram: Diagram,
  { tests, ends, place }: TopWord & {
    readonly place: number;
    readonly ends: ReadonlyMap<Node, Node>;
  },
): Node {
  const build = (ends: ReadonlyMap<Node, Node>): Node => {
    const built = new Map(ends);
    let root = NEVER;
    for (const { f, bit, low, high } of tests) {
      const level = WORD_BITS * place + WORD_BITS - 1 - bit;
      root = diagram.choose(
        diagram.variable(level),
        built.get(high) ?? NEVER,
        built.get(low) ?? NEVER,
      );
      built.set(f, root);
    }
    return root;
  };
  const isAbove = [...ends.values()].every((end) =>
    diagram.level(end) >= WORD_BITS * (place + 1)
  );
  if (isAbove || ends.size > FEW_RESTS) return build(ends);
  // Going bit by bit would create many functions of half of the word.
  const [[, first] = [NEVER, NEVER], ...others] = ends;
  let all = first;
  for (const [rest, end] of others) {
    const here = build(new Map([[rest, ALWAYS]]));
    all = diagram.choose(here, end, all);
  }
  return all;
}

/** Reads a function in the order of its words. */
class Reader {
  readonly #ordered: Ordered;
  readonly #diagram: Diagram;
  readonly #order: readonly number[];
  readonly #most: number;
  readonly #readings = new Map<Node, Reading | undefined>();
  #bitsFirst = false;
  #hasForms = false;
  #questions = 0;

  constructor(ordered: Ordered, order: readonly number[], most: number) {
    this.#ordered = ordered;
    this.#diagram = ordered.diagram;
    this.#order = order;
    this.#most = most;
  }

  /** Reads the function in one form or two. */
  *forms(): Iterable<Reading> {
    for (const bitsFirst of [false, true]) {
      this.#bitsFirst = bitsFirst;
      this.#hasForms = false;
      this.#questions = 0;
      this.#readings.clear();
      const reading = this.#visit(this.#ordered.f);
      if (reading !== undefined) yield reading;
      if (!this.#hasForms) break;
    }
  }

  #visit(f: Node): Reading | undefined {
    if (!this.#readings.has(f)) this.#readings.set(f, this.#ask(f));
    return this.#readings.get(f);
  }

  #ask(f: Node): Reading | undefined {
    const top = this.#diagram.level(f);
    if (top === CONSTANT_LEVEL) return this.#ordered.answerOf(f);
    const place = Math.floor(top / WORD_BITS);
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

/** The constant value of a word, if it has one. */
function constantOf(word: Word): number | undefined {
  let value = 0;
  for (const [bit, f] of word.entries()) {
    if (f !== NEVER && f !== ALWAYS) return undefined;
    if (f === ALWAYS) value = (value | 1 << bit) >>> 0;
  }
  return value;
}
