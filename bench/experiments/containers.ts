/**
 * Real containers: processor time and wall time of one start, of one exec,
 * and of a storm of probes, without a filter, with the section that libseccomp
 * compiles, and with our bytes in crun's annotation.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { encodeBase64 } from "../../bpf/base64.ts";
import { childrenCpuMs } from "../engine/clock.ts";
import type { Setup } from "./bundle_config.ts";
import { type Bundles, createBundles, type Runtime } from "./bundles.ts";
import type { ContainerRow, StormRow } from "../report.ts";
import type { Progress } from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import type { BenchSubject, Variant } from "../engine/variants.ts";

/** Number of containers to start. */
export interface ContainerEffort {
  readonly rounds: number;
  /** Number of starts in a batch, whose mean counts. */
  readonly batch: number;
  /**
   * The same for slow starts: Podman, and misses of the wrapper; 0 omits them.
   */
  readonly slowBatch: number;
  /** Number of probes in the storm. */
  readonly probes: number;
}

/** The cost of containers. */
export interface ContainerTimes {
  readonly containers: readonly ContainerRow[];
  readonly storm: readonly StormRow[];
  readonly leftOut: readonly string[];
}

/** Names of the setups. */
export const SETUPS: Readonly<Record<Setup, string>> = {
  none: "no filter",
  section: "libseccomp at each start",
  annotation: "precompiled, by annotation",
  hit: "by our wrapper or hook, from the store",
  miss: "by our wrapper, compiled",
};

const BLOCK = 20;

/**
 * Measures containers.
 *
 * @param subject The profile.
 * @param ours Our filter of it.
 * @param effort The amount of measuring.
 * @param progress Called with the progress.
 */
export async function measureContainers(
  { seccomp }: BenchSubject,
  ours: Variant,
  effort: ContainerEffort,
  progress: Progress,
): Promise<ContainerTimes> {
  const leftOut: string[] = [];
  const bundles = await createBundles({
    seccomp,
    annotation: encodeBase64(ours.bytes),
    leftOut,
  });
  if (bundles === undefined) return { containers: [], storm: [], leftOut };
  if (effort.slowBatch === 0) {
    leftOut.push("containers: Podman and misses of the wrapper: --quick");
  }
  try {
    const containers = await measureStarts(bundles, effort, progress);
    const storm = await measureStorm(bundles, effort.probes);
    return { containers, storm, leftOut };
  } catch (error) {
    // This machine cannot, for example if it does not allow new cgroups.
    leftOut.push(messageOf(error));
    return { containers: [], storm: [], leftOut };
  } finally {
    await bundles.remove();
  }
}

async function measureStarts(
  bundles: Bundles,
  { rounds, batch, slowBatch }: ContainerEffort,
  progress: Progress,
): Promise<readonly ContainerRow[]> {
  const cases = bundles.runtimes.flatMap((runtime) =>
    casesOf(runtime, bundles.wrapped)
  ).map((entry) => ({ ...entry, count: isSlow(entry) ? slowBatch : batch }))
    .filter(({ count }) => count > 0);
  const cpu = cases.map((): number[] => []);
  const wall = cases.map((): number[] => []);
  // The first round warms the caches of files.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { runtime, setup, word, count }] of cases.entries()) {
      const { cpuMs, wallMs } = await timed(() =>
        word === "precreate"
          ? bundles.precreate(count)
          : bundles[word](runtime, setup, count)
      );
      if (round === 0) continue;
      cpu[i]?.push(cpuMs / count);
      wall[i]?.push(wallMs / count);
    }
    progress(round, rounds);
  }
  return cases.map(({ runtime, setup, word }, i): ContainerRow => ({
    command: word === "precreate" ? "precreate hook" : `${runtime} ${word}`,
    setup: SETUPS[setup],
    // Podman's container is not a child of this process.
    ...(runtime === "podman" ? {} : { cpuMs: summarize(cpu[i] ?? []) }),
    wallMs: summarize(wall[i] ?? []),
  }));
}

interface Case {
  readonly runtime: Runtime;
  readonly setup: Setup;
  readonly word: "run" | "exec" | "precreate";
}

function isSlow({ runtime, setup }: Case): boolean {
  return runtime === "podman" || setup === "miss";
}

function casesOf(runtime: Runtime, wrapped: boolean): readonly Case[] {
  const cases = (
    word: Case["word"],
    ...setups: readonly Setup[]
  ): readonly Case[] => setups.map((setup) => ({ runtime, setup, word }));
  switch (runtime) {
    case "crun":
      return [
        ...cases("run", "none", "section", "annotation"),
        ...(wrapped ? cases("run", "hit", "miss") : []),
        ...(wrapped ? cases("precreate", "hit") : []),
        ...cases("exec", "none", "section", "annotation"),
      ];
    case "runc":
      return [
        ...cases("run", "none", "section"),
        ...cases("exec", "none", "section"),
      ];
    case "podman":
      return cases("run", "none", "section", "annotation");
  }
}

async function measureStorm(
  bundles: Bundles,
  probes: number,
): Promise<readonly StormRow[]> {
  if (!bundles.runtimes.includes("crun")) return [];
  const setups = ["none", "section", "annotation"] as const;
  const sums = setups.map(() => ({
    cpuMs: 0,
    wallMs: 0,
    blocks: [] as number[],
  }));
  for (let done = 0; done < probes; done += BLOCK) {
    for (const [i, setup] of setups.entries()) {
      const { cpuMs, wallMs } = await timed(() =>
        bundles.exec("crun", setup, BLOCK)
      );
      const sum = sums[i];
      if (sum === undefined) continue;
      sum.cpuMs += cpuMs;
      sum.wallMs += wallMs;
      sum.blocks.push(cpuMs / BLOCK);
    }
  }
  const execs = Math.ceil(probes / BLOCK) * BLOCK;
  return setups.map((setup, i): StormRow => ({
    setup: SETUPS[setup],
    execs,
    execCpuMs: summarize(sums[i]?.blocks ?? []),
    cpuMs: sums[i]?.cpuMs ?? NaN,
    wallMs: sums[i]?.wallMs ?? NaN,
  }));
}

async function timed(
  work: () => Promise<void>,
): Promise<{ readonly cpuMs: number; readonly wallMs: number }> {
  const cpu = childrenCpuMs();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  return { cpuMs: childrenCpuMs() - cpu, wallMs };
}
