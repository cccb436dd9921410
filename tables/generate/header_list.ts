/**
 * A list of headers, read with a compiler: their definitions and values.
 *
 * @module
 */

import { preprocess } from "./headers.ts";

/** A definition in a header. */
export interface Definition {
  readonly name: string;
  /** Base name of the header. */
  readonly header: string;
  /** Text of a macro; empty for an enumerator. */
  readonly body: string;
}

/** One set of headers, read with one set of flags. */
export class HeaderList {
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
        // An architecture may lack the architecture-specific part of a header.
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
