/**
 * The kernel as judge of a program.
 *
 * Two engines run it. The socket filter (`ffi/socket_filter.ts`) takes inputs
 * of every architecture. Real seccomp takes the inputs that this machine can
 * make: on x86_64 the calls of x86_64, x32 and, through `int $0x80`, of i386.
 * It runs in a cloned child (`ffi/stub.ts`), so this process stays unfiltered.
 *
 * The unchanged program is loaded as well, with its flags, to see whether the
 * kernel accepts it.
 *
 * During the test no other thread of this process may call `dumpFilters` on the
 * child: a wait for the child ends if another thread of its parent stops it
 * (kernel/exit.c, `wait_consider_child()`). Other processes may.
 *
 * @module
 */

import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { type SeccompData, toWords } from "../bpf/seccomp_data.ts";
import { errnoText } from "../tables/errno.ts";
import { filterFlags } from "./load.ts";
import { runInSeccomp } from "./seccomp_engine.ts";
import { runInKernel } from "./socket_filter.ts";
import { openStub } from "./stub.ts";

/**
 * An engine.
 *
 * @category Kernel
 */
export type SelftestEngine = "socket" | "seccomp";

/**
 * A verdict that is not as expected.
 *
 * @category Kernel
 */
export interface SelftestMismatch {
  /** The engine. */
  readonly engine: SelftestEngine;
  /** The input, with the instruction pointer that the kernel saw. */
  readonly data: SeccompData;
  /** The expected value, from the callback, a u32. */
  readonly expected: number;
  /**
   * The kernel's value, a u32; undefined if the program did not stop the call.
   */
  readonly actual: number | undefined;
}

/**
 * Result of one engine.
 *
 * @category Kernel
 */
export interface SelftestCount {
  /** The engine. */
  readonly engine: SelftestEngine;
  /** Number of inputs that were judged. */
  readonly verdicts: number;
  /** Number of unexpected verdicts. */
  readonly mismatches: number;
}

/**
 * Result of the kernel's judgment.
 *
 * @category Kernel
 */
export interface SelftestReport {
  /** One entry per engine. */
  readonly counts: readonly SelftestCount[];
  /** The first mismatches, up to the requested number. */
  readonly mismatches: readonly SelftestMismatch[];
  /**
   * Errno of loading the unchanged program, 0 if it is accepted; undefined if
   * it was not tried.
   */
  readonly loadErrno: number | undefined;
  /** Tests that were skipped, with reasons. */
  readonly notes: readonly string[];
}

/**
 * Options of the test.
 *
 * @category Kernel
 */
export interface SelftestOptions {
  /** Flags with which the program will be loaded, none by default. */
  readonly flags?: readonly string[];
  /** Maximum number of mismatches to keep, 20 by default. */
  readonly keep?: number;
  /** True (the default) if the program is for little-endian machines. */
  readonly littleEndian?: boolean;
}

/**
 * Compares the kernel's answers with the expected ones.
 *
 * @example A program that allows everything
 * ```ts
 * import { selftest } from "@x/seccomp-tree/ffi";
 * import { assertEquals } from "@std/assert";
 *
 * const data = { nr: 39, arch: 0xc000_003e, instructionPointer: 0n, args: [] };
 * const report = selftest(
 *   [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }],
 *   [data],
 *   () => 0x7fff_0000,
 * );
 * assertEquals(report.mismatches, []);
 * ```
 *
 * @throws {ProgramError} if seccomp would refuse the program.
 * @throws {RangeError} if a flag is unknown.
 * @throws {SyscallError} if the kernel refuses a call that the engines need.
 *
 * @param program The program.
 * @param inputs Inputs to judge.
 * @param expected Returns the expected answer to an input; its instruction
 * pointer is the one that the kernel sees and may differ from the requested
 * one.
 * @param options Flags and number of mismatches; needs `--allow-ffi`.
 * @returns Counts and the first mismatches; a mismatch throws no error.
 * @category Kernel
 */
export function selftest(
  program: Program,
  inputs: readonly SeccompData[],
  expected: (data: SeccompData) => number,
  options: SelftestOptions = {},
): SelftestReport {
  const flags = filterFlags(options.flags ?? []);
  const littleEndian = options.littleEndian ?? true;
  const judge = createJudge(expected, options.keep ?? 20);
  const answers = runInKernel(
    program,
    inputs.map((data) => toWords(data, littleEndian)),
  );
  for (const [i, data] of inputs.entries()) {
    judge.compare("socket", data, answers[i]);
  }
  const notes: string[] = [];
  const stub = littleEndian ? openStub() : undefined;
  let loadErrno: number | undefined;
  if (stub === undefined) {
    notes.push(
      !littleEndian
        ? "real seccomp was not tested: the filter is for a big-endian machine"
        : "real seccomp was not tested: there is no tested machine code for this machine, or the system forbids it",
    );
  } else {
    const outcome = stub.run({ filter: encode(program), flags, calls: [] });
    loadErrno = outcome.loadErrno;
    if (loadErrno !== 0) {
      notes.push(`seccomp refuses the program: ${errnoText(loadErrno)}`);
    }
    const seccomp = runInSeccomp(stub, program, inputs);
    notes.push(...seccomp.notes);
    for (const [i, data] of seccomp.inputs.entries()) {
      judge.compare("seccomp", data, seccomp.values[i]);
    }
  }
  return { counts: judge.counts(), mismatches: judge.kept, loadErrno, notes };
}

/** Compares and counts. */
interface Judge {
  compare(
    engine: SelftestEngine,
    data: SeccompData,
    actual: number | undefined,
  ): void;
  counts(): SelftestCount[];
  readonly kept: readonly SelftestMismatch[];
}

function createJudge(
  expected: (data: SeccompData) => number,
  keep: number,
): Judge {
  const verdicts = { socket: 0, seccomp: 0 };
  const mismatches = { socket: 0, seccomp: 0 };
  const kept: SelftestMismatch[] = [];
  return {
    kept,
    compare(engine, data, actual): void {
      verdicts[engine]++;
      const value = expected(data);
      if (value === actual) return;
      mismatches[engine]++;
      if (kept.length < keep) {
        kept.push({ engine, data, expected: value, actual });
      }
    },
    counts: (): SelftestCount[] =>
      (["socket", "seccomp"] as const).map((engine) => ({
        engine,
        verdicts: verdicts[engine],
        mismatches: mismatches[engine],
      })),
  };
}
