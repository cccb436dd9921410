/**
 * Finds inputs for which a function is true. This code does not need to be
 * trusted: an input counts as a difference only after both sides were run on
 * it.
 *
 * @module
 */

import { ARCH_OFFSET } from "../../bpf/seccomp_data.ts";
import { type Diagram, NEVER, type Node } from "../core/diagram.ts";
import { ARCH_LEVEL, type Symbols } from "../core/symbols.ts";
import { WORD_BITS } from "../core/word.ts";

/**
 * Finds the lowest input for which a function is true, on the first requested
 * architecture that has one.
 *
 * @param symbols The input, with the words that the function may depend on.
 * @param f A boolean function that is not `NEVER`.
 * @param arches Requested values of `arch`, in order of preference.
 * @returns Sixteen words.
 */
export function lowestInput(
  symbols: Symbols,
  f: Node,
  arches: readonly number[] = [],
): Uint32Array {
  for (const arch of arches) {
    const rest = onArch(symbols.diagram, f, arch);
    if (rest === NEVER) continue;
    const found = lowestOf(symbols, rest);
    found[ARCH_OFFSET / 4] = arch;
    return found;
  }
  return lowestOf(symbols, f);
}

/** The function of the other words for one value of `arch`. */
function onArch(diagram: Diagram, f: Node, arch: number): Node {
  const end = ARCH_LEVEL + WORD_BITS;
  for (let level = diagram.level(f); level < end; level = diagram.level(f)) {
    const bit = end - 1 - level;
    f = (arch >>> bit & 1) === 1
      ? diagram.highOf(f, level)
      : diagram.lowOf(f, level);
  }
  return f;
}

function lowestOf({ diagram, words }: Symbols, f: Node): Uint32Array {
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

/**
 * Lists the byte offsets of the words that were read so far, in rising order.
 */
export function offsetsOf({ words }: Symbols): readonly number[] {
  return [...words.keys()].sort((a, b) => a - b);
}
