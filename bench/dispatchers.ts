/**
 * Costs of hook and wrapper with each shell and awk of this machine, for
 * docs/install.md: a start whose filter is in the store, configurations with long
 * values, and many starts at once without a store.
 *
 * ```sh
 * deno task dispatchers                # 25 rounds; 200 starts at once
 * deno task dispatchers 100 70
 * ```
 *
 * The runtime ends at once. System calls are those of all processes until the
 * runtime starts, counted by strace. Processor time is that of all processes,
 * the least of the rounds, in which all cases take turns.
 *
 * @module
 */

import { join } from "@std/path";
import { findProgram } from "../host/programs.ts";
import { kernelRelease } from "../host/machine.ts";
import { formatTable } from "../host/table.ts";
import { type DispatcherTools, findTools } from "../hook/dispatcher/tools.ts";
import { resolveParsed } from "../pipeline/resolve_profile.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import { parseKernelRelease } from "../profile/host.ts";
import {
  type Given,
  type Manual,
  start,
  toNumber,
} from "../tools/arguments.ts";
import { childrenCpuMs } from "./engine/clock.ts";
import { bundleConfigText } from "./experiments/bundle_config.ts";
import { createWrapper, type Wrapper } from "./experiments/wrapper.ts";

const MANUAL: Manual = {
  usage: "deno task dispatchers [ROUNDS [STARTS]]",
  brief:
    "Measures hook and wrapper in ROUNDS rounds (default: 25), then STARTS starts\nat once (default: 200). Requires root, and strace for system calls.",
  words: 2,
};

/** Ends at once, with little to load: busybox by this name. */
const RUNTIME = "true";
/** Starts between two looks at the clock, by a shell whose forks are cheap. */
const BATCH = 10;
/** Bytes of a long value: the longest that Linux takes for one variable. */
const LONG = 128 * 1024 - 16;

/** Programs by the words that docs/install.md has for them. */
type Sets = Readonly<Record<string, DispatcherTools>>;

/** A configuration, and the words that start it. */
interface Case {
  readonly wrapper: Wrapper;
  readonly kind: "hook" | "wrapper";
  /** Folder with `config.json` and `config.orig`. */
  readonly bundle: string;
  leastMs: number;
}

