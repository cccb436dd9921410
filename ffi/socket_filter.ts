/**
 * The kernel's own BPF engine as judge, through a socket filter.
 *
 * A program is attached to one end of a pair of datagram sockets and each input
 * is sent as a packet of 64 bytes. The kernel cuts the packet to the length
 * that the program returns. This needs no privilege, leaves no trace in the
 * process and takes inputs of every architecture. It exercises the kernel's
 * converter and compiler (net/core/filter.c), which seccomp also uses, but not
 * `seccomp_check_filter()` and the cache of allowed calls.
 *
 * Three differences from seccomp are compensated:
 *
 * - A packet load is big-endian, so the words are sent most significant byte
 *   first. `ld len` gives the length of the packet, 64 as in seccomp.
 * - A length has less than 32 bits. Up to 64 different constants are numbered:
 *   constant `i` is returned as length `i + 1`. A program with more of them, or
 *   one that returns A, runs six times and reveals six bits each time.
 * - A program that divides by an X of 0 ends with 0, and the packet is dropped:
 *   if packets are missing, they are sent again, one by one.
 *
 * @module
 */

import { check } from "../bpf/check.ts";
import type { Program } from "../bpf/instruction.ts";
import { codeReturns } from "./returns.ts";
import { DROPPED, openSocketPair } from "./socket_pair.ts";

/** A length is 1 to 64. */
const LENGTH_BITS = 6;

/**
 * Runs a program in the kernel.
 *
 * @example Two verdicts
 * ```ts
 * import { runInKernel } from "@x/seccomp-tree/ffi";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [
 *   { op: "ld.abs", jt: 0, jf: 0, k: 0 },
 *   { op: "jeq.k", jt: 0, jf: 1, k: 39 },
 *   { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
 *   { op: "ret.k", jt: 0, jf: 0, k: 0x5_0001 },
 * ] as const;
 * const getpid = new Uint32Array(16);
 * getpid[0] = 39;
 * assertEquals(runInKernel(program, [getpid, new Uint32Array(16)]), [
 *   0x7fff_0000,
 *   0x5_0001,
 * ]);
 * ```
 *
 * @throws {ProgramError} if seccomp would refuse the program, or if it returns
 * A and has no room for the four instructions that cut A into slices.
 * @throws {SyscallError} if the kernel refuses the socket or the filter.
 *
 * @param program A program that seccomp would accept.
 * @param inputs Inputs of sixteen words each, from `toWords`.
 * @returns The program's return value for each input, u32; needs `--allow-ffi`.
 * @category Kernel
 */
export function runInKernel(
  program: Program,
  inputs: readonly Uint32Array[],
): number[] {
  const error = check(program);
  if (error !== undefined) throw error;
  const coded = codeReturns(program, { base: 0, bits: LENGTH_BITS });
  const sockets = openSocketPair();
  try {
    const results: number[] = new Array(inputs.length).fill(0);
    for (const { program, value } of coded) {
      sockets.attach(program);
      for (const [i, length] of sockets.measure(inputs).entries()) {
        const bits = length === DROPPED ? 0 : value(length) ?? 0;
        results[i] = ((results[i] ?? 0) | bits) >>> 0;
      }
    }
    return results;
  } finally {
    sockets.close();
  }
}
