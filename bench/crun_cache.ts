/**
 * Costs of a container with crun's own cache (1.14 and later), as crun fills it
 * and with our filters in it; for each release of crun, in a root that is thrown
 * away. Prints the table of docs/benchmarks.md.
 *
 * ```sh
 * deno task cached             # 10 rounds, Debian 13 and sid
 * deno task cached 20 trixie
 * ```
 *
 * Starts run in batches, since entering a root costs time too; all cases take turns
 * within a round. Figures are processor time of crun and its children, the smallest
 * and the median of the rounds.
 *
 * @module
 */

import { join } from "@std/path";
import { encodeBase64 } from "../bpf/base64.ts";
import { ask } from "../host/command.ts";
import { kernelRelease } from "../host/machine.ts";
import { formatTable } from "../host/table.ts";
import { listEntries, openCache } from "../hook/cache/cache.ts";
import { optimizeCache, restoreCache } from "../hook/cache/optimize_cache.ts";
import { compilePolicy } from "../pipeline/compile_profile.ts";
import { resolveParsed } from "../pipeline/resolve_profile.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import { parseKernelRelease } from "../profile/host.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import {
  type Given,
  type Manual,
  start,
  toNumber,
} from "../tools/arguments.ts";
import { type DebianRoot, makeDebianRoot } from "../tools/debian_root.ts";
import { childrenCpuMs } from "./engine/clock.ts";
import { summarize } from "./engine/summary.ts";
import { type Setup, writeBundle } from "./experiments/bundle_config.ts";
import { readProgramMemory } from "./experiments/memory.ts";

/** Starts or execs between two looks at the clock. */
const BATCH = 20;
/** Containers at once, for the memory of their filters. */
const CROWDS: readonly number[] = [1, 50, 200];

/** A way to start a container, or to run something in it. */
interface Case {
  readonly name: string;
  readonly setup: Setup;
  /** State of the cache. */
  readonly cache: "cold" | "list" | "tree";
  readonly word: "run" | "exec";
}

const CASES: readonly Case[] = [
  { name: "no filter", setup: "none", cache: "list", word: "run" },
  { name: "cold cache", setup: "section", cache: "cold", word: "run" },
  {
    name: "libseccomp's list in the cache",
    setup: "section",
    cache: "list",
    word: "run",
  },
  {
    name: "our tree in the cache",
    setup: "section",
    cache: "tree",
    word: "run",
  },
  {
    name: "our tree by annotation",
    setup: "annotation",
    cache: "list",
    word: "run",
  },
  { name: "no filter", setup: "none", cache: "list", word: "exec" },
  {
    name: "libseccomp's list in the cache",
    setup: "section",
    cache: "list",
    word: "exec",
  },
  {
    name: "our tree in the cache",
    setup: "section",
    cache: "tree",
    word: "exec",
  },
];

/** Containers for execs, which get the filter that their container got. */
const HELD: readonly (readonly [Setup, "list" | "tree"])[] = [
  ["none", "list"],
  ["section", "list"],
  ["section", "tree"],
];

const MANUAL: Manual = {
  usage: "deno task cached [ROUNDS [SUITE...]]",
  brief:
    "Measures starts and execs of crun with and without its cache, in 10 rounds\nunless ROUNDS says otherwise. Requires root and a quiet machine.",
  words: 6,
};

async function main({ words }: Given): Promise<number> {
  const [word = "10", ...named] = words;
  const rounds = toNumber("ROUNDS", word);
  const suites = named.length === 0 ? ["trixie", "sid"] : named;
  let measured = 0;
  for (const suite of suites) {
    const root = await makeDebianRoot(suite, ["crun"]);
    if (typeof root === "string") {
      say(`left out: ${suite}: ${root}`);
      continue;
    }
    await using _ = root;
    // As /run is, a file system in memory.
    const shared = await Deno.makeTempDir({
      dir: "/dev/shm",
      prefix: "seccomp-tree-",
    });
    try {
      await measureCrun(root, shared, rounds);
      measured++;
    } finally {
      await Deno.remove(shared, { recursive: true });
    }
  }
  return measured > 0 ? 0 : 1;
}

