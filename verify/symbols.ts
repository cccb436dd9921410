/**
 * The input of a filter as variables of a diagram.
 *
 * `arch` and `nr` come first in every order, so that what lies below them are
 * functions of the arguments for one architecture and number:
 *
 * ```text
 * level    0..31   32..63   64 ..
 * word     arch    nr       arg 0 | arg 0 | arg 1 | … | ip | ip      32 levels each
 * bit      arch    nr       bit 31 of all of them, bit 30 of all …   14 levels each
 * then     variables in place of products and quotients, 32 levels each
 * ```
 *
 * @module
 */

import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import {
  createDiagram,
  type Diagram,
  type DiagramLimits,
  LimitReached,
  NEVER,
  type Node,
} from "./diagram.ts";
import {
  isConstant,
  isShift,
  type Stand,
  type Word,
  WORD_BITS,
} from "./word.ts";

/** Order of the variables below `arch` and `nr`. */
export type Order = "word" | "bit";

/** Level of the highest bit of `arch`. */
export const ARCH_LEVEL = 0;
/** Level of the highest bit of `nr`. */
export const NR_LEVEL = 32;

/** Byte offsets of the other words: the arguments, then the instruction pointer. */
const OTHERS: readonly number[] = [
  ...Array.from({ length: 12 }, (_, i) => 16 + 4 * i),
  8,
  12,
];
const OTHERS_LEVEL = 64;
const FIRST_OPAQUE_LEVEL = 512;
/** Levels are u16. */
const MOST_OPAQUE = 2000;

/** Variables, and what was made of them. */
export interface Symbols {
  readonly diagram: Diagram;
  /** Stands for products and quotients, if they are left open. */
  readonly stand: Stand;
  /** The word that a load at byte `offset` reads, a multiple of 4 from 0 to 60. */
  input(offset: number): Word;
  /** The constant function whose value is a word, itself a constant or not. */
  leaf(word: Word): Node;
  /** The word of a leaf. */
  wordOf(leaf: Node): Word;
  /** Byte offsets of the words read so far, rising. */
  offsets(): readonly number[];
  /** Number of products and quotients left open so far. */
  opaque(): number;
  /** The lowest input, as sixteen words, on which `f` holds, which is not `NEVER`. */
  inputWhere(f: Node): Uint32Array;
}

/**
 * Makes the variables.
 *
 * @param order Order of the variables.
 * @param open Whether products and quotients are left open.
 * @param limits What the diagram may spend.
 * @returns The variables.
 */
export function createSymbols(
  order: Order,
  open: boolean,
  limits: DiagramLimits,
): Symbols {
  const diagram = createDiagram(limits);
  const words = new Map<number, Word>();
  const leaves = new Map<string, Node>();
  const wordsOfLeaves = new Map<Node, Word>();
  const stands = new Map<string, Word>();

  const stand: Stand = (op, a, b) => {
    if (!open || isShift(b) || (isConstant(a) && isConstant(b))) {
      return undefined;
    }
    // Products commute.
    const key = `${op} ${op === "mul" ? [a, b].map(String).sort() : [a, b]}`;
    const known = stands.get(key);
    if (known !== undefined) return known;
    if (stands.size === MOST_OPAQUE) throw new LimitReached("nodes");
    const lowest = FIRST_OPAQUE_LEVEL + WORD_BITS * (stands.size + 1) - 1;
    const made = bits((bit) => lowest - bit);
    stands.set(key, made);
    return made;
  };

  function bits(levelOf: (bit: number) => number): Word {
    return Array.from(
      { length: WORD_BITS },
      (_, bit) => diagram.variable(levelOf(bit)),
    );
  }

  function input(offset: number): Word {
    const known = words.get(offset);
    if (known !== undefined) return known;
    const made = bits((bit) => levelOf(order, offset, bit));
    words.set(offset, made);
    return made;
  }

  function leaf(word: Word): Node {
    const key = String(word);
    const known = leaves.get(key);
    if (known !== undefined) return known;
    const made = diagram.leaf();
    leaves.set(key, made);
    wordsOfLeaves.set(made, word);
    return made;
  }

  function wordOf(leaf: Node): Word {
    const word = wordsOfLeaves.get(leaf);
    if (word === undefined) throw new Error("Unreachable: a leaf of no word");
    return word;
  }

  function inputWhere(f: Node): Uint32Array {
    const places = new Map<number, readonly [number, number]>();
    for (const offset of words.keys()) {
      for (let bit = 0; bit < WORD_BITS; bit++) {
        places.set(levelOf(order, offset, bit), [offset / 4, bit]);
      }
    }
    const found = new Uint32Array(16);
    for (let level = diagram.level(f); f > 1; level = diagram.level(f)) {
      const low = diagram.lowOf(f, level);
      const place = places.get(level);
      if (low === NEVER && place !== undefined) {
        const [index, bit] = place;
        found[index] = (found[index] ?? 0) | 1 << bit;
      }
      f = low === NEVER ? diagram.highOf(f, level) : low;
    }
    return found;
  }

  return {
    diagram,
    stand,
    input,
    leaf,
    wordOf,
    offsets: () => [...words.keys()].sort((a, b) => a - b),
    opaque: () => stands.size,
    inputWhere,
  };
}

function levelOf(order: Order, offset: number, bit: number): number {
  const depth = WORD_BITS - 1 - bit;
  if (offset === ARCH_OFFSET) return ARCH_LEVEL + depth;
  if (offset === NR_OFFSET) return NR_LEVEL + depth;
  const place = OTHERS.indexOf(offset);
  return OTHERS_LEVEL +
    (order === "word"
      ? WORD_BITS * place + depth
      : OTHERS.length * depth + place);
}
