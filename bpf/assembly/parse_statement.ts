/**
 * Reads one statement: assignment, arithmetic, test, jump or return, in the
 * languages of seccomp-tools and of Ceccomp.
 *
 * ```text
 * A = sys_number                          $A = $syscall_nr
 * A = args[1] >> 32                       $A = $high_args[1]
 * A &= 0xff                               $A &= 0xff
 * if (A == read) goto l else goto m       if ($A == read) goto l, else goto m
 * A == i386.read ? l : next               if !($A & 7) goto l
 * return ERRNO(EPERM)                     return ERRNO(1)
 * ```
 *
 * @module
 */

import { AssemblyError } from "../error.ts";
import type { Op } from "../instruction.ts";
import { SECCOMP_DATA_SIZE } from "../seccomp_data.ts";
import { BPF_MEMWORDS } from "../../tables/uapi.ts";
import { didYouMean } from "../../tables/suggest.ts";
import type { Draft } from "./draft.ts";
import { jump, readIf, readTarget, readTest } from "./parse_jump.ts";
import {
  readConstant,
  readData,
  readField,
  readIndex,
  type StatementLanguage,
} from "./parse_operand.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { ACTION_WORDS, actionOfWord } from "./words.ts";

/** The operations that an assignment names. */
const ARITHMETIC: ReadonlyMap<string, string> = new Map([
  ["+=", "add"],
  ["-=", "sub"],
  ["*=", "mul"],
  ["/=", "div"],
  ["%=", "mod"],
  ["|=", "or"],
  ["&=", "and"],
  ["^=", "xor"],
  ["<<=", "lsh"],
  [">>=", "rsh"],
]);

const STATEMENT_WORDS = ["A", "X", "mem", "if", "goto", "return"];

/**
 * Reads a statement.
 *
 * @throws {AssemblyError} at the first unexpected token.
 *
 * @param cursor Position before the statement.
 * @param language Its language.
 * @returns The instruction; `cursor` follows it.
 */
export function readStatement(
  cursor: StatementCursor,
  language: StatementLanguage,
): Draft {
  switch (cursor.name()) {
    case "a":
      cursor.take();
      return readA(cursor, language);
    case "x":
      cursor.take();
      cursor.expect("=");
      return readX(cursor, language);
    case "mem": {
      cursor.take();
      const k = readIndex(cursor, language, "mem", BPF_MEMWORDS);
      cursor.expect("=");
      const register = cursor.accept("a", "x");
      if (register === undefined) throw cursor.unexpected("A or X");
      return { ...plain(register === "a" ? "st" : "stx"), k };
    }
    case "if":
      cursor.take();
      return readIf(cursor, language);
    case "goto":
    case "jmp":
    case "jump":
      cursor.take();
      return { ...plain("ja"), k: readTarget(cursor, language) };
    case "return":
    case "ret":
      cursor.take();
      return readReturn(cursor, language);
    default: {
      const near = didYouMean(cursor.peek().text, STATEMENT_WORDS);
      throw cursor.unexpected(
        `a statement, such as A = arch, if (A == read) goto allow, or return ALLOW${
          near === undefined ? "" : `; did you mean ${near}`
        }`,
      );
    }
  }
}

/** Reads the rest of a statement that begins with A. */
function readA(cursor: StatementCursor, language: StatementLanguage): Draft {
  const sign = cursor.name();
  const operation = ARITHMETIC.get(sign);
  if (operation !== undefined) {
    cursor.take();
    const byX = cursor.accept("x") !== undefined;
    // The language has only these operations.
    const op = `${operation}.${byX ? "x" : "k"}` as Op;
    return { ...plain(op), k: byX ? 0 : readConstant(cursor, language) };
  }
  if (sign === "=") {
    cursor.take();
    return readValue(cursor, language);
  }
  const test = readTest(cursor, language);
  cursor.accept("?");
  const yes = readTarget(cursor, language);
  cursor.expect(":");
  return jump(test, yes, readTarget(cursor, language), language);
}

/** The value that is assigned to A. */
function readValue(
  cursor: StatementCursor,
  language: StatementLanguage,
): Draft {
  if (cursor.name() === "-" && cursor.name(1) === "a") {
    cursor.take();
    cursor.take();
    return plain("neg");
  }
  const name = cursor.name();
  switch (name) {
    case "x":
      cursor.take();
      return plain("txa");
    case "a":
      throw cursor.unexpected("a value other than A");
    case "len":
    case "scmp_data_len":
      cursor.take();
      return plain("ld.len");
    case "mem":
      cursor.take();
      return {
        ...plain("ld.mem"),
        k: readIndex(cursor, language, "mem", BPF_MEMWORDS),
      };
    case "data": {
      cursor.take();
      const at = cursor.peek(1);
      const k = readIndex(cursor, language, "data", SECCOMP_DATA_SIZE);
      if (k % 4 === 0) return { ...plain("ld.abs"), k };
      throw new AssemblyError(
        "number-range",
        `Cannot read data[${k}]: multiples of 4 below ${SECCOMP_DATA_SIZE} are valid`,
        at,
      );
    }
    default: {
      const field = readField(cursor, language);
      if (field !== undefined) return { ...plain("ld.abs"), k: field };
      return { ...plain("ld.imm"), k: readConstant(cursor, language) };
    }
  }
}

/** Reads the value that is assigned to X. */
function readX(cursor: StatementCursor, language: StatementLanguage): Draft {
  switch (cursor.name()) {
    case "a":
      cursor.take();
      return plain("tax");
    case "len":
    case "scmp_data_len":
      cursor.take();
      return plain("ldx.len");
    case "mem":
      cursor.take();
      return {
        ...plain("ldx.mem"),
        k: readIndex(cursor, language, "mem", BPF_MEMWORDS),
      };
    case "args":
    case "args_h":
    case "low_args":
    case "high_args":
    case "arch":
    case "sys_number":
    case "syscall_nr":
    case "instruction_pointer":
    case "low_pc":
    case "high_pc":
    case "data":
      throw cursor.unexpected(
        "A, a number, len or mem[…]: load it into A first, then X = A",
      );
    default:
      return { ...plain("ldx.imm"), k: readConstant(cursor, language) };
  }
}

/** Reads the rest of `return`. */
function readReturn(
  cursor: StatementCursor,
  language: StatementLanguage,
): Draft {
  if (cursor.accept("a") !== undefined) return plain("ret.a");
  const { kind, text } = cursor.peek();
  if (kind === "number" || cursor.name() === "-" || cursor.name() === "(") {
    return { ...plain("ret.k"), k: readConstant(cursor, language) };
  }
  const action = kind === "word" ? actionOfWord(text) : undefined;
  if (action === undefined) {
    const near = kind === "word" ? didYouMean(text, ACTION_WORDS) : undefined;
    throw cursor.unexpected(
      `an action, such as ALLOW or ERRNO(EPERM), a number, or A${
        near === undefined ? "" : `; did you mean ${near}`
      }`,
    );
  }
  cursor.take();
  if (cursor.name() !== "(") return { ...plain("ret.k"), k: action.value };
  if (language === "ceccomp" && !action.takesData) {
    throw cursor.unexpected(`the end of the statement: ${text} takes no data`);
  }
  cursor.take();
  const k = readData(cursor, language, action.value);
  cursor.expect(")");
  return { ...plain("ret.k"), k };
}

function plain(op: Op): Draft {
  return { op, jt: 0, jf: 0, k: 0 };
}
