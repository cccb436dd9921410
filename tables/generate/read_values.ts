/**
 * Reads the names of argument values from kernel headers, with a compiler: many
 * are enumerators, or depend on the size of a structure.
 *
 * @module
 */

import type { Abi } from "./abi.ts";
import { compilerFlags, preprocess } from "./headers.ts";
import { SET_SOURCES, type SetSource } from "./value_sets.ts";

/** One name of a value. */
export interface NamedValue {
  readonly name: string;
  /** Negative if the header says so, else at most 64 bits. */
  readonly value: bigint;
  /** True if the name is read but never printed. */
  readonly second: boolean;
}

/** The set of values of one argument on one architecture. */
export interface ReadSet {
  /** Masks of the parts of the word that hold one of several values. */
  readonly fields: readonly bigint[];
  /** Names in order of preference. */
  readonly names: readonly NamedValue[];
}

/** A definition in a header. */
interface Definition {
  readonly name: string;
  /** Base name of the header. */
  readonly header: string;
  /** Text of a macro; empty for an enumerator. */
  readonly body: string;
}

const ALL = (1n << 64n) - 1n;

/** Flags with which gcc for x86 gives structures the layout of an architecture. */
function layoutOf({ name, bits }: Abi): readonly string[] {
  if (bits === 64) return ["-m64"];
  if (name === "x32") return ["-mx32"];
  return name === "x86" ? ["-m32"] : ["-m32", "-malign-double"];
}

/** The parts of the C library's headers that the kernel's include. */
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
  const own = new Side(
    headers,
    [
      ...compilerFlags(root, abi),
      ...["-isystem", scratch],
      `-D__MIPSE${abi.name.includes("el") ? "L" : "B"}__`,
    ],
    layoutOf(abi),
    `#define MIPS ${abi.name.startsWith("mips") ? 1 : 0}\n${STRUCTURES}`,
  );
  const libc = new Side(libcHeaders, ["-D_GNU_SOURCE"], [], "");
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

/** One set of headers, read with one set of flags. */
class Side {
  readonly #source: string;
  readonly #flags: readonly string[];
  readonly #layout: readonly string[];

  constructor(
    headers: readonly string[],
    flags: readonly string[],
    layout: readonly string[],
    prelude: string,
  ) {
    this.#source = prelude +
      headers.map((header) =>
        // An architecture may lack the part of a header that is its own.
        `#if __has_include(<${header}>)${
          header === "linux/kvm.h" ? " && __has_include(<asm/kvm.h>)" : ""
        }\n#include <${header}>\n#endif\n`
      ).join("");
    this.#flags = flags;
    this.#layout = layout;
  }

  /** All macros without parameters, and all enumerators, in their order. */
  async definitions(): Promise<readonly Definition[]> {
    const text = await preprocess(this.#source, ["-dD", ...this.#flags]);
    const structures = new Set(
      [...text.matchAll(/\bstruct (\w+)\s*\{/g)].map(([, name]) => name),
    );
    const found = new Map<string, Definition>();
    let header = "";
    let braces = 0;
    let isEnum = false;
    for (const line of text.split("\n")) {
      const marker = /^# \d+ "([^"]*)"/.exec(line);
      if (marker !== null) header = (marker[1] ?? "").replace(/.*\//, "");
      const macro = /^#define (\w+) (.+)$/.exec(line);
      const gone = /^#undef (\w+)/.exec(line)?.[1];
      if (gone !== undefined) found.delete(gone);
      if (macro !== null) {
        const [, name = "", body = ""] = macro;
        const header0 = found.get(name)?.header ?? header;
        found.set(name, { name, header: header0, body });
      }
      if (line.startsWith("#")) continue;
      if (/\benum\b/.test(line)) isEnum = true;
      if (isEnum && (braces > 0 || line.includes("{"))) {
        const inside = line.replace(/^.*\{/, "");
        for (const [, name = ""] of inside.matchAll(/(?:^|,)\s*(\w+)/g)) {
          if (!found.has(name)) found.set(name, { name, header, body: "" });
        }
      }
      for (const brace of line.match(/[{}]/g) ?? []) {
        braces += brace === "{" ? 1 : -1;
      }
      if (braces === 0 && /[;}]/.test(line)) isEnum = false;
    }
    // Requests of other architectures have structures that are not defined.
    return [...found.values()].filter(({ body }) =>
      [...body.matchAll(/\bstruct (\w+)/g)]
        .every(([, name]) => structures.has(name))
    );
  }

  /** Values of expressions of C. */
  async evaluate(
    expressions: readonly string[],
    scratch: string,
  ): Promise<ReadonlyMap<string, bigint>> {
    const unique = [...new Set(expressions)];
    if (unique.length === 0) return new Map();
    const source = `${this.#source}
static const long long values[]
__attribute__((section(".values"), used, aligned(16))) = {
${unique.map((text) => `(long long)(${text}),\n`).join("")}};\n`;
    await Deno.writeTextFile(`${scratch}/values.c`, source);
    await run("gcc", [
      ...["-c", ...this.#layout, ...this.#flags],
      ...["-o", `${scratch}/values.o`, `${scratch}/values.c`],
    ]);
    await run("objcopy", [
      ...[
        "-O",
        "binary",
        "-j",
        ".values",
        "--set-section-flags",
        ".values=alloc",
      ],
      ...[`${scratch}/values.o`, `${scratch}/values.bin`],
    ]);
    const bytes = await Deno.readFile(`${scratch}/values.bin`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new Map(
      unique.map((text, i) => [text, view.getBigInt64(8 * i, true)]),
    );
  }
}

/** Runs a program that must succeed. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const output = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
  }).output();
  if (output.success) return;
  const reason = new TextDecoder().decode(output.stderr).trim();
  throw new Error(`Cannot run ${program}: exit ${output.code}: ${reason}`);
}
