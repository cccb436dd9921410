/**
 * The maximum number of instructions that a program executes for one number,
 * with any arguments.
 *
 * @module
 */

import type { Instruction, Program } from "../bpf/instruction.ts";
import { isConditionalJump } from "../bpf/opcode.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";

/**
 * Finds the longest path through a program for one architecture and number.
 * Words loaded from elsewhere, or computed, may have any value. So the answer
 * is never too low, and it is exact if no path through tests of arguments
 * contradicts itself.
 *
 * @param program A program that `check` accepts.
 * @param arch `AUDIT_ARCH_*`.
 * @param nr A u32.
 * @returns Executed instructions, including the return.
 */
export function worstSteps(
  program: Program,
  arch: number,
  nr: number,
): number {
  // Jumps only go forward, so all paths to an instruction are known when it is
  // visited. For each value of the accumulator: the longest path.
  const arrivals: Map<number | undefined, number>[] = program.map(() =>
    new Map()
  );
  let worst = 0;

  function arrive(pc: number, a: number | undefined, steps: number): void {
    const known = arrivals[pc];
    if (known !== undefined && steps > (known.get(a) ?? 0)) known.set(a, steps);
  }

  arrivals[0]?.set(0, 0);
  for (const [pc, instruction] of program.entries()) {
    const { op, k, jt, jf } = instruction;
    for (const [a, before] of arrivals[pc] ?? []) {
      const steps = before + 1;
      if (op === "ret.k" || op === "ret.a") worst = Math.max(worst, steps);
      else if (op === "ja") arrive(pc + 1 + k, a, steps);
      else if (isConditionalJump(op)) {
        const holds = a === undefined ? undefined : test(op, a, k);
        if (holds !== false) arrive(pc + 1 + jt, a, steps);
        if (holds !== true) arrive(pc + 1 + jf, a, steps);
      } else arrive(pc + 1, compute(instruction, a), steps);
    }
  }
  return worst;

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
      // These do not change the accumulator.
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
}

/** The result of a test; `undefined` if it depends on the index register. */
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
