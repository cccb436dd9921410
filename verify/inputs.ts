/**
 * Inputs on which a function holds. Nothing here has to be trusted: an input is
 * believed to show a difference after both sides have been run on it.
 *
 * @module
 */

import { type Diagram, NEVER, type Node } from "./diagram.ts";
import type { Word } from "./word.ts";

/**
 * Finds the lowest input on which a function holds.
 *
 * @param diagram Where the function lives.
 * @param words The words of the input that it may depend on, by byte offset.
 * @param f A boolean function that is not `NEVER`.
 * @returns Sixteen words.
 */
export function lowestInput(
  diagram: Diagram,
  words: ReadonlyMap<number, Word>,
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
