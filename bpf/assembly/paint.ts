/**
 * Colors of assembly text: answers, names, targets.
 *
 * @module
 */

import type { Instruction } from "../instruction.ts";
import { isConditionalJump } from "../opcode.ts";
import { actionOf } from "../return_value.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";

/** The kind of a colored part of a line. */
export type PaintedPart = "allow" | "deny" | "other" | "name" | "target";

/**
 * Colors the text and the comment of one instruction.
 *
 * @param instruction The instruction.
 * @param words Its text.
 * @param comment Its comment, if it has one.
 * @param paint Colors a part; if absent, nothing is colored.
 */
export function paintLine(
  { op, k }: Instruction,
  words: string,
  comment: string | undefined,
  paint: ((part: PaintedPart, text: string) => string) | undefined,
): readonly [words: string, comment: string | undefined] {
  if (paint === undefined) return [words, comment];
  if (op === "ret.k") {
    const part = partOf(k);
    return [
      words.replace(/(?<=^\S+ ).*/, (value) => paint(part, value)),
      comment && paint(part, comment),
    ];
  }
  const jumps = op === "ja" || isConditionalJump(op);
  return [
    jumps
      ? words.replaceAll(
        /\bl[0-9]+\b|(?<=goto )[0-9]+/g,
        (label) => paint("target", label),
      ).replace(
        /(?<=[=!]= )[A-Za-z_][\w.]*/,
        (name) => name === "X" ? name : paint("name", name),
      )
      : words,
    comment && paint("name", comment),
  ];
}

function partOf(value: number): PaintedPart {
  switch (actionOf(value)) {
    case SECCOMP_RET_ALLOW:
      return "allow";
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_USER_NOTIF:
      return "other";
    default:
      return "deny";
  }
}
