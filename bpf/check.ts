/**
 * The check that the kernel makes before it accepts a seccomp filter.
 *
 * Runs the three passes of the kernel, in its order, so the reason found is the
 * kernel's own: `bpf_check_classic()` and `check_load_and_stores()` of
 * net/core/filter.c, then `seccomp_check_filter()` of kernel/seccomp.c (Linux
 * 6.1; the rules have not changed since 3.16). The kernel returns EINVAL for
 * all of them; the error returned here names the rule. (The classic pass also
 * refuses some loads of packet data; the last pass refuses all of them.)
 *
 * Conditions that depend on the thread are not covered: permission, memory, and
 * the limit of 32768 converted instructions over all filters, which a single
 * filter cannot reach.
 *
 * @module
 */

import { BPF_MAXINSNS, BPF_MEMWORDS } from "../tables/uapi.ts";
import { findMalformed } from "./encode.ts";
import { ProgramError } from "./error.ts";
import type { Instruction, Op, Program } from "./instruction.ts";
import { isConditionalJump, toCode } from "./opcode.ts";
import { SECCOMP_DATA_SIZE } from "./seccomp_data.ts";

/** Bits in a u32: a constant shift must be smaller. */
const WORD_BITS = 32;

/** All scratch words readable, one bit each. */
const ALL_WORDS = (1 << BPF_MEMWORDS) - 1;

/**
 * Classic BPF instructions that seccomp refuses: loads of packet bytes, and
 * `mod`, which was added to socket filters later.
 */
const NOT_FOR_SECCOMP: ReadonlySet<Op | number> = new Set<Op>([
  "ldh.abs",
  "ldb.abs",
  "ld.ind",
  "ldh.ind",
  "ldb.ind",
  "ldxb.msh",
  "mod.k",
  "mod.x",
]);

/**
 * Finds the first reason why the kernel would refuse a filter.
 *
 * Like the kernel, it checks every instruction, reachable or not, and assumes
 * that an unreachable instruction after a `ret` sees the scratch words that
 * were written before that `ret`.
 *
 * @example A jump that leaves the program
 * ```ts
 * import { check } from "./check.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = check([
 *   { op: "jeq.k", jt: 1, jf: 0, k: 60 },
 *   { op: "ret.k", jt: 0, jf: 0, k: 0 },
 * ]);
 * assertEquals(error?.reason, "jump-out-of-range");
 * ```
 *
 * @param program The instructions.
 * @returns The error, or `undefined` if the kernel accepts the filter.
 */
export function check(program: Program): ProgramError | undefined {
  return checkLength(program) ??
    findMalformed(program) ??
    checkInstructions(program) ??
    checkLastInstruction(program) ??
    checkScratchReads(program) ??
    checkSeccomp(program);
}

/**
 * Lists all reasons why the kernel would refuse a filter, for its author.
 *
 * @param program The instructions.
 * @returns One error per instruction at most, in their order; empty if the
 * kernel accepts the filter.
 */
export function listRefusals(program: Program): readonly ProgramError[] {
  const first = check(program);
  if (first === undefined) return [];
  const found = new Map<number, ProgramError>();
  const keep = (error: ProgramError | undefined): void => {
    if (error?.pc !== undefined && !found.has(error.pc)) {
      found.set(error.pc, error);
    }
  };
  for (const [pc, instruction] of program.entries()) {
    keep(checkInstruction(instruction, pc, program.length));
    keep(checkForSeccomp(instruction, pc));
  }
  keep(checkLastInstruction(program));
  keep(first);
  const listed = [...found.values()].sort((a, b) => (a.pc ?? 0) - (b.pc ?? 0));
  return first.pc === undefined ? [first, ...listed] : listed;
}

function checkLength(program: Program): ProgramError | undefined {
  if (program.length === 0) {
    return new ProgramError(
      "empty-program",
      `Cannot load program: no instructions; the kernel takes 1 to ${BPF_MAXINSNS}`,
    );
  }
  if (program.length > BPF_MAXINSNS) {
    return new ProgramError(
      "program-too-long",
      `Cannot load program: ${program.length} instructions; the kernel takes 1 to ${BPF_MAXINSNS}`,
    );
  }
  return undefined;
}

/** `bpf_check_classic()`: each instruction by itself. */
function checkInstructions(program: Program): ProgramError | undefined {
  for (let pc = 0; pc < program.length; pc++) {
    const instruction = program[pc] as Instruction;
    const error = checkInstruction(instruction, pc, program.length);
    if (error !== undefined) return error;
  }
  return undefined;
}

