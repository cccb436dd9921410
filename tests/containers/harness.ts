/**
 * Real containers for tests: OCI bundles in temporary folders, crun and runc
 * with a time limit, and adjustments for this machine. Every container has its
 * own id and state folder, so tests may run in parallel.
 *
 * A normal host with cgroup v2 needs no adjustment. If versions 1 and 2 are
 * mixed, crun stops with "cgroups in hybrid mode not supported" and is given a
 * private mount namespace with a plain cgroup2 mount.
 *
 * ```ts
 * await using bundle = await createBundle({ args: ["/bin/busybox", "true"] });
 * const { code } = await bundle.run("crun");
 * ```
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { pathOf, PATIENCE_S, say } from "../machine.ts";
import { type ConfigOptions, ociConfig, writeJson } from "./config.ts";

/** A runtime that is not this machine's own, such as one of another release. */
export interface RuntimeCommand {
  /** Its name, which file names may have. */
  readonly name: string;
  /** The command that starts it on this machine. */
  readonly words: readonly string[];
  /** Name of the environment variable that gets the path of the bundle. */
  readonly bundleVariable?: string;
}

/** The runtimes tests start containers with. */
export type Runtime = "crun" | "runc" | RuntimeCommand;

/** Ingredients of a bundle. */
export interface BundleOptions extends ConfigOptions {
  /** Files of the root file system by absolute path, executable. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** Result of a command. */
export interface Outcome {
  /** Exit status; 124 when the time limit was reached. */
  readonly code: number;
  readonly stdout: Uint8Array;
  /** Its standard error, for messages. */
  readonly stderr: string;
}

/** An OCI bundle; disposing of it ends its container and removes all files. */
export interface Bundle extends AsyncDisposable {
  /** Path of `config.json`. */
  readonly configPath: string;
  /** Runs the container to its end. */
  run(runtime: Runtime): Promise<Outcome>;
  /** Creates the container and returns the process id of its init. */
  create(runtime: Runtime): Promise<number>;
  /** Starts the process that `create` prepared. */
  start(runtime: Runtime): Promise<void>;
  /** Starts another process in the container and returns its id. */
  execDetached(runtime: Runtime, args: readonly string[]): Promise<number>;
  /** Runs another process in the container to its end. */
  exec(runtime: Runtime, args: readonly string[]): Promise<Outcome>;
}

/** Lines of `sh` that give crun a plain cgroup2 mount and then execute it. */
const CGROUP2_VIEW =
  'umount -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"';

/**
 * Makes a bundle with a static busybox and no container yet.
 *
 * @param options Command line, profile, files.
 * @returns The bundle; bind it with `await using`.
 */
export async function createBundle(options: BundleOptions): Promise<Bundle> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  const id = `seccomp-tree-${crypto.randomUUID()}`;
  const used = new Set<Runtime>();
  const configPath = join(directory, "config.json");
  try {
    const rootfs = join(directory, "rootfs");
    await Deno.mkdir(join(rootfs, "bin"), { recursive: true });
    await Deno.mkdir(join(rootfs, "proc"));
    await Deno.mkdir(join(rootfs, "dev"));
    await Deno.copyFile(pathOf("busybox") ?? "", join(rootfs, "bin/busybox"));
    for (const [path, bytes] of Object.entries(options.files ?? {})) {
      await Deno.writeFile(join(rootfs, path), bytes, { mode: 0o755 });
    }
    await Deno.writeTextFile(configPath, writeJson(ociConfig(options)));
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    throw error;
  }

  const call = async (
    runtime: Runtime,
    ...words: readonly string[]
  ): Promise<Outcome> => {
    used.add(runtime);
    const { name, bundleVariable } = typeof runtime === "string"
      ? { name: runtime }
      : runtime;
    const root = join(directory, `state-${name}`);
    return await command(
      directory,
      [...await runtimeWords(runtime), "--root", root, ...words],
      bundleVariable === undefined ? {} : { [bundleVariable]: directory },
    );
  };
  const pidFile = join(directory, "pid");
  const readPid = async (): Promise<number> =>
    Number((await Deno.readTextFile(pidFile)).trim());

  return {
    configPath,
    run: async (runtime) =>
      await call(runtime, "run", "--bundle", directory, id),
    create: async (runtime) => {
      succeed(
        await call(
          runtime,
          "create",
          "--bundle",
          directory,
          "--pid-file",
          pidFile,
          id,
        ),
      );
      return await readPid();
    },
    start: async (runtime) => {
      succeed(await call(runtime, "start", id));
    },
    execDetached: async (runtime, args) => {
      succeed(
        await call(
          runtime,
          "exec",
          "--detach",
          "--pid-file",
          pidFile,
          id,
          ...args,
        ),
      );
      return await readPid();
    },
    exec: async (runtime, args) => await call(runtime, "exec", id, ...args),
    [Symbol.asyncDispose]: async () => {
      for (const runtime of used) await call(runtime, "delete", "--force", id);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Fails with the runtime's message unless it ended with 0. */
export function succeed(outcome: Outcome): void {
  assertEquals(
    outcome.code,
    0,
    `exit status, after "${outcome.stderr.trim()}"`,
  );
}

/** Waits until a process has become a program. */
export async function waitForCommand(pid: number, name: string): Promise<void> {
  for (let i = 0; i < 100 * PATIENCE_S; i++) {
    const words = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
    if (words.includes(name)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot find "${name}" in process ${pid}`);
}

/**
 * Runs a command with a time limit and without input. Its output goes to
 * files: a container left running would keep a pipe open forever.
 */
async function command(
  directory: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const name = join(directory, `out-${crypto.randomUUID()}`);
  const { code } = await new Deno.Command("timeout", {
    args: [
      "--kill-after=5",
      String(PATIENCE_S),
      "sh",
      "-c",
      'out=$1; shift; exec "$@" >"$out" 2>"$out.err"',
      "sh",
      name,
      ...words,
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return {
    code,
    stdout: await Deno.readFile(name),
    stderr: await Deno.readTextFile(`${name}.err`),
  };
}

/** The words that start a runtime on this machine. */
async function runtimeWords(runtime: Runtime): Promise<readonly string[]> {
  if (typeof runtime !== "string") return runtime.words;
  if (runtime === "runc" || !await hasHybridCgroups()) return [runtime];
  say("crun gets a private cgroup2 mount: this machine mixes cgroup versions");
  return [
    ...["unshare", "--mount", "--propagation", "private"],
    ...["sh", "-c", CGROUP2_VIEW, "sh", runtime],
  ];
}

/**
 * Reports whether version 1 controllers and a version 2 mount are used
 * together.
 */
async function hasHybridCgroups(): Promise<boolean> {
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  return / - cgroup /.test(mounts) && / - cgroup2 /.test(mounts);
}
