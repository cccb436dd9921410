/**
 * Converts programs to bytes and back: `struct sock_filter[]`, eight bytes
 * each.
 *
 * ```text
 *  0      2    3    4          8
 *  | code | jt | jf |    k     |     linux/filter.h; code and k in the byte
 *                                    order of the machine that loads it
 * ```
 *
 * Every pattern of 64 bits is an instruction here, whether or not the kernel
 * would accept it, so `decode` accepts any input and `encode` restores the same
 * bytes. `check` decides what the kernel accepts.
 *
 * @example Round trip
 * ```ts
 * import { decode, encode } from "./encode.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encode([{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }]);
 * assertEquals(bytes, new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]));
 * assertEquals(decode(bytes), [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }]);
 * ```
 *
 * @module
 */

import { ProgramError } from "./error.ts";
import type { Instruction, Program } from "./instruction.ts";
import { toCode, toOp } from "./opcode.ts";

/** Size of `struct sock_filter` in bytes. */
export const SOCK_FILTER_SIZE = 8;

/**
 * Maximum number of instructions: the length in `struct sock_fprog` is a u16.
 */
export const MAX_ENCODED_LENGTH = 0xffff;

/** Byte layout. */
export interface EncodeOptions {
  /**
   * True (the default) for little-endian, the byte order of the machine that
   * loads the program.
   */
  readonly littleEndian?: boolean;
}

/**
 * Writes a program as `struct sock_filter[]`.
 *
 * @throws {ProgramError} if the program is empty, has more than 65535
 * instructions, or has a field that does not fit (`field-range`): nothing is
 * ever truncated.
 *
 * @param program The instructions.
 * @param options Byte order.
 * @returns Eight bytes per instruction.
 */
export function encode(
  program: Program,
  options: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const littleEndian = options.littleEndian ?? true;
  requireLength(program.length, "encode");
  const problem = findMalformed(program);
  if (problem !== undefined) throw problem;
  const bytes = new Uint8Array(program.length * SOCK_FILTER_SIZE);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { op, jt, jf, k } of program) {
    view.setUint16(at, toCode(op), littleEndian);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, littleEndian);
    at += SOCK_FILTER_SIZE;
  }
  return bytes;
}

/**
 * Reads `struct sock_filter[]`.
 *
 * @throws {ProgramError} if the length is not a multiple of 8
 * (`partial-instruction`), 0 (`empty-program`) or more than 65535
 * instructions (`program-too-long`).
 *
 * @param bytes Eight bytes per instruction.
 * @param options Byte order.
 * @returns The instructions; a code without a name is kept as a number.
 */
export function decode(
  bytes: Uint8Array,
  options: EncodeOptions = {},
): Program {
  const littleEndian = options.littleEndian ?? true;
  if (bytes.length % SOCK_FILTER_SIZE !== 0) {
    throw new ProgramError(
      "partial-instruction",
      `Cannot decode program: ${bytes.length} bytes, which is not a multiple of ${SOCK_FILTER_SIZE}`,
    );
  }
  const length = bytes.length / SOCK_FILTER_SIZE;
  requireLength(length, "decode");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const program: Instruction[] = [];
  for (let at = 0; at < bytes.length; at += SOCK_FILTER_SIZE) {
    program.push({
      op: toOp(view.getUint16(at, littleEndian)),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, littleEndian),
    });
  }
  return program;
}

/**
 * Finds the first instruction with a field that does not fit in `struct
 * sock_filter`.
 *
 * @param program The instructions.
 * @returns A `field-range` error, or `undefined`.
 */
export function findMalformed(program: Program): ProgramError | undefined {
  for (let pc = 0; pc < program.length; pc++) {
    const { op, jt, jf, k } = program[pc] as Instruction;
    const field = !isUnsigned(toCode(op), 0xffff)
      ? `op ${op}`
      : !isUnsigned(jt, 0xff)
      ? `jt ${jt}`
      : !isUnsigned(jf, 0xff)
      ? `jf ${jf}`
      : !isUnsigned(k, 0xffff_ffff)
      ? `k ${k}`
      : undefined;
    if (field !== undefined) {
      return new ProgramError(
        "field-range",
        `Cannot encode instruction ${pc}: ${field} does not fit; op is a name or u16, jt and jf are u8, k is u32`,
        pc,
      );
    }
  }
  return undefined;
}

function requireLength(length: number, action: "encode" | "decode"): void {
  if (length === 0) {
    throw new ProgramError(
      "empty-program",
      `Cannot ${action} program: no instructions`,
    );
  }
  if (length > MAX_ENCODED_LENGTH) {
    throw new ProgramError(
      "program-too-long",
      `Cannot ${action} program: ${length} instructions; struct sock_fprog counts to ${MAX_ENCODED_LENGTH}`,
    );
  }
}

function isUnsigned(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}
