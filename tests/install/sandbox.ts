/**
 * This machine with a copy of its configuration: a mount namespace in which
 * /etc, /usr/local, /var/lib, /var/cache and /root are overlays on memory and
 * /run is empty, so that tests can run installations for real managers without
 * a change to any file of the machine. All changes disappear with the
 * namespace.
 *
 * A machine that mixes cgroup versions gets a plain cgroup2 mount in there,
 * which crun asks for.
 *
 * ```ts
 * await using box = await openSandbox();
 * const { code } = await box.run(["podman", "info"]);
 * ```
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type Need, pathOf, PATIENCE_S } from "../machine.ts";
import { mayRaiseLimits, shimCrun } from "./shim.ts";

/** Result of a command. */
export interface Ended {
  /** Exit status; 124 when the time limit was reached. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The copy of the machine. */
export interface Sandbox extends AsyncDisposable {
  /** Folder as seen from outside that is `/` inside. */
  readonly root: string;
  /**
   * True if crun gets configurations without the parts that this machine
   * refuses.
   */
  readonly isShimmed: boolean;
  /** Runs a command in there to its end. */
  run(words: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs a command that has to succeed; returns its output without blanks around. */
  ok(...words: readonly string[]): Promise<string>;
  /** Runs one of our commands. */
  tree(...words: readonly string[]): Promise<Ended>;
  /** Starts a daemon; it ends with the sandbox. */
  start(words: readonly string[], log: string): void;
  /** Writes a file in there, its folders too. */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Reads a file in there. */
  read(path: string): Promise<string>;
}

/** Options of a command. */
export interface RunOptions {
  /** Its standard input; none by default. */
  readonly input?: string;
  /** Variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Folders that tests change. */
const COPIED = ["etc", "usr/local", "var/lib", "var/cache", "root"];

/** The commands of `install/`. */
export const MAIN: string = fromFileUrl(new URL("main.ts", import.meta.url));

const SETUP = `set -e
mount -t tmpfs tmpfs "$1"
for d in ${COPIED.join(" ")}; do
  mkdir -p "$1/$d/u" "$1/$d/w"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$1/$d/u,workdir=$1/$d/w" "/$d"
done
# The files that an installation has left on this machine.
find /etc /usr/local /var/lib /var/cache -maxdepth 4 \\
  -name '*seccomp-tree*' -prune -exec rm -rf {} +
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
if grep -q ' - cgroup ' /proc/self/mountinfo; then
  umount -l /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
echo ready
read -r end || true
`;

/** Podman without cgroups, without raising limits, with storage on memory. */
async function containersConf(): Promise<string> {
  const text = await Deno.readTextFile("/proc/self/limits");
  const limit = (name: string): number => {
    const hard = new RegExp(`^Max ${name} +\\S+ +(\\d+)`, "m").exec(text)?.[1];
    return Math.min(1024, Number(hard ?? 1024));
  };
  const [files, processes] = [limit("open files"), limit("processes")];
  return `[containers]
cgroups = "disabled"
default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]
[engine]
events_logger = "none"
cgroup_manager = "cgroupfs"
`;
}
const STORAGE_CONF = `[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

/** The needs of these tests. */
export const SANDBOX: readonly Need[] = [
  ...["x86_64", "mounts", "nsenter", "dump", "busybox", "crun"] as const,
  ...["runc", "podman", "buildah", "containerd", "ctr", "docker"] as const,
  ...["dockerd", "newuidmap"] as const,
];

/**
 * Ends the remains of a failed test, in any namespace: each process whose
 * mounts are overlays of the sandbox's folder.
 */
async function endAll(folder: string, keeper: number): Promise<void> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^[0-9]+$/.test(name) || Number(name) === keeper) continue;
    try {
      const mounts = await Deno.readTextFile(`/proc/${name}/mountinfo`);
      if (mounts.includes(`upperdir=${folder}/`)) {
        Deno.kill(Number(name), "SIGKILL");
      }
    } catch {
      // It has ended.
    }
  }
}

/**
 * Makes a copy of the machine.
 *
 * @returns The sandbox; bind it with `await using`.
 */
export async function openSandbox(): Promise<Sandbox> {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-box-" });
  const keeper = new Deno.Command("unshare", {
    args: [
      ...["--mount", "--propagation", "private", "sh", "-c", SETUP],
      ...["sh", folder],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = keeper.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "ready\n", "the sandbox");
  const root = `/proc/${keeper.pid}/root`;
  const daemons: Deno.ChildProcess[] = [];
  const enter = [`--target=${keeper.pid}`, "--mount", "--"];

  const write: Sandbox["write"] = async (path, text, mode = 0o644) => {
    const real = `${root}${path}`;
    await Deno.mkdir(real.slice(0, real.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(real, text);
    await Deno.chmod(real, mode);
  };
  const run: Sandbox["run"] = async (words, { input, env = {} } = {}) => {
    // Files, not pipes: a container left running would keep a pipe open.
    const name = `${folder}.${crypto.randomUUID()}`;
    const child = new Deno.Command("timeout", {
      args: [
        ...["--kill-after=5", String(PATIENCE_S), "sh", "-c"],
        'out=$1; shift; exec "$@" >"$out" 2>"$out.err"',
        ...["sh", name, "nsenter", ...enter, ...words],
      ],
      env,
      cwd: "/",
      stdin: input === undefined ? "null" : "piped",
    }).spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input)).catch(() => {});
      await writer.close().catch(() => {});
    }
    const { code } = await child.status;
    const stdout = await Deno.readTextFile(name);
    const stderr = await Deno.readTextFile(`${name}.err`);
    await Deno.remove(name);
    await Deno.remove(`${name}.err`);
    return { code, stdout, stderr };
  };
  const box: Sandbox = {
    root,
    isShimmed: !await mayRaiseLimits(),
    run,
    write,
    ok: async (...words) => {
      const { code, stdout, stderr } = await run(words);
      assertEquals(code, 0, `${words.join(" ")}: ${stderr}`);
      return stdout.trim();
    },
    tree: async (...words) =>
      await run([Deno.execPath(), "run", "-A", MAIN, ...words], {
        env: {
          CONTAINERD_ADDRESS: "/run/ctd.sock",
          DOCKER_HOST: "unix:///run/dockerd.sock",
        },
      }),
    start: (words, log) => {
      daemons.push(
        new Deno.Command("nsenter", {
          args: [
            ...enter,
            ...["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh"],
            ...[log, ...words],
          ],
          cwd: "/",
          stdin: "null",
        }).spawn(),
      );
    },
    read: (path) => Deno.readTextFile(`${root}${path}`),
    [Symbol.asyncDispose]: async () => {
      for (const daemon of daemons.reverse()) {
        try {
          daemon.kill("SIGTERM");
        } catch {
          // It has ended.
        }
        await daemon.status;
      }
      await endAll(folder, keeper.pid);
      await keeper.stdin.close();
      await reader.cancel();
      await keeper.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
  try {
    await write("/etc/containers/containers.conf", await containersConf());
    await write("/etc/containers/storage.conf", STORAGE_CONF);
    const bin = `${root}/var/lib/rootfs/bin`;
    await Deno.mkdir(bin, { recursive: true });
    await Deno.copyFile(pathOf("busybox") ?? "", `${bin}/busybox`);
    for (const name of ["sh", "sleep", "true", "echo", "cat", "grep"]) {
      await Deno.symlink("busybox", `${bin}/${name}`);
    }
    if (box.isShimmed) await shimCrun(box);
    return box;
  } catch (error) {
    await box[Symbol.asyncDispose]();
    throw error;
  }
}
