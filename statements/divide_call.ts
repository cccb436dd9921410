/**
 * Divides a set of argument values into conjunctions of comparisons, several of
 * one argument if needed. That takes less work than a cover, and more
 * conjunctions.
 *
 * @module
 */

import type { Condition } from "../profile/policy.ts";
import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import { ARGUMENTS } from "./argument_words.ts";
import type { ArgumentSpace } from "./argument_space.ts";
import { AtomOptions } from "./cover_atoms.ts";
import { coverByCubes } from "./cubes.ts";

/** Maximum number of conjunctions. */
const MOST_CONJUNCTIONS = 4096;

/**
 * Divides a set.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param space The space of the arguments.
 * @param set The set.
 * @returns The conjunctions; `undefined` if they are too many.
 */
export function divideCall(
  space: ArgumentSpace,
  set: Node,
): readonly (readonly Condition[])[] | undefined {
  const { width } = space;
  const atoms = new AtomOptions(space);
  const found: (readonly Condition[])[] = [];
  const visit = (
    f: Node,
    arg: number,
    before: readonly Condition[],
  ): boolean => {
    if (f === NEVER) return true;
    if (f === ALWAYS || arg === ARGUMENTS) {
      found.push(before);
      return found.length <= MOST_CONJUNCTIONS;
    }
    if (space.diagram.level(f) >= (arg + 1) * width) {
      return visit(f, arg + 1, before);
    }
    const cells = atoms.cellsOf(f, arg);
    if (cells !== undefined) {
      return cells.every(({ first, last, rest }) =>
        visit(rest, arg + 1, [...before, ...within(space, arg, first, last)])
      );
    }
    return [...classesOf(space, f, arg)].every(([rest, values]) => {
      const block = { diagram: space.diagram, base: arg * width, width };
      const cubes = rest === NEVER
        ? []
        : coverByCubes(block, values, values, MOST_CONJUNCTIONS);
      return cubes?.every(({ mask, value }) =>
        visit(rest, arg + 1, [...before, { arg, op: "eq", mask, value }])
      ) ?? false;
    });
  };
  return visit(set, 0, []) ? found : undefined;
}

function within(
  { full }: ArgumentSpace,
  arg: number,
  first: bigint,
  last: bigint,
): readonly Condition[] {
  if (first === last) return [{ arg, op: "eq", mask: full, value: first }];
  const conditions: Condition[] = [];
  if (first > 0n) conditions.push({ arg, op: "ge", mask: full, value: first });
  if (last < full) conditions.push({ arg, op: "le", mask: full, value: last });
  return conditions;
}

/** Sets of values of an argument by the set that remains for the others. */
function classesOf(
  { diagram: d, width }: ArgumentSpace,
  f: Node,
  arg: number,
): ReadonlyMap<Node, Node> {
  const end = (arg + 1) * width;
  const classes = new Map<Node, Node>();
  const seen = new Set([f]);
  for (const node of seen) {
    const level = d.level(node);
    if (level >= end) classes.set(node, NEVER);
    else seen.add(d.lowOf(node, level)).add(d.highOf(node, level));
  }
  for (const rest of classes.keys()) {
    const known = new Map<Node, Node>();
    const visit = (node: Node): Node => {
      const level = d.level(node);
      if (level >= end) return node === rest ? ALWAYS : NEVER;
      const made = known.get(node) ?? d.choose(
        d.variable(level),
        visit(d.highOf(node, level)),
        visit(d.lowOf(node, level)),
      );
      known.set(node, made);
      return made;
    };
    classes.set(rest, visit(f));
  }
  return classes;
}
