/**
 * One run of the benchmark: measures as much as this machine allows, and
 * reports what it skipped.
 *
 * @module
 */

import { walkOf } from "../measure/walk.ts";
import { openLibseccomp } from "../ffi/libseccomp.ts";
import { measureBuild } from "./experiments/build.ts";
import { measureCalls } from "./experiments/calls.ts";
import { pin } from "./engine/clock.ts";
import { measureContainers } from "./experiments/containers.ts";
import type { Efforts } from "./effort.ts";
import { openEngine } from "./engine/engine.ts";
import type { Engine } from "./engine/model.ts";
import { measureGrowth } from "./experiments/growth.ts";
import { openListBuilder } from "./engine/lists.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { measureMemory, readProgramMemory } from "./experiments/memory.ts";
import {
  type ListOptions,
  measurePositions,
  measurePublished,
} from "./experiments/position.ts";
import { type Report, SCHEMA_VERSION } from "./report.ts";
import type { Effort, Progress } from "./engine/rounds.ts";
import { measureStacked } from "./experiments/stacked.ts";
import {
  ALLOW,
  type BenchSubject,
  describeVariant,
  LINEAR,
  OURS,
  TREE,
  type Variant,
  variantsOf,
} from "./engine/variants.ts";
import { countWorkloads, type Histogram } from "./experiments/workloads.ts";

/** Settings of a run. */
export interface RunOptions {
  readonly subject: BenchSubject;
  readonly efforts: Efforts;
  readonly quick: boolean;
  /** The command with which others can repeat the run. */
  readonly command: string;
  readonly histograms: readonly Histogram[];
  /** Called with the current part and its progress, 0 to 1. */
  readonly progress: (part: string, share: number) => void;
  /** An engine to require. */
  readonly engine?: Engine["name"];
}

/**
 * Measures.
 *
 * @param options Settings of the run.
 * @returns The document.
 */
export async function runBenchmark(options: RunOptions): Promise<Report> {
  const start = performance.now();
  const loadBefore = loadNow();
  const { subject, efforts } = options;
  const leftOut: string[] = [];
  const library = openLibseccomp();
  if (library === undefined) leftOut.push("libseccomp: not installed");
  const engine = openEngine(options.engine);
  const part = (name: string): Progress => (done, all) =>
    options.progress(name, done / all);

  const variants = variantsOf(subject, library);
  const described = variants.map((variant) =>
    describeVariant(variant, subject)
  );
  const main = variants.filter(({ name }) =>
    [ALLOW, LINEAR, TREE, OURS].includes(name)
  );
  const [ours] = variants.filter(({ name }) => name === OURS);
  if (ours === undefined) throw new Error("Unreachable: no filter of ours");

  const timed = await measurePinned(options, variants, {
    engine,
    leftOut,
    part,
  });
  const build = measureBuild(
    subject,
    ours,
    library,
    efforts.builds,
    part("build"),
  );
  const stacked = await stackedOf(main, options, engine, leftOut, part);
  const memory = await memoryOf(main, efforts, leftOut, part);
  const { containers, storm, leftOut: without } = await measureContainers(
    subject,
    ours,
    efforts.containers,
    part("containers"),
  );
  if (options.histograms.length === 0) {
    leftOut.push("workloads: no histogram: pass --weights FILE");
  }
  const workloads = countWorkloads(subject, main, options.histograms);
  return {
    schemaVersion: SCHEMA_VERSION,
    command: options.command,
    taken: new Date().toISOString(),
    seconds: Math.round((performance.now() - start) / 1000),
    quick: options.quick,
    machine: await describeMachine({
      clock: engine.clock,
      libseccomp: library?.version,
      loadBefore,
    }),
    source: subject.name,
    arches: subject.arches.map(({ name }) => name),
    variants: described,
    ...timed,
    build,
    stacked,
    memory,
    containers,
    storm,
    workloads,
    leftOut: [...leftOut, ...without],
  };
}

interface Surroundings {
  readonly engine: Engine;
  readonly leftOut: string[];
  readonly part: (name: string) => Progress;
}

type Timed = Pick<
  Report,
  "calls" | "attach" | "position" | "published" | "growth"
>;

/** The part that times single calls, on one processor. */
async function measurePinned(
  { subject, efforts }: RunOptions,
  variants: readonly Variant[],
  { engine, leftOut, part }: Surroundings,
): Promise<Timed> {
  using pinned = pin();
  if (pinned === undefined) leftOut.push("pinning to one processor: refused");
  const { calls, attach } = await measureCalls(variants, {
    engine,
    effort: efforts.calls,
    progress: part("calls and attach"),
    walked: (name) =>
      walkOf(
        variants.find((variant) => variant.name === name)?.program ?? [],
        subject.arches,
      ),
  });
  if (!engine.anyFilter) {
    leftOut.push(
      "positions, the published experiment, growth: filters of a few calls need the machine-code stub of x86_64",
    );
    return { calls, attach, position: [], published: [], growth: [] };
  }
  const builder = openListBuilder();
  const list = (effort: Effort, name: string): ListOptions => ({
    engine,
    builder,
    effort,
    progress: part(name),
  });
  const position = await measurePositions(
    list(efforts.positions, "positions"),
    efforts.lengths,
  );
  const published = await measurePublished(
    list(efforts.published, "published experiment"),
  );
  const growth = await measureGrowth(
    list(efforts.growth, "growth"),
    openLibseccomp(),
    efforts.sizes,
  );
  return { calls, attach, position, published, growth };
}

async function stackedOf(
  variants: readonly Variant[],
  { efforts }: RunOptions,
  { ticksPerNs }: Engine,
  leftOut: string[],
  part: (name: string) => Progress,
): Promise<Report["stacked"]> {
  if (ticksPerNs === undefined) {
    leftOut.push("stacked filters: no machine-code stub here");
    return [];
  }
  return await measureStacked(variants, {
    ticksPerNs,
    height: efforts.stackedHeight,
    rounds: efforts.stackedRounds,
    progress: part("stacked filters"),
  });
}

async function memoryOf(
  variants: readonly Variant[],
  { memory }: Efforts,
  leftOut: string[],
  part: (name: string) => Progress,
): Promise<Report["memory"]> {
  if (!memory) {
    leftOut.push("memory: --quick");
    return [];
  }
  if (readProgramMemory() === undefined) {
    leftOut.push(
      "memory: /proc/vmallocinfo does not list JIT images (root is required)",
    );
    return [];
  }
  const rows = await measureMemory(
    variants.filter(({ name }) => name !== ALLOW),
    part("memory"),
  );
  if (rows.length === 0) {
    leftOut.push("memory: no new pack of images appeared");
  }
  return rows;
}
