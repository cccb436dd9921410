/**
 * The input of a filter, `struct seccomp_data` of linux/seccomp.h:
 *
 * ```text
 *  0  int   nr
 *  4  u32   arch
 *  8  u64   instruction_pointer
 * 16  u64   args[6]
 * ```
 *
 * A filter reads it in aligned 32-bit words of the machine's byte order, so
 * the low half of a 64-bit field comes first on little-endian machines only.
 *
 * @module
 */

/** Size of `struct seccomp_data` in bytes. */
export const SECCOMP_DATA_SIZE = 64;

/** Byte offset of `nr`. */
export const NR_OFFSET = 0;

/** Byte offset of `arch`. */
export const ARCH_OFFSET = 4;
/** Byte offset of `instruction_pointer`, a u64. */
export const IP_OFFSET = 8;

/**
 * The input of a filter.
 *
 * @category Filters
 */
export interface SeccompData {
  /** System call number, a u32 (−1 is 0xffff_ffff). */
  readonly nr: number;
  /** `AUDIT_ARCH_*`, a u32. */
  readonly arch: number;
  /** Address of the calling instruction, a u64. */
  readonly instructionPointer: bigint;
  /** Six arguments, u64. */
  readonly args: readonly bigint[];
}

/**
 * Finds one half of an argument in the input.
 *
 * @param arg Index of the argument, 0 to 5.
 * @param half High or low half.
 * @param littleEndian Byte order of the machine; little-endian if absent.
 * @returns Offset in bytes, a multiple of 4 from 16 to 60.
 */
export function argOffset(
  arg: number,
  half: "lo" | "hi",
  littleEndian = true,
): number {
  return 16 + 8 * arg + ((half === "lo") === littleEndian ? 0 : 4);
}

/**
 * Lays out an input as the sixteen 32-bit words that a filter reads.
 *
 * @example The low half of an argument comes first on little-endian machines
 * ```ts
 * import { toWords } from "./seccomp_data.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const data = { nr: 41, arch: 0xc000_003e, instructionPointer: 0n, args: [2n] };
 * assertEquals(toWords(data)[4], 2);
 * assertEquals(toWords(data, false)[5], 2);
 * ```
 *
 * @param data The input.
 * @param littleEndian Byte order of the machine; little-endian if absent.
 * @returns Sixteen words; word `i` is read by a load at byte `4 * i`.
 */
export function toWords(data: SeccompData, littleEndian = true): Uint32Array {
  const words = new Uint32Array(16);
  words[0] = data.nr;
  words[1] = data.arch;
  const put = (index: number, value: bigint): void => {
    const lo = Number(value & 0xffff_ffffn);
    const hi = Number((value >> 32n) & 0xffff_ffffn);
    words[index] = littleEndian ? lo : hi;
    words[index + 1] = littleEndian ? hi : lo;
  };
  put(2, data.instructionPointer);
  for (let i = 0; i < 6; i++) put(4 + 2 * i, data.args[i] ?? 0n);
  return words;
}
