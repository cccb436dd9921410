/**
 * Parses lines of listings, as disassemblers print them: index, fields,
 * statement.
 *
 * ```text
 *  line  CODE  JT   JF      K
 * =================================
 *  0000: 0x20 0x00 0x00 0x00000004  A = arch
 * ```
 *
 * The fields are the instruction. The statement must agree with them, and the
 * indices must be consecutive, so a listing that was truncated or edited is
 * refused.
 *
 * @module
 */

import type { Instruction } from "../instruction.ts";
import { isConditionalJump, toOp } from "../opcode.ts";
import { actionOf } from "../return_value.ts";
import {
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
} from "../../tables/uapi.ts";
import type { DraftSection, Label, TextPlace, Written } from "./draft.ts";
import type { AssemblyProblems } from "./problems.ts";

const HEADER = /^\s*#?\s*(?:line|label)\s+code\s+jt\s+jf\s+k\s*$/i;
const RULE = /^\s*(?:={5,}|-{5,})\s*$/;

const FIELDS =
  /^\s*(?:(?<label>\w+):)?\s*(?<code>0x[0-9a-f]{1,4})\s+(?<jt>0x[0-9a-f]{1,2})\s+(?<jf>0x[0-9a-f]{1,2})\s+(?<k>0x[0-9a-f]{1,8})(?=\s|$)/i;

/** `0007`, counted from 0, or `L0008`, counted from 1. */
const INDEX = /^(?<one>L?)(?<digits>[0-9]{4,6})$/;

/** A remark that instructions were omitted. */
const SKIPPED = /^\s*#?\s*(?:\.{3}|…)\s*(?:[0-9]+ line\(s\) skipped.*)?$/;

/** A load with the prototype of the call: `0009: A = pid # kill(pid, sig)`. */
const ARGUMENT =
  /^(?<start>\s*[0-9]{4,6}:.*\bA\s*=\s*)(?<name>\w+)(?<shift>\s*>>\s*32)?\s*#\s*[\w.]+\((?<names>[^()]*)\)[ \t\r]*$/gm;

/**
 * Replaces the argument names in listings of seccomp-tools.
 *
 * @param text The text, with comments.
 * @returns The text with `args[…]`; the number of lines does not change.
 */
export function nameArguments(text: string): string {
  return text.replaceAll(ARGUMENT, (line, ...rest) => {
    const { start, name, shift = "", names = "" } = rest.at(-1);
    const list = String(names).split(",").map((each) => each.trim());
    const index = list.indexOf(name);
    return index < 0 || index !== list.lastIndexOf(name)
      ? line
      : `${start}args[${index}]${shift}`;
  });
}

/**
 * Finds the distance to an instruction outside a listing from its index.
 *
 * @param text The label.
 * @param pc Index of the jump.
 * @returns The distance; `undefined` if the label is not an index.
 */
export function distanceByIndex(text: string, pc: number): number | undefined {
  const { one, digits } = INDEX.exec(text)?.groups ?? {};
  return digits === undefined
    ? undefined
    : Number(digits) - (one === "" ? 0 : 1) - pc - 1;
}

/** Reports whether a line is the title of a listing. */
export function isHeader(line: string): boolean {
  return HEADER.test(line);
}

/** Reports whether a line is a rule under the title or at the end. */
export function isRule(line: string): boolean {
  return RULE.test(line);
}

/** Reports whether a line states that instructions are omitted. */
export function isSkipped(line: string): boolean {
  return SKIPPED.test(line);
}

/**
 * Reads the prefix of an instruction of bpf_asm: index, fields or both.
 *
 * @param line The line, without comments.
 * @param place Position of its first word.
 * @returns The index and fields that are present, and the offset at which they
 * end.
 */
