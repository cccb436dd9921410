/**
 * One crun of 1.14 or later, in a root of its release: starts, execs, attaches and
 * memory, as crun fills its cache and with our filters in it.
 *
 * Starts run in batches, because entering a root also costs time; all cases
 * take turns within a round. Figures are processor time of crun and its
 * children.
 *
 * @module
 */

import { join } from "@std/path";
import { encodeBase64 } from "../../bpf/base64.ts";
import { decode } from "../../bpf/encode.ts";
import { kernelRelease } from "../../host/machine.ts";
import { listEntries, openCache } from "../../hook/cache/cache.ts";
import {
  optimizeCache,
  restoreCache,
} from "../../hook/cache/optimize_cache.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { parseKernelRelease } from "../../profile/host.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { FULL } from "../effort.ts";
import { childrenCpuMs } from "../engine/clock.ts";
import { openEngine } from "../engine/engine.ts";
import { interleave } from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import { type Variant, variantOf } from "../engine/variants.ts";
import {
  type CrowdRow,
  CRUN_SETUPS,
  type CrunRun,
} from "../report/crun_text.ts";
import { type Setup, writeBundle } from "./bundle_config.ts";
import {
  measureMemory,
  type ProgramMemory,
  readProgramMemory,
} from "./memory.ts";
import { createWrapper, type Wrapper } from "./wrapper.ts";

/** Starts or execs between two readings of the clock. */
export const BATCH = 20;
/** Containers at once, for the memory of their filters. */
const CROWDS: readonly number[] = [1, 50, 200];

/** Equal readings, a tenth of a second apart, after which memory is stable. */
const SETTLED = 10;
/** A call of x86_64 without effects. */
const GETPID = 39;

/** A root in which crun is. */
export interface CrunRoot {
  /** A folder with the same path inside. */
  readonly shared: string;
  /** Runs a script inside, to its end. */
  readonly sh: (script: string) => Promise<void>;
  /** True if Deno and the tools of the wrapper have the same paths inside. */
  readonly wrapped: boolean;
}

/** A way to start a container, or to run something in it. */
interface Case {
  readonly name: keyof typeof CRUN_SETUPS;
  readonly bundle: Setup;
  /** State of the cache. */
  readonly cache: "list" | "tree";
  readonly word: "run" | "exec" | "precreate hook";
}

const CASES: readonly Case[] = [
  { name: "none", bundle: "none", cache: "list", word: "run" },
  { name: "cold", bundle: "section", cache: "list", word: "run" },
  { name: "list", bundle: "section", cache: "list", word: "run" },
  { name: "tree", bundle: "section", cache: "tree", word: "run" },
  { name: "annotation", bundle: "annotation", cache: "list", word: "run" },
  { name: "hit", bundle: "section", cache: "list", word: "run" },
  { name: "hit", bundle: "section", cache: "list", word: "precreate hook" },
  { name: "none", bundle: "none", cache: "list", word: "exec" },
  { name: "list", bundle: "section", cache: "list", word: "exec" },
  { name: "tree", bundle: "section", cache: "tree", word: "exec" },
];

interface Place extends CrunRoot {
  /** Crun's state. */
  readonly state: string;
  /** Crun with its state, as words of `sh`. */
  readonly crun: string;
  readonly wrapper: Wrapper | undefined;
}

/**
 * Measures one crun.
 *
 * @param root Its root.
 * @param rounds Number of rounds.
 */
export async function measureCrun(
  root: CrunRoot,
  rounds: number,
): Promise<CrunRun> {
  const { shared, sh } = root;
  const state = join(shared, "state");
  const place: Place = {
    ...root,
    state,
    crun: `crun --root ${state}`,
    wrapper: root.wrapped
      ? await createWrapper(await wrapperFolder(shared), "/usr/bin/crun")
      : undefined,
  };
  await writeBundles(shared);
  await sh(`crun --version > ${shared}/version`);
  await sh(`${place.crun} run -b ${shared}/section first`);
  const containers = await measureCosts(place, rounds);
  const filters = await measureFilters(place);
  const crowds = await measureCrowds(place);
  const text = await Deno.readTextFile(join(shared, "version"));
  const crun = /version (\S+)/.exec(text)?.[1] ?? "?";
  return { crun, containers, filters, crowds };
}

async function wrapperFolder(shared: string): Promise<string> {
  const folder = join(shared, "wrapper");
  await Deno.mkdir(folder);
  return folder;
}