async function measureCrun(
  root: DebianRoot,
  shared: string,
  rounds: number,
): Promise<void> {
  const sh = (script: string): Promise<void> => enter(root, shared, script);
  await writeBundles(shared);
  const state = join(shared, "state");
  const crun = `crun --root ${state}`;
  await sh(`crun --version > ${shared}/version`);
  await sh(`${crun} run -b ${shared}/section first`);
  for (const [name, cache] of HELD) {
    await prepare(state, cache);
    await sh(`${crun} run -d -b ${shared}/sleep-${name} ${name}-${cache}`);
  }
  const results = CASES.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, entry] of CASES.entries()) {
      await prepare(state, entry.cache);
      const before = childrenCpuMs();
      await sh(scriptOf(entry, shared, crun));
      // The first round warms the caches of files.
      if (round > 0) results[i]?.push((childrenCpuMs() - before) / BATCH);
    }
  }
  const version = await Deno.readTextFile(join(shared, "version"));
  say(`${version.split("\n", 1)[0]}, ${rounds} rounds of ${BATCH}`);
  say(formatTable([
    ["what", "setup", "CPU min ms", "CPU median ms"],
    ...CASES.map(({ name, word }, i) => {
      const { min, median } = summarize(results[i] ?? []);
      return [word, name, min.toFixed(2), median.toFixed(2)];
    }),
  ], { left: [0, 1] }));
  say(await measureCrowds({ sh, shared, state, crun }));
  for (const [name, cache] of HELD) {
    await sh(`${crun} delete -f ${name}-${cache}`);
  }
}

/** Kernel memory of the filters of many containers, besides packed images. */
async function measureCrowds(
  { sh, shared, state, crun }: {
    readonly sh: (script: string) => Promise<void>;
    readonly shared: string;
    readonly state: string;
    readonly crun: string;
  },
): Promise<string> {
  const rows: string[][] = [];
  for (const cache of ["list", "tree"] as const) {
    for (const count of CROWDS) {
      await prepare(state, cache);
      const before = readProgramMemory();
      const each = (command: string): string =>
        `i=0; while [ $i -lt ${count} ]; do ${command} || exit 1; i=$((i + 1)); done`;
      await sh(
        each(`${crun} run -d -b ${shared}/sleep-section c$i`),
      );
      const after = readProgramMemory();
      await sh(each(`${crun} delete -f c$i`));
      const bytes = (after?.programBytes ?? NaN) -
        (before?.programBytes ?? NaN);
      const packs = (after?.packs ?? NaN) - (before?.packs ?? NaN);
      rows.push([cache, String(count), String(bytes / 1024), String(packs)]);
    }
  }
  return formatTable([
    ["filter", "containers", "programs KiB", "new packs of images"],
    ...rows,
  ], { left: [0] });
}

/** Brings the cache into a state. */
async function prepare(state: string, wanted: Case["cache"]): Promise<void> {
  const cache = await openCache(state);
  if (cache === undefined) throw new Error(`crun keeps no filters in ${state}`);
  if (wanted === "tree") await optimizeCache(cache);
  else await restoreCache(cache);
  const entries = await listEntries(cache);
  const kind = wanted === "tree" ? "tree" : "libseccomp";
  if (entries.length === 0 || entries.some((entry) => entry.state !== kind)) {
    throw new Error(`The cache in ${state} is not as wanted`);
  }
}

function scriptOf(
  { setup, cache, word }: Case,
  shared: string,
  crun: string,
): string {
  const command = word === "run"
    ? `${crun} run -b ${shared}/${setup} c$i`
    : `${crun} exec ${setup}-${cache} /bin/busybox true`;
  // Its own folder, so that the others find theirs as it was.
  const cold = cache === "cold"
    ? command.replace(crun, `crun --root ${shared}/cold$i`)
    : command;
  return `i=0; while [ $i -lt ${BATCH} ]; do ${cold} || exit 1; i=$((i + 1)); done; rm -rf ${shared}/cold*`;
}

async function writeBundles(shared: string): Promise<void> {
  const { policy, seccomp } = resolveParsed(parseProfile(DEFAULT_PROFILE), {
    arch: ["x86_64", "x86", "x32"],
    kernel: parseKernelRelease(kernelRelease()),
  });
  const result = compilePolicy(policy);
  if (result.kind !== "proved") throw new Error(result.message);
  const annotation = encodeBase64(result.bytes);
  for (const setup of ["none", "section", "annotation"] as const) {
    const bundle = { setup, seccomp, annotation };
    await writeBundle(join(shared, setup), { ...bundle, command: "true" });
    await writeBundle(join(shared, `sleep-${setup}`), {
      ...bundle,
      command: "sleep 3600",
    });
  }
}

async function enter(
  root: DebianRoot,
  shared: string,
  script: string,
): Promise<void> {
  const said = join(shared, "said");
  const words = root.enter(
    "sh",
    "-c",
    `{ ${script}\n} >${said} 2>&1 </dev/null`,
  );
  const { code } = await ask(["env", `SHARED=${shared}`, ...words], {
    limitMs: 300_000,
  });
  if (code !== 0) throw new Error(await Deno.readTextFile(said));
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