export function readPrefix(line: string, place: TextPlace): {
  readonly first: Label | undefined;
  readonly fields: Instruction | undefined;
  readonly end: number;
} {
  const listed = readFields(line);
  const text = listed?.label?.text ??
    /^\s*(?<label>[0-9]{4,6}):/.exec(line)?.groups?.["label"];
  return {
    first: text === undefined ? undefined : { kind: "word", text, ...place },
    fields: listed?.fields,
    end: listed?.end ?? (text === undefined ? 0 : line.indexOf(":") + 1),
  };
}

/**
 * Reads label and fields at the beginning of a line.
 *
 * @param line The line, without comments.
 * @returns Both, and the offset at which the fields end; `undefined` if the
 * line does not begin with fields.
 */
export function readFields(line: string): {
  readonly label?: { readonly text: string; readonly at: number };
  readonly fields: Instruction;
  readonly end: number;
} | undefined {
  const match = FIELDS.exec(line);
  if (match === null) return undefined;
  const { label, code, jt, jf, k } = match.groups ?? {};
  return {
    ...(label !== undefined &&
      { label: { text: label, at: line.search(/\S/) } }),
    fields: {
      op: toOp(Number(code)),
      jt: Number(jt),
      jf: Number(jf),
      k: Number(k),
    },
    end: match[0].length,
  };
}

/**
 * Checks that the indices of a listing are consecutive. Labels are indices if
 * every instruction has one, or if fields follow.
 *
 * @param section The filter.
 * @param problems Receives the first unexpected index.
 */
export function checkIndices(
  { written }: DraftSection,
  problems: AssemblyProblems,
): void {
  const listed = written.some(({ fields }) => fields !== undefined);
  const numbered = written.every(({ first }) => INDEX.test(first?.text ?? ""));
  if (!listed && !numbered) return;
  for (const [i, { first, fields, ...place }] of written.entries()) {
    if (listed && fields === undefined) {
      problems.add(
        "mixed-listing",
        "Cannot read listing: the line has no fields, and others have; give the fields of all instructions, or of none",
        place,
      );
      return;
    }
    const { one, digits } = INDEX.exec(first?.text ?? "")?.groups ?? {};
    if (first === undefined || digits === undefined) continue;
    const index = Number(digits) - (one === "" ? 0 : 1);
    if (index === i) continue;
    problems.add(
      "wrong-index",
      `Cannot read listing: "${first.text}" is instruction ${i} here; lines are missing, repeated or out of order`,
      first,
    );
    return;
  }
}

/**
 * Compares the statement of a line with its fields.
 *
 * @param written The line.
 * @param said The instruction that the statement denotes.
 * @returns True if they agree; fields that the statement does not show are
 * ignored.
 */
export function agrees({ fields }: Written, said: Instruction): boolean {
  if (fields === undefined) return true;
  const { op, jt, jf, k } = fields;
  const samePlaces = said.jt === jt && said.jf === jf;
  if (said.op === op) {
    if (op === "ret.k") return said.k === k || said.k === plainAction(k);
    if (said.k !== k && usesConstant(op)) return false;
    return samePlaces || !isConditionalJump(op);
  }
  // Listings write a test whose targets are the same as a jump, and the length
  // of the input as a number.
  if (said.op === "ja") {
    return isConditionalJump(op) && jt === jf && said.k === jt;
  }
  return op === "ld.len" && said.op === "ld.imm" ||
    op === "ldx.len" && said.op === "ldx.imm";
}

function usesConstant(op: Instruction["op"]): boolean {
  switch (op) {
    case "ld.len":
    case "ldx.len":
    case "neg":
    case "tax":
    case "txa":
    case "ret.a":
      return false;
    default:
      return typeof op === "string" && !op.endsWith(".x");
  }
}

/** The value without unused data; `undefined` if the data is used. */
function plainAction(value: number): number | undefined {
  const action = actionOf(value);
  return action === SECCOMP_RET_ERRNO || action === SECCOMP_RET_TRAP ||
      action === SECCOMP_RET_TRACE
    ? undefined
    : action;
}
