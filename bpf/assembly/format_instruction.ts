/**
 * One instruction as assembly text: mnemonic and operands.
 *
 * @module
 */

import type { Instruction, Op } from "../instruction.ts";
import { isConditionalJump, toCode } from "../opcode.ts";

/** Operations whose constant is a bit set or an input word. */
const HEX_OPERATIONS: ReadonlySet<string> = new Set([
  "and",
  "or",
  "xor",
  "jeq",
  "jgt",
  "jge",
  "jset",
]);

/**
 * Writes an instruction.
 *
 * @param instruction The instruction.
 * @param pc Its index.
 * @param targets Indices of instructions with a label, which is `l` followed by
 * the index.
 * @returns Mnemonic and operands.
 */
export function formatInstruction(
  instruction: Instruction,
  pc: number,
  targets: ReadonlySet<number>,
): string {
  const { op, jt, jf, k } = instruction;
  const to = (distance: number): string => {
    const target = pc + 1 + distance;
    return targets.has(target) ? `l${target}` : String(distance);
  };
  if (typeof op === "number" || !isPlain(op, instruction)) {
    return `.raw ${hex(toCode(op), 4)}, ${jt}, ${jf}, ${hex(k)}`;
  }
  const [name = "", form = ""] = op.split(".");
  if (isConditionalJump(op)) {
    const operand = form === "x" ? "x" : `#${hex(k)}`;
    return `${name} ${operand}, ${to(jt)}${jf === 0 ? "" : `, ${to(jf)}`}`;
  }
  switch (op) {
    case "ja":
      return `ja ${to(k)}`;
    case "ret.k":
      return `ret #${hex(k, 8)}`;
    case "st":
    case "stx":
      return `${name} M[${k}]`;
    default:
      return `${name}${formatOperand(name, form, k)}`;
  }
}

function formatOperand(name: string, form: string, k: number): string {
  switch (form) {
    case "abs":
      return ` [${k}]`;
    case "ind":
      return ` [x + ${k}]`;
    case "mem":
      return ` M[${k}]`;
    case "len":
      return " #len";
    case "msh":
      return ` 4*([${k}]&0xf)`;
    case "imm":
      return ` #${hex(k)}`;
    case "k":
      return ` #${HEX_OPERATIONS.has(name) ? hex(k) : k}`;
    case "x":
    case "a":
      return ` ${form}`;
    default:
      return "";
  }
}

/**
 * Reports whether all fields that the text of this instruction does not show
 * are 0.
 */
export function isPlain(op: Op, { jt, jf, k }: Instruction): boolean {
  return (isConditionalJump(op) || (jt === 0 && jf === 0)) &&
    (usesK(op) || k === 0);
}

function usesK(op: Op): boolean {
  switch (op) {
    case "ld.len":
    case "ldx.len":
    case "neg":
    case "tax":
    case "txa":
    case "ret.a":
      return false;
    default:
      return !op.endsWith(".x");
  }
}

function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
