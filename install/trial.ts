/**
 * Starts a real container after an installation and checks that its live filter
 * is from the store, byte for byte.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { dumpFilters } from "../ffi/live/dump.ts";
import { optimizeCaches } from "../hook/cache/run.ts";
import { gatherContext } from "../hook/context.ts";
import { startDeadline } from "../hook/deadline.ts";
import { rememberLeft } from "../hook/filter.ts";
import { compareWithHost } from "../hook/host_reference.ts";
import { loadSettings } from "../hook/settings.ts";
import { openStore } from "../hook/store/store.ts";
import { ask, type CommandResult } from "../host/command.ts";
import { findContainers } from "./containers.ts";
import { RUNTIME_NAME } from "./managers/docker.ts";
import { InstallError } from "./error.ts";
import type { Layout } from "./changes/layout.ts";
import type { ManagerName } from "./changes/manifest.ts";
import { findBelow } from "./runtimes.ts";
import { type Mode, settingsPath } from "./managers/target.ts";
import { tarOf, tinyPause } from "./tiny.ts";

/** Result of a trial. */
export type Trial =
  | {
    readonly kind: "verified";
    /** Number of instructions of the live filter. */
    readonly instructions: number;
    /** Key of the store's entry; absent if it came from crun's cache. */
    readonly entry?: string;
    /**
     * How the host's libseccomp differs; absent if it does not, or was not
     * consulted.
     */
    readonly left?: string;
  }
  /** A container runs, but its filter cannot be read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** The installation to try. */
export interface TrialOptions {
  readonly layout: Layout;
  readonly mode: Mode;
  /** Path of the program that the manager starts. */
  readonly handler: string;
}

/** A container for a trial. */
interface Subject {
  /** Its unique name. */
  readonly name: string;
  /** Folder of its only file, `/pause`. */
  readonly rootfs: string;
  /** The manager's command line. */
  readonly program: string;
}

/** Starts the container; returns its init's process id. */
type Start = (subject: Subject, handler: string) => Promise<number>;

/** How to start a container and to remove it. */
const TRIALS: Readonly<
  Partial<
    Record<ManagerName, {
      readonly program: string;
      readonly start: Start;
      readonly end: (subject: Subject) => Promise<void>;
    }>
  >
> = {
  podman: { program: "podman", start: startPodman, end: endPodman },
  docker: { program: "docker", start: startDocker, end: endDocker },
  containerd: { program: "ctr", start: startContainerd, end: endContainerd },
};

/**
 * Starts a container and checks its filter.
 *
 * @param target The manager that starts it.
 * @param options The installation.
 * @returns The result; absent if the manager cannot start a container here.
 * @throws {InstallError} `not-verified` if no container starts or its filter is
 * a different one.
 */
export async function tryContainer(
  target: ManagerName,
  { layout, mode, handler }: TrialOptions,
): Promise<Trial | undefined> {
  const trial = TRIALS[target];
  const found = trial && await findBelow("/", trial.program);
  if (trial === undefined || found === undefined) return undefined;
  if (target === "containerd" && !await isRunning(found.path)) return undefined;
  const rootfs = await Deno.makeTempDir({ prefix: "seccomp-tree-trial-" });
  const name = `seccomp-tree-trial-${crypto.randomUUID()}`;
  const subject = { name, rootfs, program: found.path };
  try {
    await Deno.chmod(rootfs, 0o755);
    await Deno.writeFile(`${rootfs}/pause`, tinyPause());
    await Deno.chmod(`${rootfs}/pause`, 0o755);
    if (mode === "cache") {
      // The first container makes crun build the filter that the second one
      // gets.
      await becomePause(await trial.start(subject, handler));
      await trial.end(subject);
      await optimizeCaches({ write: (): void => {} });
    }
    const pid = await trial.start(subject, handler);
    await becomePause(pid);
    return mode === "cache" ? await judgeCached(pid) : await compareTrial(
      await judgeFilter(pid, layout.store),
      target,
      layout,
    );
  } finally {
    await trial.end(subject);
    await Deno.remove(rootfs, { recursive: true }).catch(() => {});
  }
}

/**
 * Reports whether containerd answers; `ctr` itself would wait 10 s for it.
 */
async function isRunning(ctr: string): Promise<boolean> {
  return (await ask([ctr, "--connect-timeout=2s", "version"])).code === 0;
}

/** Time limit for a container to start, on a busy machine too. */
const START_MS = 120_000;

/** Decreasing requirements on the machine, until a container starts. */
const ATTEMPTS: readonly (readonly string[])[] = [
  [],
  ["--cgroups=disabled"],
  ["--cgroups=disabled", "--ulimit=host"],
];

async function startPodman(subject: Subject): Promise<number> {
  const { program, name, rootfs } = subject;
  let last: CommandResult = { code: 0, stdout: "", stderr: "" };
  for (const words of ATTEMPTS) {
    last = await ask([
      ...[program, "run", "--detach", "--name", name, "--network=none"],
      ...[...words, "--rootfs", rootfs, "/pause"],
    ], { limitMs: START_MS });
    if (last.code === 0) {
      const format = ["--format", "{{.State.Pid}}"];
      return pidOf(await ask([program, "inspect", ...format, name]));
    }
    await endPodman(subject);
    if (last.code === TOO_LONG) break;
  }
  throw noContainer(reasonOf(last));
}

async function endPodman({ program, name }: Subject): Promise<void> {
  await ask([program, "rm", "--force", "--time=0", name]);
}

