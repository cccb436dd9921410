/**
 * Boxes of input words as conditions on arguments.
 *
 * @module
 */

import type { Box, WordRange } from "../verify/boxes.ts";

const ALL = 0xffff_ffff;

/**
 * Writes a union of boxes: `arg0 == 0x26 or arg0 low in 0x1..0x5, arg1 high == 0x0`.
 *
 * @param boxes The boxes.
 * @param littleEndian Byte order of the machine.
 * @returns The text, empty where the arguments do not matter.
 */
export function conditionText(
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
    const isLow = (range.offset % 8 === 0) === littleEndian;
    const name = range.offset < 16
      ? "ip"
      : `arg${Math.floor((range.offset - 16) / 8)}`;
    const halves = words.get(name) ?? {};
    words.set(name, { ...halves, [isLow ? "lo" : "hi"]: range });
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
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  return first === last
    ? `${name} == ${hex(first)}`
    : `${name} in ${hex(first)}..${hex(last)}`;
}
