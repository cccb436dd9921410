/**
 * The kernel's own BPF engine as judge, by way of a socket filter.
 *
 * A program is attached to one end of a pair of datagram sockets, each input
 * is sent as a packet of 64 bytes, and what the program returns is the length
 * to which the kernel cuts the packet. It needs no privilege, leaves no trace
 * in the process and takes inputs of every architecture. It is the kernel's
 * converter and compiler (net/core/filter.c) that runs, the same as for
 * seccomp; what is not exercised is `seccomp_check_filter()` and the cache of
 * allowed calls.
 *
 * Three things differ from seccomp and are made up for:
 *
 * - A packet load is big-endian, so the words are sent most significant byte
 *   first. `ld len` gives the length of the packet, 64 as in seccomp.
 * - A length says less than 32 bits. Up to 64 different constants are numbered,
 *   constant `i` is returned as length `i + 1`. A program with more of them, or
 *   one that returns A, runs six times and tells six bits each time.
 * - A program that divides by an X of 0 ends with 0 and the packet is dropped:
 *   where packets are missing they are sent once more, one by one.
 *
 * @module
 */

import { check } from "../bpf/check.ts";
import { ProgramError } from "../bpf/error.ts";
import type { Instruction, Program } from "../bpf/instruction.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";
import { DROPPED, openSocketPair } from "./socket_pair.ts";

/** Bits told by one run, so that a length is 1 to 64. */
const SLICE_BITS = 6;
const LENGTHS = 1 << SLICE_BITS;

/**
 * Runs a program in the kernel.
 *
 * @example Two verdicts
 * ```ts no-eval
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
 * @throws {ProgramError} when seccomp would refuse the program, or when it returns A and has no room for
 * the four instructions that cut A into slices.
 * @throws {SyscallError} when the kernel refuses the socket or the filter.
 *
 * @param program The program, as seccomp would take it.
 * @param inputs Inputs of sixteen words each, from `toWords`.
 * @returns What the program returns for each input, u32; needs `--allow-ffi`.
 */
export function runInKernel(
  program: Program,
  inputs: readonly Uint32Array[],
): number[] {
  const error = check(program);
  if (error !== undefined) throw error;
  const values = [
    ...new Set(
      program.filter(({ op }) => op === "ret.k").map(({ k }) => k),
    ),
  ];
  const sockets = openSocketPair();
  try {
    if (values.length <= LENGTHS && !returnsA(program)) {
      sockets.attach(numberReturns(program, values));
      return sockets.measure(inputs).map((length) =>
        length === DROPPED ? 0 : values[length - 1] ?? 0
      );
    }
    const results: number[] = new Array(inputs.length).fill(0);
    for (let shift = 0; shift < 32; shift += SLICE_BITS) {
      sockets.attach(sliceReturns(program, shift));
      for (const [i, length] of sockets.measure(inputs).entries()) {
        const bits = length === DROPPED ? 0 : (length - 1) << shift;
        results[i] = ((results[i] ?? 0) | bits) >>> 0;
      }
    }
    return results;
  } finally {
    sockets.close();
  }
}

function returnsA(program: Program): boolean {
  return program.some(({ op }) => op === "ret.a");
}

function numberReturns(
  program: Program,
  values: readonly number[],
): Program {
  const lengths = new Map(values.map((value, i) => [value, i + 1]));
  return program.map((instruction) =>
    instruction.op === "ret.k"
      ? { ...instruction, k: lengths.get(instruction.k) ?? 0 }
      : instruction
  );
}

/** Makes a program that returns 1 more than six bits of what it returned. */
function sliceReturns(program: Program, shift: number): Program {
  const end = program.length;
  const sliced = program.map((instruction, pc): Instruction => {
    switch (instruction.op) {
      case "ret.k":
        return {
          ...instruction,
          k: ((instruction.k >>> shift) & (LENGTHS - 1)) + 1,
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
    { op: "and.k", jt: 0, jf: 0, k: LENGTHS - 1 },
    { op: "add.k", jt: 0, jf: 0, k: 1 },
    { op: "ret.a", jt: 0, jf: 0, k: 0 },
  ];
  if (end + epilogue.length > BPF_MAXINSNS) {
    throw new ProgramError(
      "program-too-long",
      `Cannot run program as a socket filter: it returns A and has ${end} instructions, ${
        BPF_MAXINSNS - epilogue.length
      } leave room for the rewrite`,
    );
  }
  return [...sliced, ...epilogue];
}
