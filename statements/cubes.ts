/**
 * Covers of a function by cubes, which are masked comparisons: an irredundant
 * sum of products between two bounds (S. Minato, "Fast Generation of Prime-Irredundant
 * Covers from Binary Decision Diagrams", IEICE Trans. E76-A(6), 1993).
 *
 * @module
 */

import {
  ALWAYS,
  type Diagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";

/** The variables of a value: `width` levels from `base`, highest bit first. */
export interface ValueBlock {
  readonly diagram: Diagram;
  readonly base: number;
  readonly width: 32 | 64;
}

/** Values whose bits under a mask are fixed. */
export interface ValueCube {
  readonly mask: bigint;
  readonly value: bigint;
}

/**
 * Covers a function by few cubes.
 *
 * @param block The variables.
 * @param lower The values that must be covered.
 * @param upper The values that may be covered, `lower` among them.
 * @param most Maximum number of cubes.
 * @returns The cubes; `undefined` if they are more than that.
 */
export function coverByCubes(
  block: ValueBlock,
  lower: Node,
  upper: Node,
  most: number,
): readonly ValueCube[] | undefined {
  const { diagram: d, base, width } = block;
  /** A cover and its function. */
  type Cover = readonly [cubes: readonly ValueCube[], covered: Node];
  /** Covers, or the number of cubes that was insufficient. */
  const known = new Map<string, Cover | number>();
  const visit = (
    lower: Node,
    upper: Node,
    most: number,
  ): Cover | undefined => {
    if (lower === NEVER) return [[], NEVER];
    if (most <= 0) return undefined;
    if (upper === ALWAYS) return [[{ mask: 0n, value: 0n }], ALWAYS];
    const key = `${lower} ${upper}`;
    const before = known.get(key) ?? 0;
    if (typeof before !== "number") {
      return before[0].length <= most ? before : undefined;
    }
    if (most <= before) return undefined;
    const made = split(lower, upper, most);
    known.set(key, made ?? most);
    return made;
  };
  const split = (
    lower: Node,
    upper: Node,
    most: number,
  ): Cover | undefined => {
    const level = Math.min(d.level(lower), d.level(upper));
    const bit = 1n << BigInt(base + width - 1 - level);
    const [l0, l1] = [d.lowOf(lower, level), d.highOf(lower, level)];
    const [u0, u1] = [d.lowOf(upper, level), d.highOf(upper, level)];
    const low = visit(d.except(l0, u1), u0, most);
    if (low === undefined) return undefined;
    const left = most - low[0].length;
    const high = visit(d.except(l1, u0), u1, left);
    if (high === undefined) return undefined;
    const rest = visit(
      d.or(d.except(l0, low[1]), d.except(l1, high[1])),
      d.and(u0, u1),
      left - high[0].length,
    );
    if (rest === undefined) return undefined;
    const cubes = [
      ...rest[0],
      ...low[0].map(({ mask, value }) => ({ mask: mask | bit, value })),
      ...high[0].map(({ mask, value }) => ({
        mask: mask | bit,
        value: value | bit,
      })),
    ];
    const halves = d.choose(d.variable(level), high[1], low[1]);
    return [cubes, d.or(halves, rest[1])];
  };
  return visit(lower, upper, most)?.[0];
}
