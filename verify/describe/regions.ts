/**
 * Regions of `arch` and `nr` in which a function depends only on later words.
 *
 * @module
 */

import type { Range } from "../../bpf/range.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import { NEVER, type Node } from "../core/diagram.ts";
import { intervalsOf } from "./intervals.ts";
import { ARCH_LEVEL, NR_LEVEL, type Symbols } from "../core/symbols.ts";
import { compare, constant } from "../core/word.ts";

/**
 * Architectures and numbers for which a function depends only on the arguments.
 */
export interface Region {
  /** Values of `arch`. */
  readonly arch: Range;
  /** Values of `nr`. */
  readonly nr: Range;
  /** The function there. */
  readonly rest: Node;
}

/**
 * Cuts a function into regions.
 *
 * @param symbols The input.
 * @param f The function.
 * @param same The function whose regions are omitted.
 * @param most Requested number of regions; the result may have more.
 * @returns The regions by rising architecture and number, and whether they are
 * complete.
 */
export function regionsOf(
  { diagram }: Symbols,
  f: Node,
  same: Node,
  most: number,
): { readonly regions: readonly Region[]; readonly complete: boolean } {
  // Between two regions that differ there is at most one that does not.
  const limit = 2 * most + 2;
  const regions: Region[] = [];
  const arches = intervalsOf(diagram, f, ARCH_LEVEL, limit);
  let complete = isWhole(arches);
  for (const arch of arches) {
    const numbers = intervalsOf(diagram, arch.rest, NR_LEVEL, limit);
    complete &&= isWhole(numbers);
    for (const { first, last, rest } of numbers) {
      if (rest === same) continue;
      regions.push({
        arch: { first: arch.first, last: arch.last },
        nr: { first, last },
        rest,
      });
    }
  }
  return { regions, complete };
}

/**
 * Reports whether a function is true somewhere in a region.
 *
 * @param symbols The input.
 * @param region The region; its `rest` restricts the arguments.
 * @param f A boolean function.
 * @returns True if there is an input of the region on which `f` is true.
 */
export function holdsWithin(
  { diagram, input }: Symbols,
  { arch, nr, rest }: Region,
  f: Node,
): boolean {
  if (f === NEVER) return false;
  let held = diagram.and(f, rest);
  const words = [[ARCH_OFFSET, arch], [NR_OFFSET, nr]] as const;
  for (const [offset, { first, last }] of words) {
    const word = input(offset);
    const from = compare(diagram, "jge", word, constant(first));
    const beyond = compare(diagram, "jgt", word, constant(last));
    held = diagram.and(held, diagram.and(from, diagram.not(beyond)));
  }
  return held !== NEVER;
}

function isWhole(intervals: readonly Range[]): boolean {
  return intervals.at(-1)?.last === 0xffff_ffff;
}
