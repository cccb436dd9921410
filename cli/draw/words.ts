/**
 * Tests of a program in words, by the content of the accumulator: `nr ≥ fork`,
 * `domain = AF_VSOCK`.
 *
 * @module
 */

import { fieldName } from "../../bpf/annotate.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { isConditionalJump } from "../../bpf/opcode.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import {
  argumentsOf,
  formatArgument,
  formatArgumentMask,
} from "../../tables/arguments.ts";
import { describeArch } from "../input/call.ts";
import { archOfNumber, callName } from "../output/names.ts";
import type { ReachedCall } from "./reach.ts";

/** Content of the accumulator: a word of the input, or something computed. */
export interface Content {
  /** Offset of the word in bytes. */
  readonly offset?: number;
  /** Mask that was applied to it. */
  readonly mask?: number;
  /** The expression in words. */
  readonly text: string;
}

const UNKNOWN: Content = { text: "A" };
/** Maximum length of a line of a test, in characters. */
export const MOST_COLUMNS = 46;
/** Maximum length of an expression in words. */
const MOST_TEXT = 40;

/**
 * Follows the accumulator through a program. One pass is enough, because jumps
 * only go forward.
 *
 * @param program The instructions.
 * @param littleEndian Byte order of the machine.
 * @returns The content before each instruction; `undefined` for unreachable
 * ones.
 */
export function contentsOf(
  program: Program,
  littleEndian: boolean,
): readonly (Content | undefined)[] {
  const before: (Content | undefined)[] = new Array(program.length);
  const arrive = (pc: number, content: Content): void => {
    if (pc >= program.length) return;
    const other = before[pc];
    before[pc] = other === undefined || other.text === content.text
      ? content
      : UNKNOWN;
  };
  arrive(0, { text: "0" });
  for (const [pc, instruction] of program.entries()) {
    const content = before[pc];
    if (content === undefined) continue;
    const { op, jt, jf, k } = instruction;
    if (isConditionalJump(op)) {
      arrive(pc + 1 + jt, content);
      arrive(pc + 1 + jf, content);
    } else if (op === "ja") arrive(pc + 1 + k, content);
    else if (op !== "ret.k" && op !== "ret.a") {
      arrive(pc + 1, contentAfter(content, instruction, littleEndian));
    }
  }
  return before;
}

function contentAfter(
  content: Content,
  { op, k }: Instruction,
  littleEndian: boolean,
): Content {
  const [name = "", form] = String(op).split(".");
  switch (name) {
    case "ld":
      if (form === "abs") {
        return { offset: k, text: fieldName(k, littleEndian) ?? `[${k}]` };
      }
      return {
        text: form === "imm" ? hex(k) : form === "mem" ? `M[${k}]` : "64",
      };
    case "and":
      if (form === "k" && content.offset !== undefined) {
        const mask = (content.mask ?? 0xffff_ffff) & k;
        const field = fieldName(content.offset, littleEndian) ?? "";
        return {
          offset: content.offset,
          mask: mask >>> 0,
          text: `${field} & ${hex(mask >>> 0)}`,
        };
      }
      break;
    case "st":
    case "stx":
    case "ldx":
    case "tax":
      return content;
    case "txa":
      return { text: "X" };
  }
  const operand = form === "k" ? hex(k) : form === "x" ? "X" : "";
  const text = `(${content.text} ${name} ${operand})`.replace(" )", ")");
  return text.length > MOST_TEXT ? UNKNOWN : { text };
}

/** Signs of the tests. */
const SIGNS: Readonly<Record<string, string>> = {
  jeq: "=",
  jgt: ">",
  jge: "≥",
  jset: "has any of",
};

/**
 * Writes a test in words.
 *
 * @param instruction The test.
 * @param content Content of the accumulator.
 * @param calls The calls that reach it.
 * @param littleEndian Byte order of the machine.
 */
export function testText(
  { op, k }: Instruction,
  content: Content,
  calls: readonly ReachedCall[],
  littleEndian: boolean,
): string {
  const [name = "", form] = String(op).split(".");
  const sign = SIGNS[name] ?? name;
  const { offset, mask } = content;
  if (form !== "k" || offset === undefined) {
    return `${content.text} ${sign} ${form === "k" ? hex(k) : "X"}`;
  }
  if (offset === ARCH_OFFSET && mask === undefined) {
    return `arch ${sign} ${describeArch(k)}`;
  }
  if (offset === NR_OFFSET && mask === undefined) {
    if (name === "jset" && k === 0x4000_0000) return "nr has the bit of x32";
    if (name === "jset") return `nr ${sign} ${hex(k)}`;
    const arch = new Set(calls.map((call) => call.arch));
    const [only] = arch.size === 1 ? arch : [];
    const named = only === undefined ? undefined : callName(only, k);
    return `nr ${sign} ${named ?? k}`;
  }
  const index = Math.floor((offset - 16) / 8);
  const [first] = calls;
  const arch = first === undefined
    ? undefined
    : archOfNumber(first.arch, first.nr);
  const isOne = index >= 0 && first !== undefined && arch !== undefined &&
    calls.every((call) => call.name === first.name);
  const call = first?.name.replace(/^.*:/, "") ?? "";
  const argument = isOne
    ? argumentsOf(arch, call)?.[index]?.name ?? `arg${index}`
    : index >= 0
    ? `arg${index}`
    : content.text;
  const isLow = (offset % 8 === 0) === littleEndian;
  const field = `${argument}${isLow ? "" : " (high half)"}`;
  const nameValue = (value: number): string | undefined =>
    isOne && isLow
      ? formatArgument(arch, call, index, BigInt(value))
      : undefined;
  const nameMask = (value: number): string => {
    const named = (bits: number): string =>
      (isOne && isLow
        ? formatArgumentMask(arch, call, index, BigInt(bits))
        : undefined) ?? hex(bits);
    // If a mask has most bits set, naming the cleared bits is shorter.
    const rest = ~value >>> 0;
    return countOnes(value) <= 16
      ? named(value)
      : /[|]/.test(named(rest))
      ? `~(${named(rest)})`
      : `~${named(rest)}`;
  };
  const left = mask === undefined || mask === 0xffff_ffff
    ? field
    : `${field} & ${nameMask(mask)}`;
  const isMasked = mask !== undefined && mask !== 0xffff_ffff;
  const right = name === "jset"
    ? nameMask(k)
    : (isMasked && k === 0 ? undefined : nameValue(k)) ?? hex(k);
  return `${left} ${sign} ${right}`;
}

function countOnes(value: number): number {
  return value.toString(2).replaceAll("0", "").length;
}

function hex(value: number): string {
  return value < 10 ? String(value) : `0x${value.toString(16)}`;
}

/**
 * Breaks a long test after blanks and between names.
 *
 * @param text The test.
 * @returns Its lines.
 */
export function wrapTest(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.split(/(?<=[| ])/)) {
    if (line !== "" && line.length + part.trimEnd().length > MOST_COLUMNS) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += part;
  }
  return [...lines, line];
}