async function main({ words }: Given): Promise<number> {
  const [rounds = "25", starts = "200"] = words;
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-bench-" });
  try {
    const sets = await toolSets();
    await measureHits(folder, sets, toNumber("ROUNDS", rounds));
    await measureLong(folder, sets, toNumber("ROUNDS", rounds));
    return await startAtOnce(folder, toNumber("STARTS", starts));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The shells and awks of this machine. */
async function toolSets(): Promise<Sets> {
  const usual = await findTools("usual");
  const fastest = await findTools();
  const [bash, gawk, mawk, busybox] = await Promise.all(
    ["bash", "gawk", "mawk", "busybox"].map((name) => findProgram(name)),
  );
  const applet = (name: string): readonly string[] => [busybox ?? "", name];
  const sets: Record<string, DispatcherTools> = {};
  if (mawk !== undefined) {
    if (busybox !== undefined) sets["dash, mawk, busybox"] = fastest;
    sets["dash, mawk"] = { ...usual, awk: [mawk], awkKeepsNul: true };
  }
  if (busybox !== undefined) {
    sets["busybox alone"] = {
      ...{ sh: `${busybox} sh`, shNests: true },
      ...{ awk: applet("awk"), awkKeepsNul: false },
      ...{ tr: applet("tr"), stat: applet("stat"), env: applet("env") },
      ...{ mv: applet("mv"), rm: applet("rm"), date: applet("date") },
      mkdir: applet("mkdir"),
    };
  }
  const withGawk = { ...usual, awk: [gawk ?? ""], awkKeepsNul: true };
  const withBash = { sh: bash ?? "", shNests: false };
  if (gawk !== undefined) sets["dash, gawk"] = withGawk;
  if (bash !== undefined && mawk !== undefined) {
    sets["bash as sh, mawk"] = { ...usual, ...withBash, awk: [mawk] };
  }
  if (bash !== undefined && gawk !== undefined) {
    sets["bash as sh, gawk"] = { ...withGawk, ...withBash };
  }
  return sets;
}

async function measureHits(
  folder: string,
  sets: Sets,
  rounds: number,
): Promise<void> {
  const cases: Case[] = [];
  for (const [i, tools] of Object.values(sets).entries()) {
    const at = join(folder, `hits${i}`);
    const wrapper = await newWrapper(at, tools);
    const bundle = await newBundle(join(at, "bundle"), {});
    for (const kind of ["hook", "wrapper"] as const) {
      cases.push({ wrapper, kind, bundle, leastMs: Infinity });
    }
  }
  await takeTurns(cases, rounds);
  const rows: string[][] = [];
  for (const [i, name] of Object.keys(sets).entries()) {
    const row = [name];
    for (const one of cases.slice(2 * i, 2 * i + 2)) {
      row.push(await countCalls(one, join(folder, "calls")), toMs(one));
    }
    rows.push(row);
  }
  print("Starts with a filter in the store", [
    ["programs", "hook: calls", "CPU ms", "wrapper: calls", "CPU ms"],
    ...rows,
  ]);
}

/** Long values, as parts of a plain one of the same length. */
async function measureLong(
  folder: string,
  sets: Sets,
  rounds: number,
): Promise<void> {
  const values: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "plain": envOf("x".repeat(LONG)),
    "quotes": envOf('"'.repeat(LONG / 2)),
    "backslashes": envOf("\\".repeat(LONG / 2)),
    "array elements": { args: Array(Math.floor(LONG / 4)).fill("a") },
    "empty elements": { args: Array(Math.floor(LONG / 3)).fill("") },
  };
  const names = Object.keys(values);
  const awks = Object.entries(sets).filter(([name]) =>
    ["dash, mawk", "dash, gawk", "busybox alone"].includes(name)
  );
  const cases: Case[] = [];
  for (const [i, [, tools]] of awks.entries()) {
    const at = join(folder, `long${i}`);
    const wrapper = await newWrapper(at, tools);
    for (const kind of ["hook", "wrapper"] as const) {
      for (const [j, value] of Object.values(values).entries()) {
        const bundle = await newBundle(join(at, `${kind}${j}`), value);
        cases.push({ wrapper, kind, bundle, leastMs: Infinity });
      }
    }
  }
  await takeTurns(cases, Math.ceil(rounds / 5));
  const rows: string[][] = [];
  for (const [i, [name]] of awks.entries()) {
    for (const [k, kind] of ["hook", "wrapper"].entries()) {
      const start = (2 * i + k) * names.length;
      const own = cases.slice(start, start + names.length);
      const plain = own[0]?.leastMs ?? 0;
      rows.push([
        `${name}, ${kind}`,
        ...own.map(({ leastMs }) =>
          `${leastMs.toFixed(1)} (${(leastMs / plain).toFixed(2)})`
        ),
      ]);
    }
  }
  print(`Values of ${LONG} bytes of JSON: CPU ms (as a part of plain)`, [
    ["programs", ...names],
    ...rows,
  ]);
}

function envOf(value: string): Readonly<Record<string, unknown>> {
  return { env: [`LONG=${value}`] };
}

/** Starts at once on a cold store; 1 if one has no filter of ours. */
async function startAtOnce(folder: string, starts: number): Promise<number> {
  const rows: string[][] = [];
  let faults = 0;
  for (const kind of ["hook", "wrapper"] as const) {
    const at = join(folder, `cold-${kind}`);
    const wrapper = await newWrapper(at, await findTools());
    const cases: Case[] = [];
    for (let i = 0; i < starts; i++) {
      const bundle = await newBundle(join(at, `bundle${i}`), {});
      cases.push({ wrapper, kind, bundle, leastMs: Infinity });
    }
    const before = performance.now();
    const filters = await Promise.all(cases.map((one) => runCase(one)));
    const seconds = (performance.now() - before) / 1000;
    const log = await Deno.readTextFile(join(at, "hook.log"));
    const compiled = log.match(/compiled and proved/g)?.length ?? 0;
    const bad = filters.filter((filter) => filter === "").length;
    const different = new Set(filters).size;
    faults += bad + different - 1;
    rows.push([
      ...[kind, String(starts), String(bad), String(compiled)],
      ...[String(different), seconds.toFixed(1)],
    ]);
  }
  print("Starts at once without a store", [
    [
      "",
      "starts",
      "without it",
      "compilations",
      "different filters",
      "seconds",
    ],
    ...rows,
  ]);
  return faults === 0 ? 0 : 1;
}

async function newWrapper(
  folder: string,
  tools: DispatcherTools,
): Promise<Wrapper> {
  await Deno.mkdir(folder, { recursive: true });
  const runtime = join(folder, RUNTIME);
  await Deno.copyFile("/bin/busybox", runtime);
  return await createWrapper(folder, runtime, tools);
}

/** Writes a bundle with Docker's default profile. */
async function newBundle(
  bundle: string,
  process: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { seccomp } = resolveParsed(parseProfile(DEFAULT_PROFILE), {
    arch: ["x86_64", "x86", "x32"],
    kernel: parseKernelRelease(kernelRelease()),
  });
  await Deno.mkdir(bundle, { recursive: true });
  const text = bundleConfigText({
    ...{ setup: "section", seccomp, annotation: "", command: "true", process },
  });
  for (const name of ["config.json", "config.orig"]) {
    await Deno.writeTextFile(join(bundle, name), text);
  }
  return bundle;
}

/** Starts all cases in each round; the first one fills the stores. */
async function takeTurns(
  cases: readonly Case[],
  rounds: number,
): Promise<void> {
  for (const one of cases) await runCase(one);
  for (let round = 0; round < rounds; round++) {
    for (const one of cases) {
      const ms = await measureBatch(one);
      one.leastMs = Math.min(one.leastMs, ms);
    }
  }
}

/** Processor time of a start. */
async function measureBatch({ wrapper, kind, bundle }: Case): Promise<number> {
  const command = kind === "hook"
    ? `${wrapper.hook} <config.orig >/dev/null`
    : `printf %s "$config" >config.json && ${wrapper.path} create --bundle ${bundle} id`;
  const script = `config=$(cat config.orig)
i=0
while [ $i -lt $1 ]; do { ${command}; } || exit; i=$((i + 1)); done`;
  const measure = async (starts: number): Promise<number> => {
    const before = childrenCpuMs();
    const { success } = await new Deno.Command("/bin/sh", {
      args: ["-c", script, "sh", String(starts)],
      clearEnv: true,
      cwd: bundle,
      ...{ stdout: "null", stderr: "null" },
    }).output();
    if (!success) throw new Error(`The ${kind} refuses ${bundle}`);
    return childrenCpuMs() - before;
  };
  const none = await measure(0);
  return (await measure(BATCH) - none) / BATCH;
}

/** The words that start a case. */
function wordsOf({ wrapper, kind, bundle }: Case): readonly string[] {
  return kind === "hook"
    ? [wrapper.hook]
    : [wrapper.path, "create", "--bundle", bundle, "id"];
}

/** Starts a case; answers the filter that the container gets. */
async function runCase(
  one: Case,
  prefix: readonly string[] = [],
): Promise<string> {
  const original = await Deno.readFile(join(one.bundle, "config.orig"));
  const path = join(one.bundle, "config.json");
  if (one.kind === "wrapper") await Deno.writeFile(path, original);
  const [program = "", ...args] = [...prefix, ...wordsOf(one)];
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    ...{ stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  const writer = child.stdin.getWriter();
  if (one.kind === "hook") await writer.write(original);
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) return "";
  const text = one.kind === "hook"
    ? new TextDecoder().decode(stdout)
    : await Deno.readTextFile(path);
  return /"run\.oci\.seccomp_bpf_data": ?"([^"]+)"/.exec(text)?.[1] ?? "";
}

/** System calls until the runtime starts. */
async function countCalls(one: Case, file: string): Promise<string> {
  const strace = await findProgram("strace");
  if (strace === undefined) return "–";
  await runCase(one, [strace, "-f", "-o", file]);
  let calls = 0;
  for (const line of (await Deno.readTextFile(file)).split("\n")) {
    if (/execve\(".*\/true", \[".*\/true", "create"/.test(line)) break;
    if (/^\d+ +\w+\(/.test(line)) calls++;
  }
  return String(calls);
}

function toMs({ leastMs }: Case): string {
  return leastMs.toFixed(2);
}

function print(title: string, rows: readonly (readonly string[])[]): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(`${title}\n\n${formatTable(rows, { left: [0] })}`);
}

if (import.meta.main) start(MANUAL, main);
