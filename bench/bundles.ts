/**
 * OCI bundles for the measurements: one for each setup, with a static busybox,
 * and one container of each that runs for `exec` to enter.
 *
 * A machine that mixes cgroup versions stops crun; there crun gets a mount
 * namespace with a plain cgroup2 mount, held by a process, entered by nsenter.
 *
 * @module
 */

import { join } from "@std/path";
import type { LinuxSeccomp } from "../profile/oci.ts";

/** What a container has. */
export type Setup = "none" | "section" | "annotation";
/** Container runtimes that are measured. */
export type Runtime = "crun" | "runc";

/** What bundles are made of. */
export interface BundleOptions {
  readonly seccomp: LinuxSeccomp;
  /** Our filter in base64. */
  readonly annotation: string;
  /** Gets what is not possible here. */
  readonly leftOut: string[];
}

/** Bundles, ready to run. */
export interface Bundles {
  readonly runtimes: readonly Runtime[];
  /** Starts containers one after the other and waits for their ends. */
  run(runtime: Runtime, setup: Setup, count: number): Promise<void>;
  /** Starts processes in the running container, one after the other. */
  exec(runtime: Runtime, setup: Setup, count: number): Promise<void>;
  /** Ends and removes everything. */
  remove(): Promise<void>;
}

const BUSYBOX = "/bin/busybox";
const CGROUP2_VIEW =
  "umount -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && echo ready && exec sleep 100000";
/** Runs a command again and again; stops at the first failure. */
const LOOP =
  'n=$1; shift; while [ "$n" -gt 0 ]; do "$@" </dev/null >/dev/null || exit 1; n=$((n-1)); done';
const SETUPS: readonly Setup[] = ["none", "section", "annotation"];

/** Makes bundles, or says why not. */
export async function createBundles(
  { seccomp, annotation, leftOut }: BundleOptions,
): Promise<Bundles | undefined> {
  if (Deno.uid() !== 0) {
    leftOut.push("containers: not root");
    return undefined;
  }
  if (!exists(BUSYBOX)) {
    leftOut.push("containers: no static busybox: install busybox-static");
    return undefined;
  }
  const runtimes = (["crun", "runc"] as const).filter((runtime) => {
    const found = isInstalled(runtime);
    if (!found) leftOut.push(`containers: ${runtime} is not installed`);
    return found;
  });
  if (runtimes.length === 0) return undefined;
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-bench-" });
  for (const setup of SETUPS) {
    for (const [name, args] of [["run", "true"], ["exec", "sleep 100000"]]) {
      const bundle = join(directory, `${setup}-${name}`);
      await Deno.mkdir(join(bundle, "rootfs/bin"), { recursive: true });
      await Deno.mkdir(join(bundle, "rootfs/proc"));
      await Deno.mkdir(join(bundle, "rootfs/dev"));
      await Deno.copyFile(BUSYBOX, join(bundle, "rootfs/bin/busybox"));
      await Deno.writeTextFile(
        join(bundle, "config.json"),
        configText(args ?? "", setup, seccomp, annotation),
      );
    }
  }
  const view = hasHybridCgroups() ? await openView() : undefined;
  const prefix = (runtime: Runtime): readonly string[] => [
    ...(view === undefined || runtime !== "crun"
      ? []
      : ["nsenter", `--mount=/proc/${view.pid}/ns/mnt`]),
  ];
  const loop = async (
    runtime: Runtime,
    count: number,
    words: readonly string[],
  ): Promise<void> => {
    await succeed([
      ...prefix(runtime),
      ...["sh", "-c", LOOP, "sh", String(count), runtime],
      ...["--root", join(directory, `state-${runtime}`), ...words],
    ]);
  };
  const started = new Set<string>();
  return {
    runtimes,
    run: async (runtime, setup, count): Promise<void> => {
      const bundle = join(directory, `${setup}-run`);
      await loop(runtime, count, [
        ...["run", "--bundle", bundle, `bench-${Deno.pid}-${setup}`],
      ]);
    },
    exec: async (runtime, setup, count): Promise<void> => {
      const id = `bench-${Deno.pid}-exec-${setup}`;
      if (!started.has(`${runtime} ${id}`)) {
        const bundle = join(directory, `${setup}-exec`);
        await loop(runtime, 1, ["run", "--detach", "--bundle", bundle, id]);
        started.add(`${runtime} ${id}`);
      }
      await loop(runtime, count, ["exec", id, "/bin/busybox", "true"]);
    },
    remove: async (): Promise<void> => {
      for (const name of started) {
        const [runtime = "", id = ""] = name.split(" ");
        await loop(runtime as Runtime, 1, ["delete", "--force", id]);
      }
      if (view !== undefined) {
        view.kill("SIGKILL");
        await view.stdout.cancel();
        await view.status;
      }
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function openView(): Promise<Deno.ChildProcess> {
  const child = new Deno.Command("unshare", {
    args: ["--mount", "--propagation", "private", "sh", "-c", CGROUP2_VIEW],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  return child;
}

async function succeed(words: readonly string[]): Promise<void> {
  const [program = "", ...args] = words;
  // No pipes: a container that goes on would hold them open.
  const { success, code } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn().status;
  if (success) return;
  throw new Error(
    `Cannot measure containers: "${words.join(" ")}" ended with ${code}`,
  );
}

function configText(
  command: string,
  setup: Setup,
  seccomp: LinuxSeccomp,
  annotation: string,
): string {
  const config = {
    ociVersion: "1.0.0",
    ...(setup === "annotation"
      ? { annotations: { "run.oci.seccomp_bpf_data": annotation } }
      : {}),
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: [BUSYBOX, ...command.split(" ")],
      env: ["PATH=/bin"],
      cwd: "/",
      noNewPrivileges: false,
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
    ],
    linux: {
      namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }],
      ...(setup === "none" ? {} : { seccomp: sectionOf(seccomp) }),
    },
  };
  // 64-bit values keep all their digits.
  return JSON.stringify(
    config,
    (_key, value) => typeof value === "bigint" ? `bigint:${value}` : value,
  ).replace(/"bigint:(\d+)"/g, "$1");
}

function sectionOf(seccomp: LinuxSeccomp): Record<string, unknown> {
  return {
    ...seccomp,
    syscalls: seccomp.syscalls.map(({ path: _, ...entry }) => entry),
  };
}

function hasHybridCgroups(): boolean {
  const mounts = Deno.readTextFileSync("/proc/self/mountinfo");
  return / - cgroup /.test(mounts) && / - cgroup2 /.test(mounts);
}

function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) =>
    exists(join(directory, program))
  );
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
