/**
 * The names of instructions and their 16-bit codes, in both directions.
 *
 * ```text
 *  bit  7 6 5 | 4 3  | 2 1 0     linux/bpf_common.h
 *       mode  | size | class     LD, LDX: mode IMM ABS IND MEM LEN MSH, size W H B
 *       operation | source | class     ALU, JMP: source K or X
 *       0 0 0 | rval | class     RET: rval K or A
 * ```
 *
 * @module
 */

import type { Op } from "./instruction.ts";

/** Code of each named instruction, as in `struct sock_filter.code`. */
export const OP_CODES: Readonly<Record<Op, number>> = {
  "ld.imm": 0x00,
  "ld.abs": 0x20,
  "ldh.abs": 0x28,
  "ldb.abs": 0x30,
  "ld.ind": 0x40,
  "ldh.ind": 0x48,
  "ldb.ind": 0x50,
  "ld.mem": 0x60,
  "ld.len": 0x80,
  "ldx.imm": 0x01,
  "ldx.mem": 0x61,
  "ldx.len": 0x81,
  "ldxb.msh": 0xb1,
  "st": 0x02,
  "stx": 0x03,
  "add.k": 0x04,
  "add.x": 0x0c,
  "sub.k": 0x14,
  "sub.x": 0x1c,
  "mul.k": 0x24,
  "mul.x": 0x2c,
  "div.k": 0x34,
  "div.x": 0x3c,
  "or.k": 0x44,
  "or.x": 0x4c,
  "and.k": 0x54,
  "and.x": 0x5c,
  "lsh.k": 0x64,
  "lsh.x": 0x6c,
  "rsh.k": 0x74,
  "rsh.x": 0x7c,
  "neg": 0x84,
  "mod.k": 0x94,
  "mod.x": 0x9c,
  "xor.k": 0xa4,
  "xor.x": 0xac,
  "ja": 0x05,
  "jeq.k": 0x15,
  "jeq.x": 0x1d,
  "jgt.k": 0x25,
  "jgt.x": 0x2d,
  "jge.k": 0x35,
  "jge.x": 0x3d,
  "jset.k": 0x45,
  "jset.x": 0x4d,
  "ret.k": 0x06,
  "ret.a": 0x16,
  "tax": 0x07,
  "txa": 0x87,
};

const OPS: readonly (Op | undefined)[] = namesByCode();

/**
 * Finds the code of an instruction's `op`.
 *
 * @param op A name, or a code.
 * @returns The code, a u16.
 */
export function toCode(op: Op | number): number {
  return typeof op === "number" ? op : OP_CODES[op];
}

/**
 * Finds the name of a code.
 *
 * @param code A u16.
 * @returns The name, or the code itself if it has no name.
 */
export function toOp(code: number): Op | number {
  return OPS[code] ?? code;
}

/**
 * Reports whether an instruction is a conditional jump, the only kind that uses
 * `jt` and `jf`.
 *
 * @param op A name, or a code without a name.
 * @returns True for `jeq`, `jgt`, `jge` and `jset` with k or X.
 */
export function isConditionalJump(op: Op | number): boolean {
  switch (op) {
    case "jeq.k":
    case "jeq.x":
    case "jgt.k":
    case "jgt.x":
    case "jge.k":
    case "jge.x":
    case "jset.k":
    case "jset.x":
      return true;
    default:
      return false;
  }
}

function namesByCode(): (Op | undefined)[] {
  const names: (Op | undefined)[] = new Array(256).fill(undefined);
  for (const [op, code] of Object.entries(OP_CODES)) {
    // Object.entries() loses the key type of the Record above.
    names[code] = op as Op;
  }
  return names;
}
