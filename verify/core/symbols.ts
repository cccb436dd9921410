/**
 * The input of a filter as variables of a diagram.
 *
 * `arch` and `nr` come first in every order, so that the nodes below them are
 * functions of the arguments for one architecture and number:
 *
 * ```text
 * level    0..31   32..63   64 ..
 * word     arch    nr       arg 0 | arg 0 | arg 1 | … | ip | ip      32 levels each
 * bit      arch    nr       bit 31 of all of them, bit 30 of all …   14 levels each
 * ```
 *
 * @module
 */

import { ARCH_OFFSET, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import { createDiagram, type Diagram, type Node } from "./diagram.ts";
import type { DiagramLimits } from "../limits.ts";
import { type Word, WORD_BITS } from "./word.ts";

/** Order of the variables below `arch` and `nr`. */
export type Order = "word" | "bit";

/** Level of the highest bit of `arch`. */
export const ARCH_LEVEL = 0;
/** Level of the highest bit of `nr`. */
export const NR_LEVEL = 32;

/** Byte offsets of the words: `arch`, `nr`, the arguments, the instruction pointer. */
const OFFSETS: readonly number[] = [ARCH_OFFSET, NR_OFFSET]
  .concat([16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60], [8, 12]);

/** Variables, and the words that consist of them. */
export interface Symbols {
  readonly diagram: Diagram;
  /** The word that a load at byte `offset` reads, a multiple of 4 from 0 to 60. */
  input(offset: number): Word;
  /** The constant function whose value is a word, itself constant or not. */
  leaf(word: Word): Node;
  /** The word of a leaf. */
  wordOf(leaf: Node): Word;
  /** The words read so far, by byte offset. */
  readonly words: ReadonlyMap<number, Word>;
}

/**
 * Creates the variables.
 *
 * @param order Order of the variables.
 * @param limits Limits of the diagram.
 * @returns The variables.
 */
export function createSymbols(order: Order, limits: DiagramLimits): Symbols {
  const diagram = createDiagram(limits);
  const words = new Map<number, Word>();
  const leaves = new Map<string, Node>();
  const wordsOfLeaves = new Map<Node, Word>();

  function input(offset: number): Word {
    const word = words.get(offset) ??
      Array.from(
        { length: WORD_BITS },
        (_, bit) => diagram.variable(levelOf(order, offset, bit)),
      );
    words.set(offset, word);
    return word;
  }

  function leaf(word: Word): Node {
    const key = String(word);
    const made = leaves.get(key) ?? diagram.leaf();
    leaves.set(key, made);
    wordsOfLeaves.set(made, word);
    return made;
  }

  function wordOf(leaf: Node): Word {
    const word = wordsOfLeaves.get(leaf);
    if (word === undefined) throw new Error("Unreachable: a leaf of no word");
    return word;
  }

  return { diagram, input, leaf, wordOf, words };
}

function levelOf(order: Order, offset: number, bit: number): number {
  const place = OFFSETS.indexOf(offset);
  const depth = WORD_BITS - 1 - bit;
  if (order === "word" || place < 2) return WORD_BITS * place + depth;
  return 2 * WORD_BITS + (OFFSETS.length - 2) * depth + place - 2;
}
