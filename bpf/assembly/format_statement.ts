/**
 * One instruction as a statement of seccomp-tools, which its `asm` reads back to
 * the same instruction.
 *
 * @module
 */

import type { Instruction, Op } from "../instruction.ts";
import { isConditionalJump } from "../opcode.ts";
import { actionOf } from "../return_value.ts";
import { ARCH_OFFSET, NR_OFFSET, SECCOMP_DATA_SIZE } from "../seccomp_data.ts";
import {
  BPF_MEMWORDS,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import { isPlain } from "./format_instruction.ts";

/** Names for a statement. */
export interface StatementNames {
  /** Byte order, which decides the halves of a word. */
  readonly littleEndian: boolean;
  /** Label of a distance; `undefined` beyond the program. */
  readonly label: (distance: number) => string | undefined;
  /** Name for the constant of a comparison for equality. */
  readonly constant?: string | undefined;
}

const ARGS_OFFSET = 16;

const SIGNS: ReadonlyMap<string, string> = new Map([
  ["add", "+="],
  ["sub", "-="],
  ["mul", "*="],
  ["div", "/="],
  ["or", "|="],
  ["and", "&="],
  ["xor", "^="],
  ["lsh", "<<="],
  ["rsh", ">>="],
]);

/** The signs of a test and of its opposite; `&` has no opposite. */
const TESTS: ReadonlyMap<string, readonly [string, string | undefined]> =
  new Map([
    ["jeq", ["==", "!="]],
    ["jgt", [">", "<="]],
    ["jge", [">=", "<"]],
    ["jset", ["&", undefined]],
  ]);

const ACTIONS: ReadonlyMap<number, string> = new Map([
  [SECCOMP_RET_KILL_PROCESS, "KILL_PROCESS"],
  [SECCOMP_RET_KILL_THREAD, "KILL"],
  [SECCOMP_RET_TRAP, "TRAP"],
  [SECCOMP_RET_ERRNO, "ERRNO"],
  [SECCOMP_RET_USER_NOTIF, "USER_NOTIF"],
  [SECCOMP_RET_TRACE, "TRACE"],
  [SECCOMP_RET_LOG, "LOG"],
  [SECCOMP_RET_ALLOW, "ALLOW"],
]);

/**
 * Writes an instruction as a statement.
 *
 * @param instruction The instruction.
 * @param names Labels, byte order, and the name of the constant.
 * @returns The statement, or `undefined` if the language has none: for loads
 * that seccomp forbids, `mod`, `ldx #len`, a test whose targets are the same,
 * and fields that the instruction does not use but that are not 0.
 */
export function formatStatement(
  instruction: Instruction,
  names: StatementNames,
): string | undefined {
  const { op, k } = instruction;
  if (typeof op === "number" || !isPlain(op, instruction)) return undefined;
  if (isConditionalJump(op)) return formatTest(op, instruction, names);
  const [name = "", form = ""] = op.split(".");
  const sign = SIGNS.get(name);
  if (sign !== undefined) return `A ${sign} ${operand(name, form, k)}`;
  switch (op) {
    case "ld.abs": {
      const field = formatField(k, names.littleEndian);
      return field && `A = ${field}`;
    }
    case "ld.imm":
      return `A = ${hex(k)}`;
    case "ldx.imm":
      return `X = ${hex(k)}`;
    case "ld.len":
      return "A = len";
    case "ld.mem":
      return k < BPF_MEMWORDS ? `A = mem[${k}]` : undefined;
    case "ldx.mem":
      return k < BPF_MEMWORDS ? `X = mem[${k}]` : undefined;
    case "st":
      return k < BPF_MEMWORDS ? `mem[${k}] = A` : undefined;
    case "stx":
      return k < BPF_MEMWORDS ? `mem[${k}] = X` : undefined;
    case "neg":
      return "A = -A";
    case "tax":
      return "X = A";
    case "txa":
      return "A = X";
    case "ret.a":
      return "return A";
    case "ret.k":
      return `return ${formatAction(k)}`;
    case "ja": {
      const label = names.label(k);
      return label && `goto ${label}`;
    }
    default:
      return undefined;
  }
}

/** A word of the input, by name. */
export function formatField(
  offset: number,
  littleEndian: boolean,
): string | undefined {
  if (offset === NR_OFFSET) return "sys_number";
  if (offset === ARCH_OFFSET) return "arch";
  if (offset % 4 !== 0 || offset >= SECCOMP_DATA_SIZE) return undefined;
  const shift = (offset % 8 === 0) === littleEndian ? "" : " >> 32";
  return offset < ARGS_OFFSET
    ? `instruction_pointer${shift}`
    : `args[${Math.floor((offset - ARGS_OFFSET) / 8)}]${shift}`;
}

function formatTest(
  op: Op,
  { jt, jf, k }: Instruction,
  { label, constant }: StatementNames,
): string | undefined {
  const [name = "", form = ""] = op.split(".");
  const [sign, opposite] = TESTS.get(name) ?? [];
  const [yes, no] = [label(jt), label(jf)];
  if (yes === undefined || no === undefined || jt === jf) return undefined;
  const value = form === "x"
    ? "X"
    : name === "jeq"
    ? constant ?? hex(k)
    : hex(k);
  if (jf === 0) return `if (A ${sign} ${value}) goto ${yes}`;
  if (jt === 0) {
    return opposite === undefined
      ? `if (!(A ${sign} ${value})) goto ${no}`
      : `if (A ${opposite} ${value}) goto ${no}`;
  }
  return `if (A ${sign} ${value}) goto ${yes} else goto ${no}`;
}

function operand(name: string, form: string, k: number): string {
  if (form === "x") return "X";
  return name === "lsh" || name === "rsh" ? String(k) : hex(k);
}

/** An action by name; a value with unused data is written as a number. */
function formatAction(value: number): string {
  const action = actionOf(value);
  const data = value & SECCOMP_RET_DATA;
  const name = ACTIONS.get(action);
  switch (name) {
    case undefined:
      return hex(value);
    case "ERRNO":
      return `ERRNO(${data})`;
    case "TRAP":
    case "TRACE":
      return data === 0 ? name : `${name}(${data})`;
    default:
      return data === 0 ? name : hex(value);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