function checkInstruction(
  instruction: Instruction,
  pc: number,
  length: number,
): ProgramError | undefined {
  const { op, jt, jf, k } = instruction;
  // Number of instructions after this one: a distance must be smaller.
  const rest = length - pc - 1;
  if (isConditionalJump(op)) {
    return jt < rest && jf < rest ? undefined : refuse(
      "jump-out-of-range",
      pc,
      `jumps to ${pc + 1 + Math.max(jt, jf)}; the last one is ${length - 1}`,
    );
  }
  switch (op) {
    case "ja":
      return k < rest ? undefined : refuse(
        "jump-out-of-range",
        pc,
        `jumps to ${pc + 1 + k}; the last one is ${length - 1}`,
      );
    case "div.k":
    case "mod.k":
      return k !== 0
        ? undefined
        : refuse("division-by-zero", pc, "divides by the constant 0");
    case "lsh.k":
    case "rsh.k":
      return k < WORD_BITS ? undefined : refuse(
        "shift-out-of-range",
        pc,
        `shifts by ${k}; 0 to ${WORD_BITS - 1} are accepted`,
      );
    case "ld.mem":
    case "ldx.mem":
    case "st":
    case "stx":
      return k < BPF_MEMWORDS ? undefined : refuse(
        "scratch-out-of-range",
        pc,
        `uses scratch word ${k}; valid are 0 to ${BPF_MEMWORDS - 1}`,
      );
    default:
      return typeof op === "string" ? undefined : refuse(
        "unknown-opcode",
        pc,
        `has code 0x${
          toCode(op).toString(16).padStart(4, "0")
        }, which is not an instruction of classic BPF`,
      );
  }
}

function checkLastInstruction(program: Program): ProgramError | undefined {
  const last = program.at(-1)?.op;
  if (last === "ret.k" || last === "ret.a") return undefined;
  return refuse(
    "no-final-return",
    program.length - 1,
    "is the last one and not a ret",
  );
}

/** `check_load_and_stores()`: no scratch word is read that may be unset. */
function checkScratchReads(program: Program): ProgramError | undefined {
  const readable = new Uint16Array(program.length).fill(ALL_WORDS);
  let words = 0;
  const arrive = (pc: number): void => {
    readable[pc] = (readable[pc] ?? ALL_WORDS) & words;
  };
  for (let pc = 0; pc < program.length; pc++) {
    const { op, jt, jf, k } = program[pc] as Instruction;
    words &= readable[pc] ?? ALL_WORDS;
    if (op === "st" || op === "stx") {
      words |= 1 << k;
    } else if (op === "ld.mem" || op === "ldx.mem") {
      if ((words & (1 << k)) === 0) {
        return refuse(
          "scratch-unset",
          pc,
          `reads scratch word ${k}, which is not written on every path to it`,
        );
      }
    } else if (op === "ja") {
      arrive(pc + 1 + k);
      words = ALL_WORDS;
    } else if (isConditionalJump(op)) {
      arrive(pc + 1 + jt);
      arrive(pc + 1 + jf);
      words = ALL_WORDS;
    }
  }
  return undefined;
}

/** `seccomp_check_filter()`: the rules of seccomp only. */
function checkSeccomp(program: Program): ProgramError | undefined {
  for (let pc = 0; pc < program.length; pc++) {
    const error = checkForSeccomp(program[pc] as Instruction, pc);
    if (error !== undefined) return error;
  }
  return undefined;
}

function checkForSeccomp(
  { op, k }: Instruction,
  pc: number,
): ProgramError | undefined {
  if (NOT_FOR_SECCOMP.has(op)) {
    return refuse(
      "forbidden-opcode",
      pc,
      `is ${op}, which seccomp does not permit`,
    );
  }
  if (op === "ld.abs" && (k >= SECCOMP_DATA_SIZE || k % 4 !== 0)) {
    return refuse(
      "load-out-of-range",
      pc,
      `loads at ${k}; multiples of 4 below ${SECCOMP_DATA_SIZE} are accepted`,
    );
  }
  return undefined;
}

function refuse(reason: string, pc: number, what: string): ProgramError {
  return new ProgramError(
    reason,
    `Cannot load program: instruction ${pc} ${what}`,
    pc,
  );
}
