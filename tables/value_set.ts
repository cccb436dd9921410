/**
 * Sets of named values: a word in names, and names in a word.
 *
 * A set has *fields*, parts of the word that contain one of several values,
 * such as the access mode of open(2); all other bits are flags. The enumeration
 * `AF_*` is one field as wide as the word, and `PROT_*` has no field.
 *
 * @module
 */

import type { Arch } from "./arch.ts";
import { didYouMean } from "./suggest.ts";
import { readValueSet, type ValueSetData } from "./value_data.ts";
import { FILES_VALUES } from "./values/files.ts";
import { KERNEL_VALUES } from "./values/kernel.ts";
import { MEMORY_VALUES } from "./values/memory.ts";
import { PROCESSES_VALUES } from "./values/processes.ts";
import { REQUESTS_VALUES } from "./values/requests.ts";
import { SOCKETS_VALUES } from "./values/sockets.ts";
import { countBits } from "./bits.ts";

/** A name and its value in a register. */
export interface ValueName {
  readonly name: string;
  /** 64 bits. */
  readonly value: bigint;
}

/** The named values of an argument on one architecture. */
export interface ValueSet {
  /** Name of the set. */
  readonly set: string;
  /** Masks of the fields. */
  readonly fields: readonly bigint[];
  /** Names that are printed, in order of preference. */
  readonly names: readonly ValueName[];
  /** Values by name in upper case, second names included. */
  readonly byName: ReadonlyMap<string, ValueName>;
}

/** The way in which a set uses its word. */
export type ValueKind = "enumeration" | "flags" | "mixed";

const ALL = (1n << 64n) - 1n;

/** The sets by name. */
const SETS: ReadonlyMap<string, ValueSetData> = new Map(
  [
    SOCKETS_VALUES,
    FILES_VALUES,
    MEMORY_VALUES,
    PROCESSES_VALUES,
    KERNEL_VALUES,
    REQUESTS_VALUES,
  ].flat().map((data) => [data.set, data]),
);

/** Sets that also contain permissions, which are written in octal. */
const OCTAL: ReadonlySet<string> = new Set(["mode", "shmget", "ipcget"]);

/**
 * 64-bit architectures whose callers widen a negative `int` to the register;
 * on others its upper half is 0. Sources: the ABI documents of RISC-V, LoongArch,
 * MIPS, PowerPC (ELF) and s390x: "extended by the caller".
 */
const EXTENDED: ReadonlySet<string> = new Set([
  ...["riscv64", "loongarch64", "s390x", "ppc64", "ppc64le"],
  ...["mips64", "mips64el"],
]);

const cache = new Map<string, ValueSet>();

/**
 * Reads a set on an architecture; the result is kept.
 *
 * @param set Name of the set.
 * @param arch The architecture.
 * @throws {Error} if there is no such set.
 */
export function valueSet(set: string, arch: Arch): ValueSet {
  const key = `${arch.name} ${set}`;
  const before = cache.get(key);
  if (before !== undefined) return before;
  const data = SETS.get(set);
  if (data === undefined) throw new Error(`Unreachable: no set ${set}`);
  const width = EXTENDED.has(arch.name) ? 64 : 32;
  const entries = [...readValueSet(data, arch.name)].map((
    [name, { value, second }],
  ) => ({
    name,
    value: BigInt.asUintN(value < 0n ? width : 64, value),
    second,
  }));
  const made: ValueSet = {
    set,
    fields: data.fields,
    names: entries.filter(({ second }) => !second),
    byName: new Map(
      entries.map(({ name, value }) => [name.toUpperCase(), { name, value }]),
    ),
  };
  cache.set(key, made);
  return made;
}

/** Returns the way in which a set uses its word. */
export function kindOf({ fields }: ValueSet): ValueKind {
  if (fields.length === 0) return "flags";
  return fields[0] === ALL ? "enumeration" : "mixed";
}

/**
 * Writes a word in the names of a set. The rest is written as a number, so
 * `parseWordIn` reads the same word.
 *
 * @param set The set.
 * @param word 64 bits.
 * @returns Names joined by `|`; `undefined` if no part has a name.
 */