async function measureCosts(
  place: Place,
  rounds: number,
): Promise<CrunRun["containers"]> {
  const { crun, sh, shared } = place;
  const cases = CASES.filter(({ name }) =>
    name !== "hit" || place.wrapper !== undefined
  );
  // Containers for execs; an exec gets the filter of its container.
  const held = cases.filter(({ word }) => word === "exec");
  for (const { name, bundle, cache } of held) {
    await prepare(place, cache);
    await sh(`${crun} run -d -b ${shared}/sleep-${bundle} held-${name}`);
  }
  const results = cases.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, entry] of cases.entries()) {
      await prepare(place, entry.cache);
      const script = scriptOf(entry, place);
      const before = childrenCpuMs();
      await sh(script);
      // The first round warms the caches of files, and fills the store.
      if (round > 0) results[i]?.push((childrenCpuMs() - before) / BATCH);
    }
  }
  for (const { name } of held) await sh(`${crun} delete -f held-${name}`);
  return cases.map(({ name, word }, i) => ({
    command: word,
    setup: CRUN_SETUPS[name],
    cpuMs: summarize(results[i] ?? []),
  }));
}

function scriptOf(
  { name, bundle, word }: Case,
  { shared, state, crun, wrapper }: Place,
): string {
  const folder = join(shared, bundle);
  const program = name === "hit"
    ? `${wrapper?.path} --root ${state}`
    // A separate folder, so that the others find theirs unchanged.
    : name === "cold"
    ? `crun --root ${shared}/cold$i`
    : crun;
  const command = word === "exec"
    ? `${crun} exec held-${name} /bin/busybox true`
    : word === "run"
    ? `${program} run -b ${folder} c$i`
    : `${wrapper?.hook} <${folder}/config.orig >/dev/null`;
  // The wrapper writes its annotation to the configuration, so each start gets
  // a new one; the shell writes it, because a `cp` process would be measured as
  // well.
  return `config=$(cat ${folder}/config.orig)
i=0
while [ $i -lt ${BATCH} ]; do
  printf %s "$config" >${folder}/config.json
  ${command} || exit 1
  i=$((i + 1))
done
rm -rf ${shared}/cold*`;
}

/** Sets the state of the cache. */
async function prepare(
  { state }: Place,
  wanted: Case["cache"],
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const cache = await openCache(state);
  if (cache === undefined) throw new Error(`crun keeps no filters in ${state}`);
  if (wanted === "tree") await optimizeCache(cache);
  else await restoreCache(cache);
  const entries = await listEntries(cache);
  const kind = wanted === "tree" ? "tree" : "libseccomp";
  if (entries.length === 0 || entries.some((entry) => entry.state !== kind)) {
    throw new Error(`The cache in ${state} is not in the requested state`);
  }
  const folder = join(state, ".cache/seccomp");
  return await Promise.all(
    entries.map(({ name }) => Deno.readFile(join(folder, name))),
  );
}

/** Attaches and JIT images of the filters that are in the cache. */
async function measureFilters(place: Place): Promise<CrunRun["filters"]> {
  const variants: Variant[] = [];
  for (const cache of ["list", "tree"] as const) {
    const [bytes] = await prepare(place, cache);
    if (bytes === undefined) throw new Error("crun's cache is empty");
    variants.push(variantOf(CRUN_SETUPS[cache], decode(bytes)));
  }
  const plans = variants.map(({ name, bytes }) => ({
    ...{ key: name, filter: bytes },
    // An attach is timed together with the calls after it.
    batches: [{ key: "getpid", call: { nr: GETPID, args: [] } }],
  }));
  const silent = (): void => {};
  const rounds = await interleave(openEngine(), plans, FULL.calls, silent);
  const memory = await measureMemory(variants, silent);
  return variants.map(({ name, program }) => {
    const row = memory.find(({ variant }) => variant === name);
    return {
      setup: name,
      instructions: program.length,
      attachUs: summarize(rounds.attach(name).map((ns) => ns / 1000)),
      ...(row === undefined ? {} : { imageBytes: row.imageBytes }),
    };
  });
}

/** Kernel memory of the filters of many containers. */
async function measureCrowds(place: Place): Promise<readonly CrowdRow[]> {
  const { crun, sh, shared } = place;
  const rows: CrowdRow[] = [];
  for (const cache of ["list", "tree"] as const) {
    for (const containers of CROWDS) {
      await prepare(place, cache);
      const each = (command: string): Promise<void> =>
        sh(
          `i=0; while [ $i -lt ${containers} ]; do ${command} || exit 1; i=$((i + 1)); done`,
        );
      const before = await settledMemory();
      await each(`${crun} run -d -b ${shared}/sleep-section c$i`);
      const after = readProgramMemory();
      await each(`${crun} delete -f c$i`);
      if (before === undefined || after === undefined) continue;
      rows.push({
        setup: CRUN_SETUPS[cache],
        containers,
        programBytes: after.programBytes - before.programBytes,
        packs: after.packs - before.packs,
      });
    }
  }
  return rows;
}

/** Programs of containers that have ended are freed a little later. */
async function settledMemory(): Promise<ProgramMemory | undefined> {
  let last = readProgramMemory();
  for (let quiet = 0; quiet < SETTLED;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = readProgramMemory();
    quiet = now?.programBytes === last?.programBytes ? quiet + 1 : 0;
    last = now;
  }
  return last;
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
