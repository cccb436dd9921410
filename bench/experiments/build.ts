/**
 * What making the bytes costs: libseccomp's build, our compilation, and the
 * reading of precompiled bytes from an annotation.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { compile } from "../../compiler/compile.ts";
import type { Libseccomp } from "../../ffi/libseccomp.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { threadCpuUs } from "../engine/clock.ts";
import type { BuildRow } from "../report.ts";
import type { Progress } from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import {
  LINEAR,
  OURS,
  specOf,
  type Subject,
  TREE,
  type Variant,
} from "../engine/variants.ts";

/** Reading the annotation, which is all that is left of the build. */
export const PRECOMPILED = "seccomp-tree: read precompiled bytes";

interface Way {
  readonly way: string;
  readonly make: () => unknown;
  /** How often in a row, for what is shorter than the clock is sharp. */
  readonly times?: number;
}

/**
 * Measures builds, interleaved, by the processor time of this thread.
 *
 * @param subject The profile.
 * @param ours The filter that we make of it.
 * @param library The host's libseccomp, where there is one.
 * @param rounds How often.
 * @param progress Told how far it is.
 */
export function measureBuild(
  subject: Subject,
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
      ways.push({ way, make: () => library.exportFilter(spec) });
    }
  }
  const { policy } = subject;
  const program = ours.program;
  const annotation = encodeBase64(ours.bytes);
  ways.push(
    { way: `${OURS}: compile`, make: () => compile(policy) },
    {
      way: `${OURS}: prove`,
      make: () =>
        proveEquivalent({ kind: "program", program }, {
          kind: "policy",
          policy,
        }),
    },
    { way: PRECOMPILED, make: () => decodeBase64(annotation), times: 50 },
  );
  const series = ways.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { make, times = 1 }] of ways.entries()) {
      const start = threadCpuUs();
      for (let t = 0; t < times; t++) make();
      const us = (threadCpuUs() - start) / times;
      // The first round compiles the code itself.
      if (round > 0) series[i]?.push(us);
    }
    progress(round, rounds);
  }
  return ways.map(({ way }, i) => ({ way, us: summarize(series[i] ?? []) }));
}
