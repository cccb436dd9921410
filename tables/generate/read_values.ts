/**
 * Reads the names of argument values from kernel headers, with a compiler: many
 * are enumerators, or depend on the size of a structure.
 *
 * @module
 */

import type { Abi } from "./abi.ts";
import { compilerFlags } from "./headers.ts";
import { type Definition, HeaderList } from "./header_list.ts";
import type { SetSource } from "./sets/source.ts";
import { SET_SOURCES } from "./value_sets.ts";

/** One name of a value. */
export interface NamedValue {
  readonly name: string;
  /** Negative if it is negative in the header, otherwise at most 64 bits. */
  readonly value: bigint;
  /** True if the name is read but never printed. */
  readonly second: boolean;
}

/** The set of values of one argument on one architecture. */
export interface ReadSet {
  /** Masks of the parts of the word that contain one of several values. */
  readonly fields: readonly bigint[];
  /** Names in order of preference. */
  readonly names: readonly NamedValue[];
}

const ALL = (1n << 64n) - 1n;

/** Flags with which gcc for x86 gives structures the layout of an architecture. */
function layoutOf({ name, bits }: Abi): readonly string[] {
  if (bits === 64) return ["-m64"];
  if (name === "x32") return ["-mx32"];
  return name === "x86" ? ["-m32"] : ["-m32", "-malign-double"];
}

/** The parts of the C library's headers that the kernel's headers include. */
const STDINT: string = "typedef unsigned long size_t;\n" +
  "typedef int pid_t;\ntypedef long long loff_t;\n" +
  [8, 16, 32, 64].map((bits) => {
    const type = { 8: "char", 16: "short", 32: "int", 64: "long long" }[bits];
    return `typedef unsigned ${type} uint${bits}_t;\n` +
      `typedef signed ${type} int${bits}_t;\n`;
  }).join("");

/** Headers with the structures whose sizes are in requests of terminals. */
const STRUCTURES = ["stdint.h", "linux/termios.h", "linux/serial.h"]
  .map((header) => `#include <${header}>\n`).join("");

/**
 * Reads all sets of one architecture.
 *
 * @param root Folder with the unpacked `linux-libc-dev`.
 * @param abi The architecture.
 * @param scratch Folder for files of the compiler; the caller removes it.
 * @returns The sets by name.
 * @throws {Error} if a name cannot be evaluated, or two names that are printed
 * have the same value.
 */
export async function readValues(
  root: string,
  abi: Abi,
  scratch: string,
): Promise<Map<string, ReadSet>> {
  await Deno.mkdir(`${scratch}/sys`, { recursive: true });
  await Deno.writeTextFile(`${scratch}/stdint.h`, STDINT);
  for (const name of ["time", "ioctl", "types"]) {
    await Deno.writeTextFile(
      `${scratch}/sys/${name}.h`,
      name === "time" ? "#include <linux/time.h>\n" : "",
    );
  }
  const headers = [...new Set(SET_SOURCES.flatMap((set) => set.headers))];
  const libcHeaders = [
    ...new Set(SET_SOURCES.flatMap((set) => set.libc ?? [])),
  ];
  const own = new HeaderList(
    headers,
    [
      ...compilerFlags(root, abi),
      ...["-isystem", scratch],
      `-D__MIPSE${abi.name.includes("el") ? "L" : "B"}__`,
    ],
    layoutOf(abi),
    `#define MIPS ${abi.name.startsWith("mips") ? 1 : 0}\n${STRUCTURES}`,
  );
  const libc = new HeaderList(libcHeaders, ["-D_GNU_SOURCE"], [], "");
  const defined = await own.definitions();
  const inLibc = await libc.definitions();
  const wanted = SET_SOURCES.map((source) => {
    const kernel = namesOf(source, defined);
    const more = source.libc === undefined
      ? []
      : namesOf({ ...source, headers: [] }, inLibc)
        .filter((name) => !kernel.includes(name));
    return { source, kernel, more };
  });
  const own64 = await own.evaluate(
    wanted.flatMap(({ source, kernel }) => [
      ...kernel,
      ...Object.values(source.define ?? {}),
      ...(source.fields ?? []).filter((field) => field !== "all"),
    ]),
    scratch,
  );
  const libc64 = await libc.evaluate(
    wanted.flatMap(({ more }) => more),
    scratch,
  );
  const sets = new Map<string, ReadSet>();
  const problems: string[] = [];
  for (const { source, kernel, more } of wanted) {
    const pairs: (readonly [string, bigint | undefined])[] = [
      ...Object.entries(source.define ?? {}).map(([name, text]) =>
        [name, own64.get(text)] as const
      ),
      ...kernel.map((name) => [name, own64.get(name)] as const),
      ...more.map((name) => [name, libc64.get(name)] as const),
    ];
    const fields = (source.fields ?? []).map((field) =>
      field === "all" ? ALL : BigInt.asUintN(32, own64.get(field) ?? 0n)
    );
    sets.set(source.set, finish(source, pairs, fields, abi, problems));
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return sets;
}

/** Names of a set among definitions, in order of its headers. */
function namesOf(
  { headers, names, not, requests }: SetSource,
  definitions: readonly Definition[],
): string[] {
  const bases = headers.map((header) => header.replace(/.*\//, ""));
  const rank = (header: string): number =>
    // asm/ioctls.h includes asm-generic/ioctls.h, asm/signal.h signal-defs.h.
    bases.findIndex((base) =>
      base === header ||
      header.replace(/(?:-common|-base|-defs|-abi|_64)?\.h$/, ".h") === base
    );
  const found = new Map<string, number>();
  for (const { name, header, body } of definitions) {
    const place = headers.length === 0 ? 0 : rank(header);
    const counts = names.test(name) ||
      (requests === true && /\b_IO(?:R|W|WR|C)?(?:_BAD)?\s*\(/.test(body));
    if (place < 0 || !counts || not?.test(name) === true) continue;
    if (/^_?_?[A-Z][A-Z0-9_]+_H_*$/.test(name)) continue;
    if (!found.has(name)) found.set(name, place);
  }
  return [...found].sort((a, b) => a[1] - b[1]).map(([name]) => name);
}

/** Makes a set of names and values. */
function finish(
  { set, second, shift, requests }: SetSource,
  pairs: readonly (readonly [string, bigint | undefined])[],
  fields: readonly bigint[],
  abi: Abi,
  problems: string[],
): ReadSet {
  const pure = fields[0] !== ALL;
  const first = new Set(
    pairs.filter(([name]) => second?.test(name) !== true)
      .map(([, value]) => value),
  );
  const names = pairs.map(([name, value]): NamedValue => {
    if (value === undefined) {
      throw new Error(`Cannot read ${name} for ${abi.name}: no value`);
    }
    const scaled = shift?.[0].test(name) === true
      ? value << BigInt(shift[1])
      : value;
    return {
      name,
      value: pure ? BigInt.asUintN(32, scaled) : scaled,
      second: second?.test(name) === true && (pure || first.has(value)),
    };
  });
  const seen = new Map<bigint, string>();
  const marked = names.map((entry): NamedValue => {
    if (entry.second) return entry;
    const before = seen.get(entry.value);
    if (before === undefined) {
      seen.set(entry.value, entry.name);
      return entry;
    }
    if (requests !== true) {
      problems.push(
        `Cannot name ${entry.value} of ${set} on ${abi.name}: it is ${before} and ${entry.name}`,
      );
    }
    return { ...entry, second: true };
  });
  return { fields, names: marked };
}
