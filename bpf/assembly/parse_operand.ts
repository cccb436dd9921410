/**
 * Reads the operands of statements: words of the input, constants, names.
 *
 * @module
 */

import { AssemblyError } from "../error.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../seccomp_data.ts";
import { SECCOMP_RET_DATA } from "../../tables/uapi.ts";
import { didYouMean } from "../../tables/suggest.ts";
import type { HalfWord, NamedCall, NamedErrno } from "./draft.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { usualArchNames } from "../../tables/arch_names.ts";
import { errnoNames, errnoNumber } from "../../tables/errno.ts";
import { archOfWord } from "./words.ts";

/** The language of statements. */
export type StatementLanguage = "seccomp-tools" | "ceccomp";

const IP_OFFSET = 8;
const ARGS_OFFSET = 16;
const ARGS = 6;
/** Shift distance that selects the high half of a 64-bit field. */
const HALF_BITS = 32;

/** A word of the input. */
export function readField(
  cursor: StatementCursor,
  language: StatementLanguage,
): number | HalfWord | undefined {
  const name = cursor.name();
  switch (name) {
    case "sys_number":
    case "syscall_nr":
      cursor.take();
      return NR_OFFSET;
    case "arch":
      cursor.take();
      return ARCH_OFFSET;
    case "instruction_pointer":
    case "low_pc":
    case "high_pc": {
      cursor.take();
      const shifted = name === "instruction_pointer" && readShift(cursor);
      return half(IP_OFFSET, shifted || name === "high_pc");
    }
    case "args":
    case "args_h":
    case "low_args":
    case "high_args": {
      cursor.take();
      const index = readIndex(cursor, language, name, ARGS);
      const shifted = name === "args" && readShift(cursor);
      const high = shifted || name === "args_h" || name === "high_args";
      return half(ARGS_OFFSET + 8 * index, high);
    }
    default:
      return undefined;
  }
}

/** `>> 32`, if it comes next. */
function readShift(cursor: StatementCursor): boolean {
  if (cursor.accept(">>") === undefined) return false;
  const at = cursor.peek();
  if (cursor.takeNumber(false) === HALF_BITS) return true;
  throw new AssemblyError(
    "unexpected-token",
    `Cannot read statement: seen "${at.text}"; a field can only be shifted by ${HALF_BITS}; shift A after the load`,
    at,
  );
}

/** Reads the data of an action: a number, or the name of an error. */
export function readData(
  cursor: StatementCursor,
  language: StatementLanguage,
  action: number,
): number | NamedErrno {
  const { kind, text, line, column } = cursor.peek();
  if (kind === "word") {
    const name = text.toUpperCase();
    if (errnoNumber(name) === undefined) {
      const near = didYouMean(name, errnoNames().values());
      throw cursor.unexpected(
        `a number, or the name of an error, such as EPERM${
          near === undefined ? "" : `; did you mean ${near}`
        }`,
      );
    }
    cursor.take();
    return { kind: "errno", name, action, line, column };
  }
  const data = cursor.takeNumber(language === "ceccomp");
  if (data <= SECCOMP_RET_DATA) return (action | data) >>> 0;
  throw new AssemblyError(
    "number-range",
    `Cannot read data "${text}": it is at most ${SECCOMP_RET_DATA}`,
    { line, column },
  );
}

/** `[k]` */
export function readIndex(
  cursor: StatementCursor,
  language: StatementLanguage,
  name: string,
  length: number,
): number {
  cursor.expect("[");
  const at = cursor.peek();
  const k = cursor.takeNumber(language === "ceccomp");
  cursor.expect("]");
  if (k < length) return k;
  throw new AssemblyError(
    "number-range",
    `Cannot read ${name}[${at.text}]: the index is at most ${length - 1}`,
    at,
  );
}

/** A number, an architecture or a call name. */
export function readConstant(
  cursor: StatementCursor,
  language: StatementLanguage,
): number | NamedCall {
  let open = 0;
  while (cursor.accept("(") !== undefined) open++;
  const value = readBareConstant(cursor, language);
  for (; open > 0; open--) cursor.expect(")");
  return value;
}

function readBareConstant(
  cursor: StatementCursor,
  language: StatementLanguage,
): number | NamedCall {
  const { kind, text, line, column } = cursor.peek();
  if (kind !== "word" || text.startsWith("$")) {
    return cursor.takeNumber(language === "ceccomp");
  }
  const [before = "", name] = text.split(".");
  const arch = archOfWord(before);
  if (name === undefined) {
    cursor.take();
    if (arch === undefined) return { kind: "call", name: text, line, column };
    if (arch.syscallBit === 0) return arch.auditArch;
    throw new AssemblyError(
      "ambiguous-name",
      `Cannot compare with ${text}: its calls have the arch of x86_64 and numbers from 0x${
        arch.syscallBit.toString(16)
      }; compare with x86_64, then A >= 0x${arch.syscallBit.toString(16)}`,
      { line, column },
    );
  }
  if (arch === undefined) {
    const near = didYouMean(before, usualArchNames());
    throw new AssemblyError(
      "unknown-name",
      `Cannot read "${text}": unknown architecture "${before}"${
        near === undefined ? "" : `; did you mean ${near}`
      }`,
      { line, column },
    );
  }
  cursor.take();
  return { kind: "call", name, arch: arch.name, line, column };
}

function half(offset: number, high: boolean): HalfWord {
  return { kind: "half", offset, high };
}
