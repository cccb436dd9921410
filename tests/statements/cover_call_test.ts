/**
 * Covers against brute force: in a small world of values, all sets of
 * comparisons are tried.
 */

import { assert, assertEquals } from "@std/assert";
import type { Condition } from "../../profile/policy.ts";
import { ArgumentSpace } from "../../statements/argument_space.ts";
import { CallCover } from "../../statements/cover_call.ts";
import { ALWAYS, NEVER, type Node } from "../../verify/core/diagram.ts";
import { createRandom } from "../oracle/random.ts";

const LIMITS = { nodes: 1 << 20, steps: 1 << 24 };
const FULL = 0xffff_ffff_ffff_ffffn;

/** Values of the small world: the last stands for all from 7 on. */
const WORLD = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n];

/** Comparisons of one argument that have an effect in the small world. */
function atoms(arg: number): readonly Condition[] {
  const list: Condition[] = [];
  for (const value of WORLD) {
    for (const op of ["eq", "ne", "le", "ge"] as const) {
      list.push({ arg, op, mask: FULL, value });
    }
  }
  for (let low = 0n; low < 8n; low++) {
    // All higher bits count, or none.
    for (const mask of [FULL ^ low, 7n ^ low]) {
      for (const value of WORLD) {
        if ((value & mask) === value) list.push({ arg, op: "eq", mask, value });
      }
    }
  }
  return list;
}

/** The minimum number of sets whose union is a given one. */
function fewest(
  wanted: Node,
  sets: readonly Node[],
  d: ArgumentSpace["diagram"],
): number {
  const usable = [...new Set(sets)].filter((set) =>
    set !== NEVER && d.except(set, wanted) === NEVER
  );
  const largest = usable.filter((set) =>
    !usable.some((other) => other !== set && d.except(set, other) === NEVER)
  );
  let layer = new Set<Node>([NEVER]);
  for (let count = 0; count < 9; count++) {
    if (layer.has(wanted)) return count;
    const next = new Set<Node>();
    for (const one of layer) {
      for (const set of largest) next.add(d.or(one, set));
    }
    layer = next;
  }
  return Infinity;
}

Deno.test("covers of all sets of small values are the smallest", () => {
  const space = new ArgumentSpace(64, LIMITS);
  const { diagram: d } = space;
  const cover = new CallCover(space);
  const sets = atoms(0).map((atom) => space.where([atom]));
  for (let bits = 0; bits < 256; bits++) {
    // Bit 7 stands for all values from 7 on.
    const wanted = WORLD.reduce((all, value, i) => {
      if ((bits >> i & 1) === 0) return all;
      const op = i === 7 ? "ge" : "eq";
      return d.or(all, space.where([{ arg: 0, op, mask: FULL, value }]));
    }, NEVER as Node);
    const found = cover.cover(wanted, wanted);
    assert(found !== undefined);
    const union = found.map((one) => space.where(one)).reduce(d.or, NEVER);
    assertEquals(union, wanted, `${bits}`);
    if (wanted === ALWAYS) assertEquals(found, [[]]);
    else assertEquals(found.length, fewest(wanted, sets, d), `${bits}`);
  }
});

Deno.test("covers of two arguments are the smallest", () => {
  const space = new ArgumentSpace(64, LIMITS);
  const { diagram: d } = space;
  const cover = new CallCover(space);
  const random = createRandom(7);
  const few = (arg: number): readonly Condition[] =>
    atoms(arg).filter(({ value, mask }) => value < 3n && mask === FULL);
  const sets = [
    ...few(0).map((a) => space.where([a])),
    ...few(1).map((a) => space.where([a])),
    ...few(0).flatMap((a) => few(1).map((b) => space.where([a, b]))),
  ];
  for (let i = 0; i < 60; i++) {
    let wanted: Node = NEVER;
    const count = 1 + random.int(3);
    for (let j = 0; j < count; j++) {
      wanted = d.or(wanted, sets[random.int(sets.length)] ?? NEVER);
    }
    if (wanted === ALWAYS) continue;
    const found = cover.cover(wanted, wanted);
    const union = found?.map((one) => space.where(one)).reduce(d.or, NEVER);
    assertEquals(union, wanted);
    assert((found?.length ?? 99) <= fewest(wanted, sets, d), `case ${i}`);
  }
});

Deno.test("a cover may include what need not be covered", () => {
  const space = new ArgumentSpace(64, LIMITS);
  const cover = new CallCover(space);
  const at = (op: Condition["op"], value: bigint): Node =>
    space.where([{ arg: 2, op, mask: FULL, value }]);
  const { or, and } = space.diagram;
  const lower = or(at("eq", 3n), at("eq", 5n));
  assertEquals(cover.cover(lower, and(at("ge", 3n), at("le", 5n)))?.length, 2);
  assertEquals(cover.cover(lower, at("le", 9n)), [[
    { arg: 2, op: "le", mask: FULL, value: 9n },
  ]]);
});
