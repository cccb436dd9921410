/**
 * The interpreter: computes the answer of a filter as the kernel would.
 *
 * The kernel converts a filter to eBPF before it runs (net/core/filter.c:
 * bpf_convert_filter()). That conversion defines what classic BPF leaves
 * undefined, and the interpreter follows it (Linux 6.1):
 *
 * - A and X start as 0; all arithmetic is on u32.
 * - Division by an X of 0 ends the filter with 0, which is KILL_THREAD.
 * - A shift by X uses the low 5 bits of X, as the eBPF interpreter
 *   (kernel/bpf/core.c: SHT) and the shift instructions of x86 and arm64 do.
 *   The shifts of powerpc use 6 bits and give 0 for 32 to 63: the meaning of a
 *   filter that shifts by X ≥ 32 depends on the machine.
 * - `ld len` is 64, the size of `struct seccomp_data`.
 *
 * A program is prepared once, as typed arrays, and can then be run many times.
 *
 * @example One verdict
 * ```ts
 * import { parseText } from "./text.ts";
 * import { prepare, run } from "./run.ts";
 * import { toWords } from "./seccomp_data.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const prepared = prepare(parseText(`
 *   ld [0]
 *   jeq #39, 0, 1
 *   ret #0x7fff0000
 *   ret #0x50001
 * `));
 * const data = { nr: 39, arch: 0xc000_003e, instructionPointer: 0n, args: [] };
 * assertEquals(run(prepared, toWords(data, true)), 0x7fff_0000);
 * ```
 *
 * @module
 */

import { check } from "./check.ts";
import type { Instruction, Program } from "./instruction.ts";
import { execute, type ExecutionLog, type PreparedProgram } from "./machine.ts";
import { isConditionalJump, toCode } from "./opcode.ts";
import { SECCOMP_DATA_SIZE } from "./seccomp_data.ts";

/** A verdict and its cost. */
export interface RunSteps {
  /** Value that the filter returned, a u32. */
  readonly value: number;
  /** Number of instructions executed, including the `ret`. */
  readonly steps: number;
}

/** A verdict and the path to it. */
export interface Trace {
  /** Value that the filter returned, a u32. */
  readonly value: number;
  /** Indices of the instructions executed, including the `ret`. */
  readonly path: readonly number[];
}

/**
 * Checks a program and prepares it for `run`.
 *
 * @throws {ProgramError} if the kernel would refuse the program.
 *
 * @param program The instructions.
 * @returns The argument of `run`, `runSteps` and `trace`.
 */
export function prepare(program: Program): PreparedProgram {
  const error = check(program);
  if (error !== undefined) throw error;
  const { length } = program;
  const codes = new Uint8Array(length);
  const yes = new Uint16Array(length);
  const no = new Uint16Array(length);
  const ks = new Uint32Array(length);
  let scratch = false;
  for (const [pc, instruction] of program.entries()) {
    const { op, jt, jf, k } = lower(instruction);
    const next = pc + 1;
    const jumps = isConditionalJump(op);
    codes[pc] = toCode(op);
    yes[pc] = next + (jumps ? jt : op === "ja" ? k : 0);
    no[pc] = next + (jumps ? jf : 0);
    ks[pc] = k;
    scratch ||= op === "st" || op === "stx";
  }
  return { length, codes, yes, no, k: ks, scratch };
}

/**
 * Runs a program on one input.
 *
 * @throws {RangeError} unless there are sixteen words.
 *
 * @param prepared The program, from `prepare`.
 * @param words The input as sixteen words, from `toWords`.
 * @returns The value that the filter returns, a u32.
 */
export function run(prepared: PreparedProgram, words: Uint32Array): number {
  return execute(prepared, words, undefined);
}

/**
 * Runs a program on one input and counts instructions.
 *
 * @throws {RangeError} unless there are sixteen words.
 *
 * @param prepared The program, from `prepare`.
 * @param words The input as sixteen words, from `toWords`.
 * @returns The value and the number of instructions executed.
 */
export function runSteps(
  prepared: PreparedProgram,
  words: Uint32Array,
): RunSteps {
  const log: ExecutionLog = { steps: 0, path: undefined };
  const value = execute(prepared, words, log);
  return { value, steps: log.steps };
}

/**
 * Runs a program on one input and records the path.
 *
 * @throws {RangeError} unless there are sixteen words.
 *
 * @param prepared The program, from `prepare`.
 * @param words The input as sixteen words, from `toWords`.
 * @returns The value and the instructions executed, in order.
 */
export function trace(prepared: PreparedProgram, words: Uint32Array): Trace {
  const path: number[] = [];
  const value = execute(prepared, words, { steps: 0, path });
  return { value, path };
}

/**
 * Converts a length to a constant and an offset in bytes to a word index.
 */
function lower(instruction: Instruction): Instruction {
  switch (instruction.op) {
    case "ld.len":
      return { ...instruction, op: "ld.imm", k: SECCOMP_DATA_SIZE };
    case "ldx.len":
      return { ...instruction, op: "ldx.imm", k: SECCOMP_DATA_SIZE };
    case "ld.abs":
      return { ...instruction, k: instruction.k / 4 };
    default:
      return instruction;
  }
}
