/**
 * Writes boxes and cubes of input words as conditions on arguments.
 *
 * @module
 */

import type { Box, WordRange } from "./boxes.ts";
import type { Cube, Cubes } from "./cubes.ts";

const ALL = 0xffff_ffff;

/** Arguments as data, if they are few enough to list. */
export interface ArgumentSets {
  /** A union of boxes; `undefined` if there are too many. */
  readonly boxes: readonly Box[] | undefined;
  /**
   * The same as masked comparisons; `undefined` if there are boxes, or too many
   * cubes.
   */
  readonly cubes: Cubes | undefined;
}

/**
 * Writes sets of arguments as text.
 *
 * @param sets The sets.
 * @param littleEndian Byte order of the machine.
 * @returns The text, empty if the arguments do not matter; `undefined` if it would
 * be too long.
 */
export function conditionOf(
  { boxes, cubes }: ArgumentSets,
  littleEndian: boolean,
): string | undefined {
  if (boxes !== undefined) return conditionText(boxes, littleEndian);
  if (cubes === undefined) return undefined;
  const op = cubes.negated ? "!=" : "==";
  return cubes.cubes.map((cube) => cubeText(cube, op, littleEndian)).join(
    " or ",
  );
}

/** Joins the comparisons of one cube; outside of it, one of them fails. */
function cubeText(
  cube: Cube,
  op: "==" | "!=",
  littleEndian: boolean,
): string {
  const words = new Map<string, { mask: bigint; value: bigint }>();
  for (const { offset, mask, value } of cube) {
    const shift = isLow(offset, littleEndian) ? 0n : 32n;
    const name = nameOf(offset);
    const before = words.get(name) ?? { mask: 0n, value: 0n };
    words.set(name, {
      mask: before.mask | BigInt(mask) << shift,
      value: before.value | BigInt(value) << shift,
    });
  }
  return [...words].map(([name, { mask, value }]) =>
    `${name} & ${hex(mask)} ${op} ${hex(value)}`
  ).join(op === "==" ? ", " : " or ");
}

/** Writes a union of boxes: `arg0 == 0x26 or arg0 low in 0x1..0x5, arg1 high == 0x0`. */
function conditionText(
  boxes: readonly Box[],
  littleEndian: boolean,
): string {
  const texts = boxes.map((box) => boxText(box, littleEndian));
  return texts.includes("") ? "" : texts.join(" or ");
}

function boxText(box: Box, littleEndian: boolean): string {
  const words = new Map<string, { lo?: WordRange; hi?: WordRange }>();
  for (const range of box) {
    if (range.first === 0 && range.last === ALL) continue;
    const name = nameOf(range.offset);
    const half = isLow(range.offset, littleEndian) ? "lo" : "hi";
    words.set(name, { ...words.get(name), [half]: range });
  }
  return [...words].flatMap(([name, { lo, hi }]) => {
    if (lo !== undefined && hi?.first === hi?.last && hi !== undefined) {
      // The high half is one value, so both halves are one interval.
      const base = BigInt(hi.first) << 32n;
      return [
        rangeText(name, base + BigInt(lo.first), base + BigInt(lo.last)),
      ];
    }
    return [[`${name} low`, lo], [`${name} high`, hi]].flatMap(
      ([half, range]) =>
        typeof half !== "string" || typeof range !== "object"
          ? []
          : [rangeText(half, BigInt(range.first), BigInt(range.last))],
    );
  }).join(", ");
}

function rangeText(name: string, first: bigint, last: bigint): string {
  return first === last
    ? `${name} == ${hex(first)}`
    : `${name} in ${hex(first)}..${hex(last)}`;
}

function isLow(offset: number, littleEndian: boolean): boolean {
  return (offset % 8 === 0) === littleEndian;
}

function nameOf(offset: number): string {
  return offset < 16 ? "ip" : `arg${Math.floor((offset - 16) / 8)}`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
