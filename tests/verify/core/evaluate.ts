/**
 * Computes the answer of a diagram to one input, bit by bit.
 *
 * @module
 */

import { CONSTANT_LEVEL, type Node } from "../../../verify/core/diagram.ts";
import type { Symbols } from "../../../verify/core/symbols.ts";
import type { Word } from "../../../verify/core/word.ts";

/** Source of each variable of a set. */
const sources = new WeakMap<Symbols, ReadonlyMap<number, Source>>();

interface Source {
  readonly place: number;
  readonly bit: number;
}

function sourcesOf(symbols: Symbols): ReadonlyMap<number, Source> {
  const known = sources.get(symbols);
  if (known !== undefined) return known;
  const made = new Map<number, Source>();
  for (let place = 0; place < 16; place++) {
    for (const [bit, variable] of symbols.input(4 * place).entries()) {
      made.set(symbols.diagram.level(variable), { place, bit });
    }
  }
  sources.set(symbols, made);
  return made;
}

/** Finds the constant that a function is on an input of sixteen words. */
export function constantAt(
  symbols: Symbols,
  f: Node,
  words: Uint32Array,
): Node {
  const { diagram } = symbols;
  const bits = sourcesOf(symbols);
  let node = f;
  for (
    let level = diagram.level(node);
    level !== CONSTANT_LEVEL;
    level = diagram.level(node)
  ) {
    const { place = 0, bit = 0 } = bits.get(level) ?? {};
    node = ((words[place] ?? 0) >>> bit) & 1
      ? diagram.highOf(node, level)
      : diagram.lowOf(node, level);
  }
  return node;
}

/** Finds the number that a word is on an input. */
export function numberAt(
  symbols: Symbols,
  word: Word,
  words: Uint32Array,
): number {
  let number = 0;
  for (const [bit, f] of word.entries()) {
    number += constantAt(symbols, f, words) * 2 ** bit;
  }
  return number;
}

/** Finds the return value of a function with words as leaves on an input. */
export function valueAt(symbols: Symbols, f: Node, words: Uint32Array): number {
  const leaf = constantAt(symbols, f, words);
  return numberAt(symbols, symbols.wordOf(leaf), words);
}
