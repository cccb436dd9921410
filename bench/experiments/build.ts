/**
 * The cost of creating the bytes: libseccomp's build, our compilation, and
 * reading precompiled bytes from an annotation.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import type { Libseccomp } from "../../ffi/libseccomp.ts";
import { proveTree } from "../../pipeline/compile_profile.ts";
import type { Policy } from "../../profile/policy.ts";
import { threadCpuUs } from "../engine/clock.ts";
import type { BuildRow } from "../report.ts";
import type { Progress } from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import {
  type BenchSubject,
  LINEAR,
  OURS,
  specOf,
  TREE,
  type Variant,
} from "../engine/variants.ts";

/** Reading the annotation, the only remaining work of the build. */
export const PRECOMPILED = "seccomp-tree: read precompiled bytes";

/** A timed task, in one part or several. */
interface Way {
  readonly parts: readonly string[];
  /** Runs it once; returns the microseconds of each part. */
  readonly run: () => readonly number[];
}

/**
 * Measures builds, interleaved, by the processor time of this thread.
 *
 * @param subject The profile.
 * @param ours Our filter of it.
 * @param library The host's libseccomp, if there is one.
 * @param rounds Number of rounds.
 * @param progress Called with the progress.
 */
export function measureBuild(
  subject: BenchSubject,
  ours: Variant,
  library: Libseccomp | undefined,
  rounds: number,
  progress: Progress,
): readonly BuildRow[] {
  const ways: Way[] = [];
  if (library !== undefined) {
    for (const [optimize, way] of [[1, LINEAR], [2, TREE]] as const) {
      const spec = specOf(library, subject, optimize);
      if (spec === undefined) continue;
      ways.push(timed(way, () => library.exportFilter(spec)));
    }
  }
  const annotation = encodeBase64(ours.bytes);
  ways.push(
    {
      parts: [`${OURS}: compile`, `${OURS}: prove`],
      run: () => lapsOf(subject.policy),
    },
    timed(PRECOMPILED, () => decodeBase64(annotation), 50),
  );
  const series = new Map(
    ways.flatMap(({ parts }) => parts).map((part): [string, number[]] => [
      part,
      [],
    ]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const { parts, run } of ways) {
      const us = run();
      // The first round compiles the code itself.
      if (round === 0) continue;
      for (const [i, part] of parts.entries()) {
        series.get(part)?.push(us[i] ?? 0);
      }
    }
    progress(round, rounds);
  }
  return [...series].map(([way, us]) => ({ way, us: summarize(us) }));
}

/**
 * Times a function.
 *
 * @param part Its name.
 * @param work The function.
 * @param times Number of repetitions, for work that is shorter than the
 * resolution of the clock.
 */
function timed(part: string, work: () => unknown, times = 1): Way {
  return {
    parts: [part],
    run: () => {
      const start = threadCpuUs();
      for (let t = 0; t < times; t++) work();
      return [(threadCpuUs() - start) / times];
    },
  };
}

/** Microseconds of compiling and of proving a policy. */
function lapsOf(policy: Policy): readonly number[] {
  const at = [threadCpuUs()];
  proveTree(policy, { onPass: () => at.push(threadCpuUs()) });
  const [start = 0, compiled = 0, encoded = 0, proved = 0] = at;
  return [compiled - start, proved - encoded];
}
