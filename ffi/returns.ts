/**
 * Programs whose return values are encoded as small numbers, for engines that
 * cannot show all 32 bits of a return value.
 *
 * @module
 */

import { ProgramError } from "../bpf/error.ts";
import type { Instruction, Program } from "../bpf/instruction.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";

/** A rewritten program, and how to decode its results. */
export interface Coded {
  /** Returns `base + 1` or more. */
  readonly program: Program;
  /**
   * Decodes a result of the rewritten program: takes its number above `base`,
   * at least 1, and returns the value of the original.
   */
  readonly value: (code: number) => number | undefined;
}

/** Encoding of return values. */
export interface CodeOptions {
  /** Added to each code. */
  readonly base: number;
  /** A run can distinguish the codes from 1 to 2 to the power of this. */
  readonly bits: number;
}

/**
 * Rewrites a program so that its return values can be observed.
 *
 * If it returns few constants, one rewritten program numbers them. If they are
 * many, or A is returned, several programs return some bits each: combine their
 * values by OR.
 *
 * @throws {ProgramError} if the program returns A and has no room for the
 * four instructions that cut A into slices.
 *
 * @param program A program that seccomp would accept.
 * @param options Encoding of return values.
 * @returns One or more programs.
 */
export function codeReturns(program: Program, options: CodeOptions): Coded[] {
  const values = [
    ...new Set(program.filter(({ op }) => op === "ret.k").map(({ k }) => k)),
  ];
  const capacity = 2 ** options.bits;
  if (values.length <= capacity && !returnsA(program)) {
    return [{
      program: numberReturns(program, values, options.base),
      value: (code): number | undefined => values[code - 1],
    }];
  }
  const coded: Coded[] = [];
  for (let shift = 0; shift < 32; shift += options.bits) {
    coded.push({
      program: sliceReturns(program, shift, options),
      value: (code): number | undefined =>
        code < 1 || code > capacity ? undefined : ((code - 1) << shift) >>> 0,
    });
  }
  return coded;
}

function returnsA(program: Program): boolean {
  return program.some(({ op }) => op === "ret.a");
}

function numberReturns(
  program: Program,
  values: readonly number[],
  base: number,
): Program {
  const codes = new Map(values.map((value, i) => [value, base + i + 1]));
  return program.map((instruction) =>
    instruction.op === "ret.k"
      ? { ...instruction, k: codes.get(instruction.k) ?? 0 }
      : instruction
  );
}

/** Makes a program that returns some bits of the original return value. */
function sliceReturns(
  program: Program,
  shift: number,
  { base, bits }: CodeOptions,
): Program {
  const end = program.length;
  const mask = 2 ** bits - 1;
  const sliced = program.map((instruction, pc): Instruction => {
    switch (instruction.op) {
      case "ret.k":
        return {
          ...instruction,
          k: base + 1 + ((instruction.k >>> shift) & mask),
        };
      case "ret.a":
        return { op: "ja", jt: 0, jf: 0, k: end - pc - 1 };
      default:
        return instruction;
    }
  });
  if (!returnsA(program)) return sliced;
  const epilogue: Program = [
    { op: "rsh.k", jt: 0, jf: 0, k: shift },
    { op: "and.k", jt: 0, jf: 0, k: mask },
    { op: "add.k", jt: 0, jf: 0, k: base + 1 },
    { op: "ret.a", jt: 0, jf: 0, k: 0 },
  ];
  if (end + epilogue.length > BPF_MAXINSNS) {
    throw new ProgramError(
      "program-too-long",
      `Cannot rewrite program for a test in the kernel: it returns A and has ${end} instructions, ${
        BPF_MAXINSNS - epilogue.length
      } leave room`,
    );
  }
  return [...sliced, ...epilogue];
}
