/**
 * Conditions on arguments in a readable form: a union of boxes, each an
 * interval for every word that matters.
 *
 * @module
 */

import { ALWAYS, CONSTANT_LEVEL, NEVER, type Node } from "../core/diagram.ts";
import { intervalsOf } from "./intervals.ts";
import type { Range } from "../../bpf/range.ts";
import { offsetsOf } from "./inputs.ts";
import type { Symbols } from "../core/symbols.ts";
import { WORD_BITS } from "../core/word.ts";

/** Values of one input word, both ends included. */
export interface WordRange extends Range {
  /** Byte offset of the word in `struct seccomp_data`. */
  readonly offset: number;
}

/**
 * Inputs whose words are all in their ranges; unnamed words can have any value.
 */
export type Box = readonly WordRange[];

/**
 * Converts a function of the arguments to a union of disjoint boxes.
 *
 * @param symbols The input, with its words one after the other.
 * @param where A boolean function without `arch` and `nr`.
 * @param most Maximum number of boxes.
 * @returns The boxes, or `undefined` if there are more than that, or a
 * condition relates several words.
 */
export function boxesOf(
  symbols: Symbols,
  where: Node,
  most: number,
): readonly Box[] | undefined {
  const { diagram } = symbols;
  const starts = offsetsOf(symbols).map((offset) => {
    const highest = symbols.input(offset)[WORD_BITS - 1] ?? NEVER;
    return { offset, level: diagram.level(highest) };
  });
  const boxes: Box[] = [];
  function visit(f: Node, box: Box): boolean {
    if (f === NEVER) return true;
    if (f === ALWAYS) return boxes.push(box) <= most;
    const level = diagram.level(f);
    const word = starts.find((start) =>
      start.level <= level && level < start.level + WORD_BITS
    );
    if (level === CONSTANT_LEVEL || word === undefined) return false;
    const { offset } = word;
    const intervals = intervalsOf(diagram, f, word.level, 2 * most + 2);
    return intervals.length < 2 * most + 2 &&
      intervals.every(({ first, last, rest }) =>
        visit(rest, [...box, { offset, first, last }])
      );
  }
  return visit(where, []) ? boxes : undefined;
}
