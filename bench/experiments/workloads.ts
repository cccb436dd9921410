/**
 * Expected executed instructions under histograms of real programs: counted,
 * not timed.
 *
 * @module
 */

import { isConstAllow } from "../../bpf/const_allow.ts";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, runSteps } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import type { Arch } from "../../tables/arch.ts";
import type { WorkloadRow } from "../report.ts";
import { provedFilter } from "../engine/inputs.ts";
import { type BenchSubject, OURS, type Variant } from "../engine/variants.ts";

/** Counts of calls by name. */
export interface Histogram {
  readonly name: string;
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Counts the steps of every filter under every histogram, and those of a filter
 * that was compiled for the histogram.
 *
 * @param subject The profile.
 * @param variants Its filters.
 * @param histograms Calls of programs.
 */
export function countWorkloads(
  { policy, arches }: BenchSubject,
  variants: readonly Variant[],
  histograms: readonly Histogram[],
): readonly WorkloadRow[] {
  const [native] = arches;
  if (native === undefined) return [];
  return histograms.flatMap(({ name, counts }) => {
    const byNumber = new Map<number, number>();
    for (const [call, count] of counts) {
      const nr = native.syscalls.get(call);
      if (nr !== undefined) byNumber.set(nr, count);
    }
    const weights = new Map([[native.auditArch, byNumber]]);
    const weighted = provedFilter(policy, { weights }).program;
    return [
      ...variants,
      { name: `${OURS}, compiled for it`, program: weighted },
    ].map((variant): WorkloadRow => ({
      histogram: name,
      variant: variant.name,
      ...expected(variant.program, native, byNumber),
    }));
  });
}

function expected(
  program: Program,
  arch: Arch,
  counts: ReadonlyMap<number, number>,
): Pick<WorkloadRow, "steps" | "uncachedShare"> {
  const prepared = prepare(program);
  let calls = 0;
  let steps = 0;
  let uncached = 0;
  for (const [nr, count] of counts) {
    const data = {
      nr,
      arch: arch.auditArch,
      instructionPointer: 0n,
      args: [],
    };
    calls += count;
    steps += count *
      runSteps(prepared, toWords(data, arch.littleEndian)).steps;
    if (!isConstAllow(program, arch.auditArch, nr)) uncached += count;
  }
  return { steps: steps / calls, uncachedShare: uncached / calls };
}
