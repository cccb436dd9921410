/**
 * The forms in which a filter is written.
 *
 * @module
 */

import { annotate } from "../bpf/annotate.ts";
import { encodeBase64 } from "../bpf/base64.ts";
import { encode } from "../bpf/encode.ts";
import { toHex } from "../bpf/hex.ts";
import type { Program } from "../bpf/instruction.ts";
import { toCode } from "../bpf/opcode.ts";
import { format } from "../bpf/text.ts";
import { ARCHES } from "../tables/arch.ts";
import { ANNOTATION } from "./source.ts";

/** Forms of a filter. */
export const FORMATS = [
  "raw",
  "base64",
  "hex",
  "asm",
  "c",
  "json",
  "annotation",
] as const;

/** A form of a filter. */
export type Format = typeof FORMATS[number];

/**
 * Writes a program in a form.
 *
 * @param program The program.
 * @param form The form.
 * @param littleEndian Byte order of the machine that will load it.
 * @returns Bytes for `raw`, text that ends in a line feed for all others.
 */
export function formatProgram(
  program: Program,
  form: Format,
  littleEndian: boolean,
): string | Uint8Array {
  const bytes = (): Uint8Array => encode(program, { littleEndian });
  switch (form) {
    case "raw":
      return bytes();
    case "base64":
      return `${encodeBase64(bytes())}\n`;
    case "hex":
      return `${toHex(bytes())}\n`;
    case "asm":
      return assembly(program, littleEndian);
    case "c":
      return cSource(program);
    case "json":
      return jsonProgram(program, bytes());
    case "annotation":
      return `${JSON.stringify({ [ANNOTATION]: encodeBase64(bytes()) })}\n`;
  }
}

/** Assembly text with comments; reads back to the same program. */
export function assembly(program: Program, littleEndian: boolean): string {
  return format(program, {
    comments: annotate(program, {
      littleEndian,
      archName: archNames,
      syscallName,
    }),
  });
}

/** Names of the architectures of an audit value. */
export function archNames(auditArch: number): string | undefined {
  const names = ARCHES.filter((arch) => arch.auditArch === auditArch)
    .map((arch) => arch.name);
  return names.length === 0 ? undefined : names.join("+");
}

/** Name of a number on an architecture. */
export function syscallName(auditArch: number, nr: number): string | undefined {
  for (const arch of ARCHES) {
    if (arch.auditArch !== auditArch) continue;
    const name = namesOf(arch.name).get(nr);
    if (name !== undefined) return name;
  }
  return undefined;
}

const tables = new Map<string, ReadonlyMap<number, string>>();

function namesOf(archName: string): ReadonlyMap<number, string> {
  let names = tables.get(archName);
  if (names === undefined) {
    const arch = ARCHES.find((a) => a.name === archName);
    names = new Map(
      [...arch?.syscalls ?? []].map(([name, nr]) => [nr, name] as const),
    );
    tables.set(archName, names);
  }
  return names;
}

function cSource(program: Program): string {
  const rows = program.map(({ op, jt, jf, k }) =>
    `\t{ 0x${toCode(op).toString(16).padStart(2, "0")}, ${jt}, ${jf}, 0x${
      k.toString(16).padStart(8, "0")
    } },`
  );
  return [
    "#include <linux/filter.h>",
    "",
    `/* ${program.length} instructions, by seccomp-tree */`,
    `static const struct sock_filter filter[${program.length}] = {`,
    ...rows,
    "};",
    "",
  ].join("\n");
}

function jsonProgram(program: Program, bytes: Uint8Array): string {
  return JSON.stringify(
    {
      schemaVersion: 1,
      length: program.length,
      base64: encodeBase64(bytes),
      instructions: program.map(({ op, jt, jf, k }) => ({
        code: toCode(op),
        jt,
        jf,
        k,
      })),
    },
    undefined,
    2,
  ) + "\n";
}
