/**
 * Inputs on which a function holds. Nothing here has to be trusted: an input is
 * believed to show a difference after both sides have been run on it.
 *
 * @module
 */

import { NEVER, type Node } from "../core/diagram.ts";
import type { Symbols } from "../core/symbols.ts";

/**
 * Finds the lowest input on which a function holds.
 *
 * @param symbols The input, with the words that the function may depend on.
 * @param f A boolean function that is not `NEVER`.
 * @returns Sixteen words.
 */
export function lowestInput(
  { diagram, words }: Symbols,
  f: Node,
): Uint32Array {
  const places = new Map<number, readonly [number, number]>();
  for (const [offset, word] of words) {
    for (const [bit, variable] of word.entries()) {
      places.set(diagram.level(variable), [offset / 4, bit]);
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

/** Lists the byte offsets of the words that were read so far, rising. */
export function offsetsOf({ words }: Symbols): readonly number[] {
  return [...words.keys()].sort((a, b) => a - b);
}