export function formatWordIn(set: ValueSet, word: bigint): string | undefined {
  if (kindOf(set) === "enumeration") {
    return set.names.find(({ value }) => value === word)?.name;
  }
  // -1 requests the current value or is an error, not a set of flags.
  if (word === 0xffff_ffffn || word === ALL) return undefined;
  const found: ValueName[] = [];
  let rest = word;
  for (const [i, field] of set.fields.entries()) {
    const part = word & field;
    const best = set.names.filter(({ value }) =>
      (value & field) === part && (value & word) === value &&
      ((value & field) !== 0n || (i === 0 && value === 0n))
    ).sort((a, b) =>
      countBits(b.value) - countBits(a.value)
    )[0];
    if (best === undefined) continue;
    found.push(best);
    rest &= ~best.value;
  }
  const inField = set.fields.reduce((all, field) => all | field, 0n);
  const flags = set.names.filter(({ value }) =>
    (value & inField) === 0n && value !== 0n
  ).sort((a, b) => countBits(b.value) - countBits(a.value));
  const bits: ValueName[] = [];
  for (const flag of flags) {
    if ((rest & flag.value) !== flag.value) continue;
    bits.push(flag);
    rest &= ~flag.value;
  }
  bits.sort((a, b) => (a.value < b.value ? -1 : 1));
  const zero = set.fields.length === 0 && word === 0n
    ? set.names.filter(({ value }) => value === 0n)
    : [];
  const words = [...found, ...bits, ...zero].map(({ name }) => name);
  const octal = OCTAL.has(set.set) && rest < 0o10000n;
  if (words.length === 0 && !octal) return undefined;
  if (rest !== 0n) {
    words.push(octal ? `0o${rest.toString(8)}` : `0x${rest.toString(16)}`);
  }
  return words.length === 0 ? "0" : words.join("|");
}

/**
 * Writes a mask in the names of single bits, and of fields that it covers.
 *
 * @param set The set.
 * @param mask 64 bits.
 * @returns Names joined by `|`; `undefined` if no bit has a name.
 */
export function formatMaskIn(set: ValueSet, mask: bigint): string | undefined {
  const words: string[] = [];
  let rest = mask;
  const inField = set.fields.reduce((all, field) => all | field, 0n);
  for (const { name, value } of set.names) {
    if (countBits(value) !== 1 || (value & inField) !== 0n) continue;
    if ((rest & value) === 0n) continue;
    words.push(name);
    rest &= ~value;
  }
  if (words.length === 0) return undefined;
  if (rest !== 0n) words.push(`0x${rest.toString(16)}`);
  return words.join("|");
}

/**
 * Reads names and numbers joined by `|`.
 *
 * @param sets Sets in which to search for names.
 * @param text Text of the user.
 * @returns 64 bits.
 * @throws {SyntaxError} if a part is neither a number nor a name of a set; the
 * message suggests one.
 */
export function parseWordIn(sets: readonly ValueSet[], text: string): bigint {
  let word = 0n;
  for (const part of text.split("|")) word |= parsePart(sets, part.trim());
  return word;
}

function parsePart(sets: readonly ValueSet[], part: string): bigint {
  const number = parseInteger(part);
  if (number !== undefined) return number;
  for (const { byName } of sets) {
    const found = byName.get(part.toUpperCase());
    if (found !== undefined) return found.value;
  }
  const names = sets.flatMap(({ byName }) =>
    [...byName.values()].map(({ name }) => name)
  );
  const near = didYouMean(part, names, commonPrefix(names));
  throw new SyntaxError(
    near === undefined
      ? names.length === 0
        ? "not a 64-bit integer; write 38, 0x26 or -1"
        : `neither a 64-bit integer nor a name such as ${names[0]}`
      : `did you mean "${near}"`,
  );
}

/**
 * Reads a 64-bit integer: decimal, hex, octal, binary, negative.
 *
 * @param text The digits.
 * @returns 64 bits, or `undefined` if the text is not such an integer.
 */
export function parseInteger(text: string): bigint | undefined {
  const match = /^(-?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)$/i.exec(text);
  if (match === null) return undefined;
  const value = BigInt((match[2] ?? "").toLowerCase());
  const negative = match[1] === "-";
  if (value > (negative ? 2n ** 63n : ALL)) return undefined;
  return BigInt.asUintN(64, negative ? -value : value);
}

/** The prefix of all names up to an underscore, such as `AF_`. */
function commonPrefix(names: readonly string[]): string {
  const prefix = /^[A-Z]+_/.exec(names[0] ?? "")?.[0] ?? "";
  return names.every((name) => name.startsWith(prefix)) ? prefix : "";
}
