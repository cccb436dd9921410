/**
 * The forms in which a filter is written.
 *
 * @module
 */

import { encodeBase64 } from "../../bpf/base64.ts";
import { encode } from "../../bpf/encode.ts";
import { toHex } from "../../bpf/hex.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { toCode } from "../../bpf/opcode.ts";
import type { Format } from "./format_names.ts";
import { ANNOTATION } from "../input/source.ts";

/**
 * Writes a program in a form.
 *
 * @param program The program.
 * @param form The form.
 * @param littleEndian Byte order of the machine that will load it.
 * @returns Bytes for `raw`, text that ends in a line feed for all others.
 */
export async function formatProgram(
  program: Program,
  form: Format,
  littleEndian: boolean,
): Promise<string | Uint8Array> {
  const bytes = (): Uint8Array => encode(program, { littleEndian });
  switch (form) {
    case "raw":
      return bytes();
    case "base64":
      return `${encodeBase64(bytes())}\n`;
    case "hex":
      return `${toHex(bytes())}\n`;
    case "asm": {
      const { assembly } = await import("./assembly.ts");
      return assembly(program, littleEndian);
    }
    case "c":
      return cSource(program);
    case "go":
      return goSource(program);
    case "rust":
      return rustSource(program);
    case "json":
      return jsonProgram(program, bytes());
    case "annotation":
      return `${JSON.stringify({ [ANNOTATION]: encodeBase64(bytes()) })}\n`;
  }
}

function cSource(program: Program): string {
  return [
    "#include <linux/filter.h>",
    "",
    `/* ${program.length} instructions, by seccomp-tree */`,
    `static const struct sock_filter filter[${program.length}] = {`,
    ...program.map((i) => `\t{ ${fieldsOf(i).join(", ")} },`),
    "};",
    "",
  ].join("\n");
}

function goSource(program: Program): string {
  return [
    "package seccomp",
    "",
    'import "golang.org/x/sys/unix"',
    "",
    `// Filter has ${program.length} instructions, by seccomp-tree.`,
    "var Filter = []unix.SockFilter{",
    ...program.map((i) => `\t{${fieldsOf(i).join(", ")}},`),
    "}",
    "",
  ].join("\n");
}

function rustSource(program: Program): string {
  return [
    "use libc::sock_filter;",
    "",
    `/// ${program.length} instructions, by seccomp-tree.`,
    `pub static FILTER: [sock_filter; ${program.length}] = [`,
    ...program.map((i) => {
      const [code, jt, jf, k] = fieldsOf(i);
      return `    sock_filter { code: ${code}, jt: ${jt}, jf: ${jf}, k: ${k} },`;
    }),
    "];",
    "",
  ].join("\n");
}

/** Code, jt, jf and k as they stand in sources. */
function fieldsOf(
  { op, jt, jf, k }: Instruction,
): readonly [string, string, string, string] {
  const hex = (value: number, digits: number): string =>
    `0x${value.toString(16).padStart(digits, "0")}`;
  return [hex(toCode(op), 2), String(jt), String(jf), hex(k, 8)];
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
