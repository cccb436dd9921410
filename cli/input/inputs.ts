/**
 * The inputs of a self-test: every number up to 1,200 on each architecture,
 * with arguments at the boundaries of all conditions.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { boundaryValues } from "../../verify/describe/witnesses.ts";
import type { LoadedFilter } from "./filter.ts";
import { firstNumber } from "../../measure/measure.ts";
import { nativeArch } from "./target.ts";

/** Number of syscall numbers to test on each architecture. */
const NUMBERS = 1201;
/**
 * Minimum number of inputs; calls that this machine can make are tested twice.
 */
const LEAST_INPUTS = 55_000;
/** Numbers beyond all tables. */
const EDGES = [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as const;
/** An architecture value that no machine has. */
const NO_ARCH = 0xdead_beef;

/**
 * Generates the inputs, which are always the same.
 *
 * @param filter Source of the policy and the architectures.
 * @param programs The programs under test.
 */
export function selftestInputs(
  filter: LoadedFilter,
  programs: readonly Program[],
): readonly SeccompData[] {
  const subjects: Subject[] = [...programs];
  if (filter.kind === "profile") {
    subjects.push(filter.resolved.policy);
  }
  const values = boundaryValues(subjects, filter.littleEndian).slice(4)
    .map((word) => word.length === 0 ? [0] : word);
  const numbers = archesOf(filter).flatMap((arch) => numbersOf(arch));
  const rounds = Math.ceil(LEAST_INPUTS / Math.max(1, numbers.length));
  const inputs: SeccompData[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [i, [arch, nr]] of numbers.entries()) {
      const seed = i + round * numbers.length;
      const args = round === 0
        ? []
        : argumentsAt(values, seed, filter.littleEndian);
      // i386 passes 32 bits of each argument.
      const narrow = arch.bits === 32
        ? args.map((arg) => BigInt.asUintN(32, arg))
        : args;
      inputs.push({
        nr,
        arch: arch.auditArch,
        instructionPointer: 0n,
        args: narrow,
      });
    }
  }
  inputs.push({ nr: 0, arch: NO_ARCH, instructionPointer: 0n, args: [] });
  return inputs;
}

function numbersOf(arch: Arch): readonly (readonly [Arch, number])[] {
  const base = firstNumber(arch);
  const all = Array.from({ length: NUMBERS }, (_, i) => base + i);
  return [...all, ...EDGES].map((nr) => [arch, nr] as const);
}

function archesOf(filter: LoadedFilter): readonly Arch[] {
  const native = nativeArch();
  if (filter.kind === "profile" || filter.native !== native) {
    return filter.arches;
  }
  return ARCHES.filter((arch) =>
    arch === native ||
    (native.name === "x86_64" && ["x86", "x32"].includes(arch.name))
  );
}

/**
 * Draws a value for each half of each argument, independently of one another,
 * so that every pair of values occurs.
 */
function argumentsAt(
  values: readonly (readonly number[])[],
  seed: number,
  littleEndian: boolean,
): readonly bigint[] {
  const half = (word: number): bigint => {
    const choices = values[word] ?? [0];
    const draw = scatter(12 * seed + word);
    return BigInt(choices[draw % choices.length] ?? 0);
  };
  return Array.from({ length: 6 }, (_, arg) => {
    const [first, second] = [half(2 * arg), half(2 * arg + 1)];
    return littleEndian ? second << 32n | first : first << 32n | second;
  });
}

/** Turns consecutive numbers into random ones: the end of MurmurHash3. */
function scatter(number: number): number {
  const half = Math.imul(number ^ (number >>> 16), 0x85eb_ca6b);
  const whole = Math.imul(half ^ (half >>> 13), 0xc2b2_ae35);
  return (whole ^ (whole >>> 16)) >>> 0;
}