async function startDocker(
  { program, name, rootfs }: Subject,
): Promise<number> {
  const input = tarOf("pause", await Deno.readFile(`${rootfs}/pause`));
  const limitMs = START_MS;
  need(await ask([program, "import", "-", name], { input, limitMs }));
  need(
    await ask([
      ...[program, "run", "--detach", "--name", name, "--network=none"],
      ...["--runtime", RUNTIME_NAME, name, "/pause"],
    ], { limitMs }),
  );
  const format = ["--format", "{{.State.Pid}}"];
  return pidOf(await ask([program, "inspect", ...format, name]));
}

async function endDocker({ program, name }: Subject): Promise<void> {
  await ask([program, "rm", "--force", name]);
  await ask([program, "rmi", name]);
}

async function startContainerd(
  { program, name, rootfs }: Subject,
  handler: string,
): Promise<number> {
  need(
    await ask([
      ...[program, "run", "--detach", "--seccomp", "--rootfs"],
      ...["--runc-binary", handler],
      ...[rootfs, name, "/pause"],
    ], { limitMs: START_MS }),
  );
  const tasks = await ask([program, "tasks", "list"]);
  const line = tasks.stdout.split("\n").find((l) => l.startsWith(`${name} `));
  return Number(line?.split(/\s+/)[1] ?? 0);
}

async function endContainerd({ program, name }: Subject): Promise<void> {
  await ask([program, "tasks", "delete", "--force", name]);
  await ask([program, "containers", "delete", name]);
}

function need(outcome: CommandResult): void {
  if (outcome.code !== 0) throw noContainer(reasonOf(outcome));
}

function pidOf(outcome: CommandResult): number {
  need(outcome);
  return Number(outcome.stdout.trim());
}

/** Exit status of a command that was ended by its time limit. */
const TOO_LONG = 124;

function reasonOf({ code, stderr }: CommandResult): string {
  if (stderr.trim() !== "") return stderr.trim();
  return code === TOO_LONG
    ? `none within ${START_MS / 1000} s`
    : `status ${code} without a message`;
}

function noContainer(reason: string): InstallError {
  return new InstallError(
    "not-verified",
    `Cannot verify: no container starts: ${reason}; run "seccomp-tree doctor", or uninstall`,
  );
}

/**
 * Maximum time for a started process to execute the program, in tenths of a
 * second.
 */
const EXEC_TRIES = 50;

/** With no_new_privs, crun attaches the filter after `start` has returned. */
async function becomePause(pid: number): Promise<void> {
  for (let i = 0; i < EXEC_TRIES; i++) {
    const words = await Deno.readTextFile(`/proc/${pid}/cmdline`)
      .catch(() => "");
    if (words === "/pause\0") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw noContainer(`process ${pid} does not become the program`);
}

/**
 * Compares the filter of a container with the entries of the store.
 *
 * @param pid Its init.
 * @param directory The store.
 * @throws {InstallError} `not-verified` if it is a different one.
 */
export async function judgeFilter(
  pid: number,
  directory: string,
): Promise<Trial> {
  let filters: readonly Uint8Array[];
  try {
    filters = dumpFilters(pid);
  } catch (error) {
    const reason = messageOf(error);
    return { kind: "unreadable", reason };
  }
  const [live, second] = filters;
  const store = await openStore(directory);
  for (const { entry } of await store?.list() ?? []) {
    if (entry === undefined || live === undefined || second !== undefined) {
      continue;
    }
    if (entry.bytes.toHex() === live.toHex()) {
      return {
        kind: "verified",
        instructions: live.length / 8,
        entry: entry.key,
      };
    }
  }
  throw new InstallError(
    "not-verified",
    `Cannot verify: the container's filter (${
      live === undefined ? "none" : `${live.length / 8} instructions`
    }) is not in "${directory}"; see the hook's log and run "seccomp-tree doctor"`,
  );
}

/** Time limit of a comparison with the host's library, in milliseconds. */
const COMPARE_MS = 60_000;

/** Leaves the section to its runtime if the host's libseccomp builds another filter. */
async function compareTrial(
  trial: Trial,
  target: ManagerName,
  layout: Layout,
): Promise<Trial> {
  if (trial.kind !== "verified" || trial.entry === undefined) return trial;
  const settings = await loadSettings(settingsPath(layout, target));
  if (settings.reference === "text") return trial;
  const context = await gatherContext(
    settings,
    startDeadline(COMPARE_MS),
    { write: (): void => {} },
  );
  const items = await context.store?.list() ?? [];
  const entry = items.find(({ entry }) => entry?.key === trial.entry)?.entry;
  if (entry === undefined) return trial;
  const compared = await compareWithHost(entry, context.environment);
  if (compared.kind !== "different") return trial;
  const { detail } = compared;
  await rememberLeft(entry.section, { reason: "reference", detail }, context);
  return { ...trial, left: detail };
}

/** Checks that a container runs a filter from crun's cache. */
async function judgeCached(pid: number): Promise<Trial> {
  const found = (await findContainers(undefined, []))
    .find((container) => container.pid === pid);
  if (found?.filter === "unknown") {
    return { kind: "unreadable", reason: found.detail };
  }
  if (found?.filter === "tree" && found.instructions !== undefined) {
    return { kind: "verified", instructions: found.instructions };
  }
  throw new InstallError(
    "not-verified",
    `Cannot verify: the container's filter (${
      found?.instructions ?? "unknown number of"
    } instructions) is not a replaced one of crun's cache; see "seccomp-tree cache status"`,
  );
}
