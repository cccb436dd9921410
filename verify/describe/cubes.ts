/**
 * Conditions on arguments that depend on single bits: a union of cubes, each a
 * masked comparison of every relevant word.
 *
 * @module
 */

import { ALWAYS, NEVER, type Node } from "../core/diagram.ts";
import { offsetsOf } from "./inputs.ts";
import type { Symbols } from "../core/symbols.ts";

/**
 * Values of one input word whose bits under a mask are given: `(w & mask) ==
 * value`.
 */
export interface WordMask {
  /** Byte offset of the word in `struct seccomp_data`. */
  readonly offset: number;
  /** A u32. */
  readonly mask: number;
  /** A u32 within the mask. */
  readonly value: number;
}

/** Inputs whose words all match; unnamed words can have any value. */
export type Cube = readonly WordMask[];

/** A union of cubes, or its complement. */
export interface Cubes {
  /** The cubes. */
  readonly cubes: readonly Cube[];
  /** True if the complement of the cubes is meant. */
  readonly negated: boolean;
}

/**
 * Converts a function of the arguments to a union of disjoint cubes, or to the
 * complement of one, whichever is shorter.
 *
 * @param symbols The input.
 * @param where A boolean function without `arch` and `nr`.
 * @param most Maximum number of cubes.
 * @returns The cubes, or `undefined` if there are more than that.
 */
export function cubesOf(
  symbols: Symbols,
  where: Node,
  most: number,
): Cubes | undefined {
  const inside = listCubes(symbols, where, most);
  if (inside !== undefined && inside.length <= 1) {
    return { cubes: inside, negated: false };
  }
  const outside = listCubes(symbols, symbols.diagram.not(where), 1);
  if (outside?.length === 1) return { cubes: outside, negated: true };
  return inside && { cubes: inside, negated: false };
}

/** One cube for each path to the constant "true". */
function listCubes(
  symbols: Symbols,
  where: Node,
  most: number,
): readonly Cube[] | undefined {
  const { diagram } = symbols;
  const places = new Map<number, readonly [number, number]>();
  for (const offset of offsetsOf(symbols)) {
    for (const [bit, variable] of symbols.input(offset).entries()) {
      places.set(diagram.level(variable), [offset, bit]);
    }
  }
  const cubes: Cube[] = [];
  function visit(f: Node, words: ReadonlyMap<number, WordMask>): boolean {
    if (f === NEVER) return true;
    if (f === ALWAYS) return cubes.push([...words.values()]) <= most;
    const level = diagram.level(f);
    const place = places.get(level);
    if (place === undefined) return false;
    const [offset, bit] = place;
    const before = words.get(offset) ?? { offset, mask: 0, value: 0 };
    const follow = (g: Node, set: 0 | 1): boolean =>
      visit(
        g,
        new Map(words).set(offset, {
          offset,
          mask: (before.mask | 1 << bit) >>> 0,
          value: (before.value | set << bit) >>> 0,
        }),
      );
    return follow(diagram.lowOf(f, level), 0) &&
      follow(diagram.highOf(f, level), 1);
  }
  return visit(where, new Map()) ? cubes : undefined;
}
