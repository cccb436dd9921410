/**
 * The formats in which a filter is written.
 *
 * @module
 */

import type { Format } from "../input/flags.ts";
import { encodeBase64 } from "../../bpf/base64.ts";
import {
  encodeFilter,
  type Filter,
  type FilterStack,
} from "../../bpf/filter.ts";
import { toHex } from "../../bpf/hex.ts";
import type { Instruction } from "../../bpf/instruction.ts";
import { toCode } from "../../bpf/opcode.ts";
import { type Beyond, describeBeyond } from "./beyond.ts";
import { ANNOTATION } from "../../tables/annotation.ts";

/** A filter, with its bytes if they are known. */
interface EncodedFilter extends Filter {
  readonly bytes?: Uint8Array;
}

/**
 * Writes a filter in a format.
 *
 * @param filter The filter.
 * @param form The format.
 * @param beyond The fields that the filter does not express; text formats write
 * them in a comment.
 * @returns Bytes for `raw`, text that ends in a line feed for all others.
 */
export async function formatFilter(
  filter: EncodedFilter,
  form: Format,
  beyond: Beyond = {},
): Promise<string | Uint8Array> {
  const { program, littleEndian } = filter;
  const bytes = (): Uint8Array => filter.bytes ?? encodeFilter(filter);
  const remark = describeBeyond(beyond, form);
  const comment = (start: string): readonly string[] =>
    remark === undefined ? [] : [`${start} ${remark}`];
  switch (form) {
    case "raw":
      return bytes();
    case "base64":
      return `${encodeBase64(bytes())}\n`;
    case "hex":
      return `${toHex(bytes())}\n`;
    case "asm": {
      const { assembly }: typeof import("./assembly.ts") = await import(
        "./assembly.ts" as string
      );
      const text = assembly({ programs: [program], littleEndian });
      return [...comment(";"), text].join("\n");
    }
    case "c":
      return cSource(filter, comment("//"));
    case "go":
      return goSource(filter, comment("//"));
    case "rust":
      return rustSource(filter, comment("///"));
    case "json":
      return jsonFilter(filter, bytes(), beyond);
    case "annotation":
      return `${JSON.stringify({ [ANNOTATION]: encodeBase64(bytes()) })}\n`;
  }
}

/**
 * Writes filters of one thread in a text format, one after the other.
 *
 * @param stack The filters.
 * @param form The format, except `raw`.
 * @returns Text that ends in a line feed.
 */
export async function formatStack(
  stack: FilterStack,
  form: Exclude<Format, "raw">,
): Promise<string> {
  if (form === "asm") {
    const { assembly }: typeof import("./assembly.ts") = await import(
      "./assembly.ts" as string
    );
    return assembly(stack);
  }
  const { programs, littleEndian } = stack;
  const texts = await Promise.all(
    programs.map((program) => formatFilter({ program, littleEndian }, form)),
  );
  return texts.join("");
}

/** Length of a filter, and its byte order if it is big-endian. */
function summaryOf({ program, littleEndian }: Filter): string {
  const machine = littleEndian ? "" : " for a big-endian machine";
  return `${program.length} instructions${machine}`;
}

function cSource(filter: Filter, remarks: readonly string[]): string {
  const { program } = filter;
  return [
    "#include <linux/filter.h>",
    "",
    `/* ${summaryOf(filter)}, by seccomp-tree */`,
    ...remarks,
    `static const struct sock_filter filter[${program.length}] = {`,
    ...program.map((i) => `\t{ ${fieldsOf(i).join(", ")} },`),
    "};",
    "",
  ].join("\n");
}

function goSource(filter: Filter, remarks: readonly string[]): string {
  const { program } = filter;
  return [
    "package seccomp",
    "",
    'import "golang.org/x/sys/unix"',
    "",
    `// Filter has ${summaryOf(filter)}, by seccomp-tree.`,
    ...remarks,
    "var Filter = []unix.SockFilter{",
    ...program.map((i) => `\t{${fieldsOf(i).join(", ")}},`),
    "}",
    "",
  ].join("\n");
}

function rustSource(filter: Filter, remarks: readonly string[]): string {
  const { program } = filter;
  return [
    "use libc::sock_filter;",
    "",
    `/// ${summaryOf(filter)}, by seccomp-tree.`,
    ...remarks,
    `pub static FILTER: [sock_filter; ${program.length}] = [`,
    ...program.map((i) => {
      const [code, jt, jf, k] = fieldsOf(i);
      return `    sock_filter { code: ${code}, jt: ${jt}, jf: ${jf}, k: ${k} },`;
    }),
    "];",
    "",
  ].join("\n");
}

/** Code, jt, jf and k in the format of source code. */
function fieldsOf(
  { op, jt, jf, k }: Instruction,
): readonly [string, string, string, string] {
  const hex = (value: number, digits: number): string =>
    `0x${value.toString(16).padStart(digits, "0")}`;
  return [hex(toCode(op), 2), String(jt), String(jf), hex(k, 8)];
}

function jsonFilter(
  { program, littleEndian }: Filter,
  bytes: Uint8Array,
  beyond: Beyond,
): string {
  return JSON.stringify(
    {
      schemaVersion: 1,
      length: program.length,
      littleEndian,
      ...beyond,
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
