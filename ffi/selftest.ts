/**
 * The kernel as judge of a program.
 *
 * Two engines run it. The socket filter (`ffi/socket_filter.ts`) takes inputs
 * of every architecture. Real seccomp takes those that this machine can make:
 * on x86_64 the calls of x86_64, x32 and, by `int $0x80`, of i386, in a cloned
 * child (`ffi/stub.ts`), so that this process stays unfiltered.
 *
 * The program as it is gets loaded as well, with its flags, to see whether the
 * kernel accepts it.
 *
 * Meanwhile no other thread of this process may call `dumpFilters` on the child:
 * a wait for it ends when a thread of its own parent stops it (kernel/exit.c,
 * `wait_consider_child()`). Other processes may.
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

/** An engine. */
export type SelftestEngine = "socket" | "seccomp";

/** A verdict that is not as expected. */
export interface SelftestMismatch {
  /** Who gave it. */
  readonly engine: SelftestEngine;
  /** The input, with the instruction pointer that the kernel saw. */
  readonly data: SeccompData;
  /** What the callback told, a u32. */
  readonly expected: number;
  /** What the kernel made of the program, a u32; undefined if the call was not stopped by it. */
  readonly actual: number | undefined;
}

/** What one engine did. */
export interface SelftestCount {
  /** Which engine. */
  readonly engine: SelftestEngine;
  /** Inputs that were judged. */
  readonly verdicts: number;
  /** How many were not as expected. */
  readonly mismatches: number;
}

/** What the kernel says. */
export interface SelftestReport {
  /** One entry for each engine. */
  readonly counts: readonly SelftestCount[];
  /** The first mismatches, at most as many as asked for. */
  readonly mismatches: readonly SelftestMismatch[];
  /** Errno of loading the program as it is, 0 if it is accepted; undefined if it was not tried. */
  readonly loadErrno: number | undefined;
  /** What was not tested and why, for people. */
  readonly notes: readonly string[];
}

/** How it is tested. */
export interface SelftestOptions {
  /** Flags the program is to be loaded with, none by default. */
  readonly flags?: readonly string[];
  /** Mismatches that are kept, 20 if absent. */
  readonly keep?: number;
  /** Byte order of the machine that the program is for, little-endian unless false. */
  readonly littleEndian?: boolean;
}

/**
 * Has the kernel judge a program.
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
 * @throws {RangeError} if a flag is not known.
 * @throws {SyscallError} if the kernel refuses what the engines need.
 *
 * @param program The program.
 * @param inputs What it is asked.
 * @param expected Returns the expected answer to an input; the instruction pointer is the one that the
 * kernel sees and may differ from the one asked for.
 * @param options Flags and how much is kept; needs `--allow-ffi`.
 * @returns Counts and the first mismatches; a mismatch is no exception.
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
        ? "real seccomp is not tried: the filter is for a big-endian machine"
        : "real seccomp is not tried: there is no tested machine code for this machine, or the system forbids it",
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
