/**
 * Computes the cost of a filter: size, executed instructions, cached calls, and
 * the attach time that is predicted from the size and the kernel's emulation.
 *
 * @module
 */

import { emulate } from "../bpf/const_allow.ts";
import type { Program } from "../bpf/instruction.ts";
import { prepare, runSteps } from "../bpf/run.ts";
import { toWords } from "../bpf/seccomp_data.ts";
import {
  COUNTED_NUMBERS,
  DEFAULT_BACKGROUND,
  type Weights,
} from "../compiler/cost.ts";
import type { Arch } from "../tables/arch.ts";
import { worstSteps } from "./worst.ts";

/** Costs for one architecture, over its first 470 numbers. */
export interface ArchMeasure {
  readonly name: string;
  /** Mean of executed instructions, with zero arguments. */
  readonly mean: number;
  /** The weighted mean; equal to the mean if there are no weights. */
  readonly expected: number;
  /** Maximum of executed instructions, with any arguments. */
  readonly worst: number;
  /**
   * Number of calls whose ALLOW the kernel caches (5.11 and later); `null` on
   * x32 and mips, for which it has no cache.
   */
  readonly cached: number | null;
}

/** Costs of a program. */
export interface Measure {
  /** Instructions. */
  readonly length: number;
  readonly arches: readonly ArchMeasure[];
  /** Predicted microseconds to attach; see {@linkcode attachMicros}. */
  readonly attach: number;
}

/** How often each number is called. */
export interface MeasureWeights {
  readonly weights?: Weights;
  /** Share of the uniform background, 0.5 by default. */
  readonly background?: number;
}

/**
 * Measures a program by counting.
 *
 * @param program The program.
 * @param arches Architectures to measure, native one first.
 * @param weighing A histogram.
 */
export function measure(
  program: Program,
  arches: readonly Arch[],
  weighing: MeasureWeights = {},
): Measure {
  const prepared = prepare(program);
  const native = arches[0];
  let walked = 0;
  const measures = arches.map((arch) => {
    const { auditArch, littleEndian } = arch;
    const steps = (nr: number): number => {
      const call = { nr, arch: auditArch, instructionPointer: 0n, args: [] };
      return runSteps(prepared, toWords(call, littleEndian)).steps;
    };
    const base = firstNumber(arch);
    let sum = 0;
    let cached = 0;
    for (let i = 0; i < COUNTED_NUMBERS; i++) {
      const nr = base + i;
      sum += steps(nr);
      const walk = emulate(program, auditArch, nr);
      if (walk.allow) cached++;
      if (isWalked(arch, native)) walked += walk.steps;
    }
    const mean = sum / COUNTED_NUMBERS;
    let known: number | undefined;
    return {
      name: arch.name,
      mean,
      expected: expectedSteps(arch, mean, steps, weighing),
      // This takes as long as everything else, and a search needs only means.
      get worst(): number {
        return known ??= worstOf(program, auditArch, base);
      },
      cached: arch.syscallBit === 0 && hasAllowCache(arch) ? cached : null,
    };
  });
  return {
    length: program.length,
    arches: measures,
    attach: attachMicros(program.length, walked),
  };
}

function worstOf(program: Program, auditArch: number, base: number): number {
  let worst = 0;
  for (let i = 0; i < COUNTED_NUMBERS; i++) {
    worst = Math.max(worst, worstSteps(program, auditArch, base + i));
  }
  return worst;
}

/**
 * Uses the weights as `compiler/cost.ts` does; x32 has no weights of its own.
 */
function expectedSteps(
  arch: Arch,
  mean: number,
  steps: (nr: number) => number,
  { weights, background = DEFAULT_BACKGROUND }: MeasureWeights,
): number {
  if (arch.syscallBit !== 0) return mean;
  const counts = [...weights?.get(arch.auditArch) ?? []];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return mean;
  const named = counts.reduce((sum, [nr, count]) => sum + count * steps(nr), 0);
  return background * mean + (1 - background) * named / total;
}

/** First number of an architecture: its x32 bit, or the base of mips. */
export function firstNumber(arch: Arch): number {
  if (arch.syscallBit !== 0) return arch.syscallBit;
  const [least] = arch.syscalls.values();
  return least !== undefined && least >= 4000 ? least : 0;
}

/** Kernels for mips do not define SECCOMP_ARCH_NATIVE (asm/seccomp.h, Linux 6.1). */
function hasAllowCache({ name }: Arch): boolean {
  return !name.startsWith("mips");
}

/**
 * The kernel emulates the native table and its compat table when a filter is
 * attached.
 */
function isWalked(arch: Arch, native: Arch | undefined): boolean {
  if (!hasAllowCache(arch)) return false;
  if (arch === native) return true;
  return arch.syscallBit === 0 && arch.bits === 32 && native?.bits === 64;
}

/**
 * Predicts the time that seccomp(2) needs to attach a filter, from its size
 * (copy, check, convert, JIT) and the kernel's emulation over all numbers.
 * Fitted to 15 programs on Linux 6.18, x86_64. On other machines it ranks
 * filters, but does not predict times.
 *
 * @param length Instructions.
 * @param walked Total number of instructions that the cache emulator runs.
 * @returns Microseconds.
 */
export function attachMicros(length: number, walked: number): number {
  return 11.4 + 0.1546 * length + 0.00211 * walked;
}
