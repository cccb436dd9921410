/**
 * Programs with one fault.
 *
 * @module
 */

import type { Instruction, Op, Program } from "../../bpf/instruction.ts";

/** A program and the place of its change. */
export interface Mutant {
  /** Index of the changed instruction. */
  readonly pc: number;
  /** Description of the change. */
  readonly change: string;
  readonly program: Program;
}

/** The replacement for an operation. */
const NEIGHBOURS: Readonly<Partial<Record<Op, Op>>> = {
  "jeq.k": "jgt.k",
  "jgt.k": "jge.k",
  "jge.k": "jset.k",
  "jset.k": "jeq.k",
  "jeq.x": "jgt.x",
  "jgt.x": "jge.x",
  "jge.x": "jset.x",
  "jset.x": "jeq.x",
  "ld.abs": "ld.imm",
  "ld.imm": "ldx.imm",
  "ldx.imm": "ld.imm",
  "ld.mem": "ldx.mem",
  "ldx.mem": "ld.mem",
  "ld.len": "ldx.len",
  "ldx.len": "ld.len",
  "st": "stx",
  "stx": "st",
  "add.k": "sub.k",
  "add.x": "sub.x",
  "sub.k": "mul.k",
  "sub.x": "mul.x",
  "mul.k": "div.k",
  "mul.x": "div.x",
  "div.k": "mod.k",
  "div.x": "or.x",
  "and.k": "or.k",
  "and.x": "or.x",
  "or.k": "xor.k",
  "or.x": "xor.x",
  "xor.k": "and.k",
  "xor.x": "and.x",
  "lsh.k": "rsh.k",
  "lsh.x": "rsh.x",
  "rsh.k": "lsh.k",
  "rsh.x": "lsh.x",
  "neg": "tax",
  "tax": "txa",
  "txa": "tax",
  "ret.k": "ret.a",
  "ret.a": "ret.k",
};

/** Makes every program that differs from the given one by one small fault. */
export function* mutantsOf(program: Program): Generator<Mutant> {
  for (const [pc, instruction] of program.entries()) {
    for (const [change, changed] of changesOf(instruction)) {
      yield { pc, change, program: program.with(pc, changed) };
    }
  }
}

function* changesOf(
  instruction: Instruction,
): Generator<readonly [string, Instruction]> {
  const { op, jt, jf, k } = instruction;
  if (typeof op !== "string") return;
  if (op.startsWith("j") && op !== "ja") {
    yield ["jt+1", { ...instruction, jt: jt + 1 }];
    if (jt > 0) yield ["jt-1", { ...instruction, jt: jt - 1 }];
    yield ["jf+1", { ...instruction, jf: jf + 1 }];
    if (jf > 0) yield ["jf-1", { ...instruction, jf: jf - 1 }];
  }
  if (op === "ja") {
    yield ["ja+1", { ...instruction, k: k + 1 }];
    if (k > 0) yield ["ja-1", { ...instruction, k: k - 1 }];
  } else if (op === "ret.k") {
    for (const action of [0x7fff_0000, 0x0005_0001, 0x0003_0000, 0x8000_0000]) {
      if (action !== k) yield ["ret", { ...instruction, k: action }];
    }
  } else if (
    /^(ld|ldx|add|sub|mul|div|and|or|xor|lsh|rsh|j[a-z]+)\.(k|imm|abs)$/.test(
      op,
    )
  ) {
    const lowest = k & -k;
    yield ["k lowest bit", {
      ...instruction,
      k: (k ^ (lowest === 0 ? 1 : lowest)) >>> 0,
    }];
    yield ["k bit 0", { ...instruction, k: (k ^ 1) >>> 0 }];
    const highest = k === 0 ? 0x8000_0000 : 1 << (31 - Math.clz32(k));
    yield ["k highest bit", { ...instruction, k: (k ^ highest) >>> 0 }];
    yield ["k bit 31", { ...instruction, k: (k ^ 0x8000_0000) >>> 0 }];
  } else if (op.endsWith("mem") || op.startsWith("st")) {
    yield ["scratch word", { ...instruction, k: k ^ 1 }];
  }
  const neighbour = NEIGHBOURS[op];
  if (neighbour !== undefined) yield ["op", { ...instruction, op: neighbour }];
}
