/**
 * Comments for assembly text: the field that a load reads, the name of a system
 * call, the meaning of a return value.
 *
 * Names come from the caller, because a number has a name only on a given
 * architecture.
 *
 * @module
 */

import { formatReturnValue } from "./return_value.ts";
import type { Filter } from "./filter.ts";
import { comparedArches, follow, type Known } from "./follow.ts";
import type { Instruction } from "./instruction.ts";
import { ARCH_OFFSET, NR_OFFSET, SECCOMP_DATA_SIZE } from "./seccomp_data.ts";

/** Source of names. */
export interface AnnotateOptions {
  /** Name of an `AUDIT_ARCH_*` value. */
  readonly archName?: (arch: number) => string | undefined;
  /** Name of a system call of an `AUDIT_ARCH_*` value. */
  readonly syscallName?: (arch: number, nr: number) => string | undefined;
}

const NOTHING: Known = { offset: undefined, arch: undefined };

const ARGS_OFFSET = 16;

/**
 * Returns the comments for the program of a filter, for use with `format`.
 *
 * A number gets the name of a system call if A contains `nr` and every path to
 * the instruction has compared `arch` to the same value.
 *
 * @example Naming fields and calls
 * ```ts
 * import { annotate } from "./annotate.ts";
 * import { format } from "./format.ts";
 * import { parseText } from "./text.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const program = parseText("ld [16]\nret #0x50001");
 * const text = format(program, {
 *   comments: annotate({ program, littleEndian: true }),
 * });
 * assertStringIncludes(text, "; args[0], low half");
 * assertStringIncludes(text, "; ERRNO(EPERM)");
 * ```
 *
 * @param filter Its byte order decides which half of a u64 a load reads.
 * @param options Source of names.
 * @returns A function from an instruction and its index to its comment.
 */
export function annotate(
  { program, littleEndian }: Filter,
  options: AnnotateOptions = {},
): (instruction: Instruction, pc: number) => string | undefined {
  const known = follow(program);
  const [main] = comparedArches(program);
  return (instruction, pc) =>
    instruction.op === "ld.abs"
      ? fieldName(instruction.k, littleEndian)
      : comment(instruction, known[pc] ?? NOTHING, { ...options, main });
}

/**
 * Names a field of the input.
 *
 * @param offset Offset in bytes, a multiple of 4 below 64.
 * @param littleEndian Byte order of the machine; little-endian if absent.
 * @returns A name such as `nr` or `args[1], high half`; `undefined` outside the
 * input.
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
  const { high, index } = fieldWords(offset, littleEndian);
  const half = high ? "high half" : "low half";
  return index === undefined
    ? `instruction_pointer, ${half}`
    : `args[${index}], ${half}`;
}

/**
 * Finds the half of a 64-bit field at an offset.
 *
 * @param offset Offset in bytes, a multiple of 4 from 8 to 60.
 * @param littleEndian Byte order of the machine.
 * @returns The half, and the index of the argument; without an index, the field
 * is the instruction pointer.
 */
export function fieldWords(
  offset: number,
  littleEndian: boolean,
): { readonly high: boolean; readonly index: number | undefined } {
  return {
    high: (offset % 8 === 0) !== littleEndian,
    index: offset < ARGS_OFFSET
      ? undefined
      : Math.floor((offset - ARGS_OFFSET) / 8),
  };
}

function comment(
  { op, k }: Instruction,
  known: Known,
  options: AnnotateOptions & { readonly main: number | undefined },
): string | undefined {
  switch (op) {
    case "ret.k":
      return formatReturnValue(k, known.arch ?? options.main);
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
