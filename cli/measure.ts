/**
 * What a filter costs, counted: size, executed instructions, cached calls, and
 * the attach time that the size and the kernel's walk predict.
 *
 * @module
 */

import { emulate } from "../bpf/const_allow.ts";
import type { Program } from "../bpf/instruction.ts";
import { prepare, runSteps } from "../bpf/run.ts";
import { toWords } from "../bpf/seccomp_data.ts";
import { COUNTED_NUMBERS } from "../compiler/cost.ts";
import type { Arch } from "../tables/arch.ts";

/** Counts for one architecture, over its first 470 numbers with zero arguments. */
export interface ArchMeasure {
  readonly name: string;
  /** Mean of executed instructions. */
  readonly mean: number;
  /** Most executed instructions. */
  readonly worst: number;
  /** Calls whose ALLOW the kernel caches (5.11 and later); `undefined` on x32. */
  readonly cached: number | undefined;
}

/** Counts for a program. */
export interface Measure {
  /** Instructions. */
  readonly length: number;
  readonly arches: readonly ArchMeasure[];
  /** Microseconds to attach, predicted; see {@linkcode attachMicros}. */
  readonly attach: number;
}

/**
 * Measures a program by counting.
 *
 * @param program The program.
 * @param arches Architectures to look at, native one first.
 */
export function measure(program: Program, arches: readonly Arch[]): Measure {
  const prepared = prepare(program);
  const native = arches[0];
  let walked = 0;
  const measures = arches.map((arch) => {
    const base = numberBase(arch);
    let sum = 0;
    let worst = 0;
    let cached = 0;
    for (let i = 0; i < COUNTED_NUMBERS; i++) {
      const nr = base + i;
      const call = {
        nr,
        arch: arch.auditArch,
        instructionPointer: 0n,
        args: [],
      };
      const { steps } = runSteps(prepared, toWords(call, arch.littleEndian));
      sum += steps;
      worst = Math.max(worst, steps);
      const walk = emulate(program, arch.auditArch, nr);
      if (walk.allow) cached++;
      if (isWalked(arch, native)) walked += walk.steps;
    }
    return {
      name: arch.name,
      mean: sum / COUNTED_NUMBERS,
      worst,
      cached: arch.syscallBit === 0 ? cached : undefined,
    };
  });
  return {
    length: program.length,
    arches: measures,
    attach: attachMicros(program.length, walked),
  };
}

/** First number of an architecture: its x32 bit, or the base of mips. */
function numberBase(arch: Arch): number {
  if (arch.syscallBit !== 0) return arch.syscallBit;
  const [least] = arch.syscalls.values();
  return least !== undefined && least >= 4000 ? least : 0;
}

/** The kernel walks the native table and its compat table when a filter is attached. */
function isWalked(arch: Arch, native: Arch | undefined): boolean {
  if (arch === native) return true;
  return arch.syscallBit === 0 && arch.bits === 32 && native?.bits === 64;
}

/**
 * Predicts the time that seccomp(2) needs to attach a filter, from its size
 * (copy, check, convert, JIT) and the kernel's walk over all numbers. Fitted
 * to 15 programs on Linux 6.18, x86_64; elsewhere it ranks, it does not time.
 *
 * @param length Instructions.
 * @param walked Sum of instructions that the cache emulator walks.
 * @returns Microseconds.
 */
export function attachMicros(length: number, walked: number): number {
  return 11.4 + 0.1546 * length + 0.00211 * walked;
}
