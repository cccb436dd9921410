/**
 * The calls that reach each point of a program: for each architecture, the
 * intervals of numbers that pass the tests before it.
 *
 * @module
 */

import type { Range } from "../../bpf/range.ts";
import type { Instruction } from "../../bpf/instruction.ts";
import { ARCHES } from "../../tables/arch.ts";
import { callName } from "../output/names.ts";

/**
 * Intervals of numbers by `AUDIT_ARCH_*`; those under `undefined` apply to all
 * architectures that have no entry.
 */
export type Reach = ReadonlyMap<number | undefined, readonly Range[]>;

const ALL = 0xffff_ffff;

/** Every call of every architecture. */
export const EVERYTHING: Reach = new Map([[
  undefined,
  [{ first: 0, last: ALL }],
]]);

/**
 * Splits a reach by a test of `nr` or `arch`. A test of `arch` other than
 * equality leaves it unchanged on both sides.
 *
 * @param reach The calls before the test.
 * @param test The instruction.
 * @param word `nr` or `arch`.
 * @returns The calls for which it succeeds and fails.
 */
export function splitReach(
  reach: Reach,
  { op, k }: Instruction,
  word: "nr" | "arch",
): readonly [yes: Reach, no: Reach] {
  if (word === "arch") {
    if (op !== "jeq.k") return [reach, reach];
    return [new Map([[k, rangesOf(reach, k)]]), new Map(reach).set(k, [])];
  }
  const inside = numbersOf(op, k);
  if (inside === undefined) return splitBits(reach, k);
  return [cutReach(reach, inside), cutReach(reach, complementOf(inside))];
}

/**
 * Splits by bits of `nr`: decides known numbers one by one, and drops all
 * others.
 */
function splitBits(reach: Reach, bits: number): readonly [Reach, Reach] {
  const known = [
    ...new Set(ARCHES.flatMap(({ syscalls }) => [...syscalls.values()])),
  ]
    .map((nr) => ({ first: nr, last: nr }));
  const has = ({ first }: Range): boolean => (first & bits) !== 0;
  return [
    cutReach(reach, merged(known.filter(has))),
    cutReach(reach, merged(known.filter((range) => !has(range)))),
  ];
}

/** Numbers for which a test succeeds; `undefined` if they are not intervals. */
function numbersOf(op: Instruction["op"], k: number): Range[] | undefined {
  switch (op) {
    case "jeq.k":
      return [{ first: k, last: k }];
    case "jgt.k":
      return k === ALL ? [] : [{ first: k + 1, last: ALL }];
    case "jge.k":
      return [{ first: k, last: ALL }];
    case "jset.k":
      // The bit of x32; others have too many intervals.
      return k === 0x4000_0000
        ? [{ first: k, last: 2 * k - 1 }, { first: 3 * k, last: ALL }]
        : undefined;
    default:
      return undefined;
  }
}

function complementOf(ranges: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let next = 0;
  for (const { first, last } of ranges) {
    if (first > next) rest.push({ first: next, last: first - 1 });
    next = last + 1;
  }
  if (next <= ALL) rest.push({ first: next, last: ALL });
  return rest;
}

function cutReach(reach: Reach, inside: readonly Range[]): Reach {
  return new Map(
    [...reach].map(([arch, ranges]) =>
      [
        arch,
        ranges.flatMap(({ first, last }) =>
          inside.flatMap((range) => {
            const low = Math.max(first, range.first);
            const high = Math.min(last, range.last);
            return low <= high ? [{ first: low, last: high }] : [];
          })
        ),
      ] as const
    ),
  );
}

function rangesOf(reach: Reach, arch: number | undefined): readonly Range[] {
  return reach.get(arch) ?? reach.get(undefined) ?? [];
}

/** Joins the calls of two paths to one point. */
export function joinReach(a: Reach, b: Reach): Reach {
  const arches = new Set([...a.keys(), ...b.keys()]);
  return new Map(
    [...arches].map((arch) => [
      arch,
      merged([...rangesOf(a, arch), ...rangesOf(b, arch)]),
    ]),
  );
}

function merged(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = found.at(-1);
    if (before !== undefined && range.first <= before.last + 1) {
      const last = Math.max(before.last, range.last);
      found[found.length - 1] = { first: before.first, last };
    } else found.push(range);
  }
  return found;
}

/** A call of a reach. */
export interface ReachedCall {
  readonly arch: number;
  readonly nr: number;
  readonly name: string;
}

/**
 * Lists the known calls of a reach in the order of their numbers.
 *
 * @param reach The intervals.
 * @param arches Architectures that the program tests.
 */
export function callsIn(
  reach: Reach,
  arches: readonly number[],
): readonly ReachedCall[] {
  return arches.flatMap((arch) => {
    const ranges = rangesOf(reach, arch);
    return numbersOfArch(arch).filter((nr) =>
      ranges.some(({ first, last }) => first <= nr && nr <= last)
    ).map((nr) => ({ arch, nr, name: callName(arch, nr) ?? String(nr) }));
  });
}

const numbers = new Map<number, readonly number[]>();

function numbersOfArch(auditArch: number): readonly number[] {
  let list = numbers.get(auditArch);
  if (list === undefined) {
    list = ARCHES.filter((arch) => arch.auditArch === auditArch)
      .flatMap(({ syscalls }) => [...syscalls.values()]).sort((a, b) => a - b);
    numbers.set(auditArch, list);
  }
  return list;
}

/** Maximum number of calls for which the first is named. */
const FEW = 8;

/**
 * Names the calls of a reach: `socket`, `read, write`, `read…openat (12)` if no
 * other call is between them, else `read and 3 more` or their number.
 *
 * @param calls The calls.
 * @returns Empty if there are none.
 */
export function callsText(calls: readonly ReachedCall[]): string {
  const names = calls.map(({ name }) => name);
  const [first] = calls;
  const last = calls.at(-1);
  if (first === undefined || last === undefined) return "";
  if (names.length <= 2) return names.join(", ");
  if (first.arch !== last.arch) return `${names.length} calls`;
  const all = numbersOfArch(first.arch);
  const isWhole = all.indexOf(last.nr) - all.indexOf(first.nr) ===
    names.length - 1;
  return isWhole
    ? `${first.name}…${last.name} (${names.length})`
    : names.length <= FEW
    ? `${first.name} and ${names.length - 1} more`
    : `${names.length} calls`;
}
