/**
 * One word of the input as a line, cut at the changes of a function.
 *
 * @module
 */

import type { Range } from "../../bpf/range.ts";
import type { Diagram, Node } from "../core/diagram.ts";
import { WORD_BITS } from "../core/word.ts";

/**
 * An interval of a word's values on which a function of later words is the
 * same.
 */
export interface FunctionInterval extends Range {
  /** The function on this interval. */
  readonly rest: Node;
}

/**
 * Cuts the line of a word into the fewest intervals on each of which a function
 * no longer depends on the word.
 *
 * @param diagram Diagram of the function.
 * @param f A function without variables above `level`.
 * @param level Level of the word's highest bit; the others follow.
 * @param most Maximum number of intervals; stops beyond it.
 * @returns The intervals from 0 up, without gaps; the last one ends at
 * 0xffff_ffff unless `most` was reached.
 */
export function intervalsOf(
  diagram: Diagram,
  f: Node,
  level: number,
  most: number,
): readonly FunctionInterval[] {
  const intervals: FunctionInterval[] = [];
  const end = level + WORD_BITS;
  /**
   * Handles the 2^bits values from `first`; returns false if there were too
   * many.
   */
  function visit(first: number, bits: number, rest: Node): boolean {
    if (diagram.level(rest) >= end) {
      const last = first + 2 ** bits - 1;
      const before = intervals.at(-1);
      if (before?.rest === rest) {
        intervals[intervals.length - 1] = { ...before, last };
        return true;
      }
      if (intervals.length === most) return false;
      intervals.push({ first, last, rest });
      return true;
    }
    const variable = end - bits;
    const middle = first + 2 ** (bits - 1);
    return visit(first, bits - 1, diagram.lowOf(rest, variable)) &&
      visit(middle, bits - 1, diagram.highOf(rest, variable));
  }
  visit(0, WORD_BITS, f);
  return intervals;
}
