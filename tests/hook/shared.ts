/**
 * Common code of the hook's tests: folders, settings, configurations, and the
 * hook as managers call it, in its own process with an empty environment.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import type { DispatcherOptions } from "../../hook/dispatcher/dispatcher.ts";
import type { DispatcherTools } from "../../hook/dispatcher/tools.ts";
import { dockerDefault } from "../containers/docker_default.ts";
import { absence, has, type Need, pathOf, PATIENCE_S } from "../machine.ts";
import { type Json, ociConfig, writeJson } from "../containers/config.ts";

/** Source of names of the hook: the host's if available. */
export const NAMES: "host" | "builtin" = absence("libseccomp") === undefined
  ? "host"
  : "builtin";

/** `hook/main.ts` of this checkout. */
export const HOOK: string = fromFileUrl(
  new URL("../../hook/main.ts", import.meta.url),
);

/** Command line that starts the hook as an installation does. */
export const HOOK_WORDS: readonly string[] = [
  Deno.execPath(),
  "run",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "-A",
  HOOK,
];

/** Result of a process. */
export interface Ended {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** The part of a line of the log that tests read. */
export interface LogLine {
  readonly level: string;
  readonly code: string;
  readonly msg: string;
}

/** A folder with a store and settings; disposing of it removes all. */
export interface Setup extends AsyncDisposable {
  readonly directory: string;
  readonly store: string;
  readonly settingsPath: string;
  readonly logPath: string;
  /** Lines of the log. */
  log(): Promise<string>;
  /** Those of level "error", read; a host without crun has other lines as well. */
  errors(): Promise<readonly LogLine[]>;
}

/** Makes a folder with settings for a store that does not exist yet. */
export async function createSetup(
  more: Readonly<Record<string, Json>> = {},
): Promise<Setup> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-hook-" });
  const store = join(directory, "store");
  const settingsPath = join(directory, "hook.json");
  const logPath = join(directory, "log");
  const settings = {
    ...{ store, log: logPath, names: NAMES, runtimeKind: "crun" },
    // Hung, not slow: the deadline of a container is shorter.
    deadlineMs: 1000 * PATIENCE_S,
  };
  await Deno.writeTextFile(
    settingsPath,
    JSON.stringify({ ...settings, ...more }),
    { mode: 0o600 },
  );
  const log = async (): Promise<string> => {
    try {
      return await Deno.readTextFile(logPath);
    } catch {
      return "";
    }
  };
  return {
    directory,
    store,
    settingsPath,
    logPath,
    log,
    errors: async () =>
      (await log()).split("\n").filter((line) => line !== "")
        .map((line): LogLine => JSON.parse(line))
        .filter(({ level }) => level === "error"),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

/** Runs a program with input and no environment. */
export async function runProgram(
  words: readonly string[],
  input: string | Uint8Array = "",
  options: { readonly cwd?: string; readonly env?: Record<string, string> } =
    {},
): Promise<Ended> {
  const [program = "", ...args] = words;
  const child = await spawnWritten(
    new Deno.Command(program, {
      args,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }),
  );
  const writer = child.stdin.getWriter();
  const bytes = typeof input === "string"
    ? new TextEncoder().encode(input)
    : input;
  // A program that does not read its input to the end is not a failure here.
  const written = writer.write(bytes).then(() => writer.close()).catch(
    () => {},
  );
  const { code, stdout, stderr } = await child.output();
  await written;
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

/**
 * Starts a program that this test may just have written. If a test on another
 * thread starts a program at that time, it has the file open for a moment, and
 * the kernel does not execute a file that is open for writing (ETXTBSY).
 */
async function spawnWritten(
  command: Deno.Command,
  tries = 100,
): Promise<Deno.ChildProcess> {
  try {
    return command.spawn();
  } catch (error) {
    const isBusy = error instanceof Error && /os error 26/.test(error.message);
    if (!isBusy || tries === 0) throw error;
  }
  await new Promise((done) => setTimeout(done, 20));
  return await spawnWritten(command, tries - 1);
}

/** Runs the hook with settings. */
export function runHook(
  setup: Setup,
  input: string | Uint8Array,
  more: readonly string[] = [],
): Promise<Ended> {
  return runProgram(
    [...HOOK_WORDS, "hook", "--settings", setup.settingsPath, ...more],
    input,
  );
}

/** The tools of a dispatcher, and their requirements. */
export interface ToolSet {
  readonly name: string;
  readonly tools: DispatcherTools;
}

/** Every shell and awk that the dispatcher supports and this machine has. */
export function toolSets(): readonly ToolSet[] {
  const path = (name: string): string => pathOf(name) ?? `/missing/${name}`;
  const busybox = (name: string): string[] => [path("busybox"), name];
  const coreutils = {
    tr: [path("tr")],
    stat: [path("stat")],
    env: [path("env")],
    mv: [path("mv")],
    rm: [path("rm")],
    mkdir: [path("mkdir")],
    flock: [path("flock")],
    date: [path("date")],
  };
  const mawk = { awk: [path("mawk")], awkKeepsNul: true, ...coreutils };
  const dash = path("dash");
  const sets: readonly (ToolSet & { readonly needs: readonly Need[] })[] = [
    {
      name: "dash and mawk",
      needs: ["dash", "mawk"],
      tools: { sh: dash, shNests: true, ...mawk },
    },
    {
      name: "dash and gawk",
      needs: ["dash", "gawk"],
      tools: { sh: dash, shNests: true, ...mawk, awk: [path("gawk")] },
    },
    {
      name: "dash and mawk by tr",
      needs: ["dash", "mawk"],
      tools: { sh: dash, shNests: true, ...mawk, awkKeepsNul: false },
    },
    {
      name: "dash, mawk and applets of busybox",
      needs: ["dash", "mawk", "busybox"],
      tools: {
        sh: dash,
        shNests: true,
        ...mawk,
        stat: busybox("stat"),
        mv: busybox("mv"),
      },
    },
    {
      name: "bash and gawk",
      needs: ["bash", "gawk"],
      tools: { ...mawk, sh: path("bash"), shNests: false, awk: [path("gawk")] },
    },
    {
      name: "busybox sh and mawk",
      needs: ["busybox", "mawk"],
      tools: { sh: `${path("busybox")} sh`, shNests: true, ...mawk },
    },
    {
      name: "busybox alone",
      needs: ["busybox"],
      tools: {
        sh: `${path("busybox")} sh`,
        shNests: true,
        awk: busybox("awk"),
        awkKeepsNul: false,
        tr: busybox("tr"),
        stat: busybox("stat"),
        env: busybox("env"),
        mv: busybox("mv"),
        rm: busybox("rm"),
        mkdir: busybox("mkdir"),
        date: busybox("date"),
      },
    },
  ];
  return sets.filter(({ name, needs }) =>
    needs.every((need) => has(need, `dispatchers of ${name}`))
  );
}

/** Options for a dispatcher whose slow path is the hook of this checkout. */
export function dispatcherOptions(
  setup: Setup,
  tools: DispatcherTools,
  slow: readonly string[] = HOOK_WORDS,
): DispatcherOptions {
  return {
    tools,
    slow,
    settingsPath: setup.settingsPath,
    store: setup.store,
    semantics: "crun",
    names: NAMES,
    owners: [...new Set([0, Deno.uid() ?? 0])],
    deadlineSeconds: PATIENCE_S,
    strict: false,
  };
}

/** Writes a program and returns its path. */
export async function writeProgram(
  directory: string,
  name: string,
  text: string,
): Promise<string> {
  const path = join(directory, name);
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, 0o755);
  return path;
}

/** A configuration with Docker's default profile, compact as Go writes it. */
export function dockerConfig(
  more: Readonly<Record<string, Json>> = {},
): string {
  const config = ociConfig({ args: ["/bin/busybox", "true"] });
  return compact({
    ...config as Record<string, Json>,
    linux: { seccomp: dockerDefault() },
    ...more,
  });
}

/** Writes a value as JSON without blanks; a bigint keeps its digits. */
export function compact(value: Json): string {
  return writeJson(value).split("\n").map((line) => line.trimStart()).join("")
    .replaceAll('": ', '":');
}

/** The annotation of a rewritten configuration; fails if none exists. */
export function annotationOf(text: string | Uint8Array): string {
  const config = JSON.parse(
    typeof text === "string" ? text : new TextDecoder().decode(text),
  );
  const value = config?.annotations?.["run.oci.seccomp_bpf_data"];
  if (typeof value !== "string") throw new Error(`No annotation in ${text}`);
  return value;
}

/** A small section, which compiles in no time. */
export const SMALL_SECTION =
  '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["read","write","exit_group"],"action":"SCMP_ACT_ALLOW"}]}';

/** A small configuration around it. */
export function smallConfig(
  options: {
    readonly section?: string;
    readonly head?: string;
    readonly tail?: string;
  } = {},
): string {
  const { section = SMALL_SECTION, head = "", tail = "" } = options;
  return `{"ociVersion":"1.0.0",${head}"linux":{"seccomp":${section}}${tail}}`;
}

/** The names in a folder, sorted. */
export async function namesIn(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map((entry) => entry.name).sort();
}
