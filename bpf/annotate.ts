/**
 * Comments for assembly text: which field a load reads, which system call a
 * number is, what a return value does.
 *
 * Names come from the caller, since what is a number here is a name only for
 * an architecture.
 *
 * @module
 */

import { formatReturnValue } from "./return_value.ts";
import type { Instruction, Program } from "./instruction.ts";
import { isConditionalJump } from "./opcode.ts";
import { ARCH_OFFSET, NR_OFFSET, SECCOMP_DATA_SIZE } from "./seccomp_data.ts";

/** Where names come from. */
export interface AnnotateOptions {
  /** Byte order of the machine, little-endian unless false: which half of a u64 is which. */
  readonly littleEndian?: boolean;
  /** Name of an `AUDIT_ARCH_*` value. */
  readonly archName?: (arch: number) => string | undefined;
  /** Name of a system call of an `AUDIT_ARCH_*` value. */
  readonly syscallName?: (arch: number, nr: number) => string | undefined;
}

/** What is known before an instruction; `undefined` for what is not. */
interface Known {
  /** Offset of the word that A holds. */
  readonly offset: number | undefined;
  /** Value of `arch` on every path to here. */
  readonly arch: number | undefined;
}

const NOTHING: Known = { offset: undefined, arch: undefined };

const ARGS_OFFSET = 16;

/**
 * Makes comments for a program, to hand to `format`.
 *
 * A number is named as a system call where A holds `nr` and every path to the
 * instruction has compared `arch` to the same value.
 *
 * @example Naming fields and calls
 * ```ts
 * import { annotate, format, parseText } from "@x/seccomp-tree";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const program = parseText("ld [16]\nret #0x50001");
 * const text = format(program, { comments: annotate(program) });
 * assertStringIncludes(text, "; args[0], low half");
 * assertStringIncludes(text, "; ERRNO(1)");
 * ```
 *
 * @param program The instructions.
 * @param options Where names come from.
 * @returns A function from an instruction and its index to its comment.
 */
export function annotate(
  program: Program,
  options: AnnotateOptions = {},
): (instruction: Instruction, pc: number) => string | undefined {
  const known = follow(program);
  return (instruction, pc) =>
    comment(instruction, known[pc] ?? NOTHING, options);
}

/**
 * Names a field of the input.
 *
 * @param offset Offset in bytes, a multiple of 4 below 64.
 * @param littleEndian Byte order of the machine; little-endian if absent.
 * @returns Such as `nr` or `args[1], high half`; `undefined` outside.
 */
export function fieldName(
  offset: number,
  littleEndian = true,
): string | undefined {
  if (offset === NR_OFFSET) return "nr";
  if (offset === ARCH_OFFSET) return "arch";
  if (offset % 4 !== 0 || offset >= SECCOMP_DATA_SIZE || offset < 0) {
    return undefined;
  }
  const half = (offset % 8 === 0) === littleEndian ? "low half" : "high half";
  return offset < ARGS_OFFSET
    ? `instruction_pointer, ${half}`
    : `args[${Math.floor((offset - ARGS_OFFSET) / 8)}], ${half}`;
}

function comment(
  { op, k }: Instruction,
  known: Known,
  options: AnnotateOptions,
): string | undefined {
  switch (op) {
    case "ld.abs":
      return fieldName(k, options.littleEndian ?? true);
    case "ret.k":
      return formatReturnValue(k);
    case "jeq.k":
    case "jge.k":
    case "jgt.k":
      if (known.offset === ARCH_OFFSET) return options.archName?.(k);
      if (known.offset === NR_OFFSET && known.arch !== undefined) {
        return options.syscallName?.(known.arch, k);
      }
      return undefined;
    default:
      return undefined;
  }
}

/** What is known before each instruction; one pass, as jumps only go forward. */
function follow(program: Program): readonly (Known | undefined)[] {
  const before: (Known | undefined)[] = new Array(program.length);
  before[0] = NOTHING;
  const arrive = (pc: number, known: Known): void => {
    if (pc >= program.length) return;
    const other = before[pc];
    before[pc] = other === undefined ? known : {
      offset: other.offset === known.offset ? known.offset : undefined,
      arch: other.arch === known.arch ? known.arch : undefined,
    };
  };
  for (const [pc, { op, jt, jf, k }] of program.entries()) {
    const known = before[pc];
    if (known === undefined) continue;
    if (isConditionalJump(op)) {
      const isArch = op === "jeq.k" && known.offset === ARCH_OFFSET;
      arrive(pc + 1 + jt, isArch ? { ...known, arch: k } : known);
      arrive(pc + 1 + jf, known);
      continue;
    }
    switch (op) {
      case "ret.k":
      case "ret.a":
        break;
      case "ja":
        arrive(pc + 1 + k, known);
        break;
      case "ld.abs":
        arrive(pc + 1, { ...known, offset: k });
        break;
      case "st":
      case "stx":
      case "tax":
      case "ldx.imm":
      case "ldx.mem":
      case "ldx.len":
        arrive(pc + 1, known);
        break;
      default:
        arrive(pc + 1, { ...known, offset: undefined });
    }
  }
  return before;
}
