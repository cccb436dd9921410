/**
 * Writes boxes and cubes of input words as conditions on arguments.
 *
 * @module
 */

import type { Box, WordRange } from "./boxes.ts";
import type { Cube, Cubes } from "./cubes.ts";

const ALL = 0xffff_ffff;

/** Conditions on arguments as data, if there are few enough to list. */
export interface ArgumentSets {
  /** A union of boxes; `undefined` if there are too many. */
  readonly boxes: readonly Box[] | undefined;
  /**
   * The same as masked comparisons; `undefined` if there are boxes, or too many
   * cubes.
   */
  readonly cubes: Cubes | undefined;
}

/** Names for the arguments of one call. */
export interface ConditionWords {
  /** Name of an argument, such as `domain`. */
  name(arg: number): string;
  /** Name of a value; `undefined` if it has none. */
  value(arg: number, value: bigint): string | undefined;
  /** Names of the bits of a mask; `undefined` if they have none. */
  mask(arg: number, mask: bigint): string | undefined;
}

/**
 * Writes sets of arguments as text.
 *
 * @param sets The sets.
 * @param littleEndian Byte order of the machine.
 * @param words Names of the call; `arg0` and numbers if absent.
 * @returns The text, empty if the arguments do not matter; `undefined` if it would
 * be too long.
 */
export function conditionOf(
  { boxes, cubes }: ArgumentSets,
  littleEndian: boolean,
  words?: ConditionWords,
): string | undefined {
  const language = { littleEndian, words };
  if (boxes !== undefined) return conditionText(boxes, language);
  if (cubes === undefined) return undefined;
  const op = cubes.negated ? "!=" : "==";
  return cubes.cubes.map((cube) => cubeText(cube, op, language)).join(" or ");
}

/** Byte order, and the names of a call. */
interface Language {
  readonly littleEndian: boolean;
  readonly words: ConditionWords | undefined;
}

/** Joins the comparisons of one cube; outside the cube, one of them fails. */
function cubeText(
  cube: Cube,
  op: "==" | "!=",
  { littleEndian, words: own }: Language,
): string {
  const words = new Map<number, { mask: bigint; value: bigint }>();
  for (const { offset, mask, value } of cube) {
    const shift = isLow(offset, littleEndian) ? 0n : 32n;
    const arg = argOf(offset);
    const before = words.get(arg) ?? { mask: 0n, value: 0n };
    words.set(arg, {
      mask: before.mask | BigInt(mask) << shift,
      value: before.value | BigInt(value) << shift,
    });
  }
  return [...words].map(([arg, { mask, value }]) => {
    const bits = (word: bigint): string =>
      (word === 0n ? undefined : own?.mask(arg, word)) ?? hex(word);
    return `${nameOf(arg, own)} & ${bits(mask)} ${op} ${bits(value)}`;
  }).join(op === "==" ? ", " : " or ");
}

/** Writes a union of boxes: `arg0 == 0x26 or arg0 low in 0x1..0x5, arg1 high == 0x0`. */
function conditionText(
  boxes: readonly Box[],
  language: Language,
): string {
  const texts = boxes.map((box) => boxText(box, language));
  return texts.includes("") ? "" : texts.join(" or ");
}

function boxText(box: Box, { littleEndian, words: own }: Language): string {
  const words = new Map<number, { lo?: WordRange; hi?: WordRange }>();
  for (const range of box) {
    if (range.first === 0 && range.last === ALL) continue;
    const arg = argOf(range.offset);
    const half = isLow(range.offset, littleEndian) ? "lo" : "hi";
    words.set(arg, { ...words.get(arg), [half]: range });
  }
  return [...words].flatMap(([arg, { lo, hi }]) => {
    const name = nameOf(arg, own);
    const value = (word: bigint): string => own?.value(arg, word) ?? hex(word);
    if (lo !== undefined && hi?.first === hi?.last && hi !== undefined) {
      // The high half is one value, so both halves are one interval.
      const base = BigInt(hi.first) << 32n;
      return [
        rangeText(name, base + BigInt(lo.first), base + BigInt(lo.last), value),
      ];
    }
    return [[`${name} low`, lo], [`${name} high`, hi]].flatMap(
      ([half, range]) =>
        typeof half !== "string" || typeof range !== "object" ? [] : [
          rangeText(
            half,
            BigInt(range.first),
            BigInt(range.last),
            half.endsWith(" low") ? value : hex,
          ),
        ],
    );
  }).join(", ");
}

function rangeText(
  name: string,
  first: bigint,
  last: bigint,
  write: (word: bigint) => string,
): string {
  return first === last
    ? `${name} == ${write(first)}`
    : `${name} in ${write(first)}..${write(last)}`;
}

function isLow(offset: number, littleEndian: boolean): boolean {
  return (offset % 8 === 0) === littleEndian;
}

/** Index of an argument; -1 for the instruction pointer. */
function argOf(offset: number): number {
  return offset < 16 ? -1 : Math.floor((offset - 16) / 8);
}

function nameOf(arg: number, words: ConditionWords | undefined): string {
  return arg < 0 ? "ip" : words?.name(arg) ?? `arg${arg}`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
