/**
 * The most instructions that a program executes for one number, whatever the
 * arguments are.
 *
 * @module
 */

import type { Instruction, Program } from "../bpf/instruction.ts";
import { isConditionalJump } from "../bpf/opcode.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";

/**
 * Finds the longest way through a program for one architecture and number.
 * What was loaded from elsewhere, or computed, may be anything; so the answer
 * is exact where no way through tests of arguments contradicts itself, and
 * never too low.
 *
 * @param program A program that `check` lets pass.
 * @param arch `AUDIT_ARCH_*`.
 * @param nr A u32.
 * @returns Executed instructions, the return included.
 */
export function worstSteps(
  program: Program,
  arch: number,
  nr: number,
): number {
  /** Longest ways from where the accumulator is not known. */
  const known = new Map<number, number>();

  function walk(start: number, value: number | undefined): number {
    let pc = start;
    let a = value;
    for (let steps = 1;; steps++) {
      const instruction = program[pc];
      if (instruction === undefined) return steps - 1;
      const { op, k, jt, jf } = instruction;
      if (op === "ret.k" || op === "ret.a") return steps;
      pc++;
      if (op === "ja") pc += k;
      else if (isConditionalJump(op)) {
        const holds = a === undefined ? undefined : test(op, a, k);
        if (holds === undefined) {
          return steps + Math.max(unknown(pc + jt), unknown(pc + jf));
        }
        pc += holds ? jt : jf;
      } else a = compute(instruction, a);
    }
  }

  function unknown(pc: number): number {
    let steps = known.get(pc);
    if (steps === undefined) {
      steps = walk(pc, undefined);
      known.set(pc, steps);
    }
    return steps;
  }

  function compute(
    { op, k }: Instruction,
    a: number | undefined,
  ): number | undefined {
    switch (op) {
      case "ld.abs":
        return k === ARCH_OFFSET ? arch : k === NR_OFFSET ? nr : undefined;
      case "ld.imm":
        return k;
      case "and.k":
        return a === undefined ? undefined : (a & k) >>> 0;
      // These leave the accumulator alone.
      case "tax":
      case "st":
      case "stx":
      case "ldx.imm":
      case "ldx.mem":
      case "ldx.len":
        return a;
      default:
        return undefined;
    }
  }

  return walk(0, 0);
}

/** The outcome of a test; `undefined` where it depends on the index register. */
function test(
  op: Instruction["op"],
  a: number,
  k: number,
): boolean | undefined {
  switch (op) {
    case "jeq.k":
      return a === k;
    case "jgt.k":
      return a > k;
    case "jge.k":
      return a >= k;
    case "jset.k":
      return (a & k) !== 0;
    default:
      return undefined;
  }
}
