/**
 * OCI bundles for the measurements: one for each setup, with a static busybox,
 * and one running container of each that `exec` enters.
 *
 * crun fails on a machine that mixes cgroup versions. There it gets a mount
 * namespace with a plain cgroup2 mount, which a process keeps open and nsenter
 * enters.
 *
 * @module
 */

import { ANNOTATION } from "../../tables/annotation.ts";
import { join } from "@std/path";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import {
  BUSYBOX,
  type MeasuredBundle,
  type Setup,
  writeBundle,
} from "./bundle_config.ts";
import { openView } from "./cgroup_view.ts";
import { findProgram } from "../../host/programs.ts";
import { messageOf } from "../../host/reason.ts";
import { createWrapper, type Wrapper } from "./wrapper.ts";

/** Container runtimes and managers to measure. */
export type Runtime = "crun" | "runc" | "podman";

/** Ingredients of bundles. */
export interface MeasuredBundleOptions {
  readonly seccomp: LinuxSeccomp;
  /** Our filter in base64. */
  readonly annotation: string;
  /** Receives the setups that are impossible on this machine. */
  readonly leftOut: string[];
}

/** Bundles, ready to run. */
export interface Bundles {
  readonly runtimes: readonly Runtime[];
  /** True if crun has our wrapper. */
  readonly wrapped: boolean;
  /** Starts containers one at a time and waits for each to end. */
  run(runtime: Runtime, setup: Setup, count: number): Promise<void>;
  /**
   * Runs our hook to add the filter to a configuration, without any container.
   */
  precreate(count: number): Promise<void>;
  /** Starts processes in the running container, one at a time. */
  exec(runtime: Runtime, setup: Setup, count: number): Promise<void>;
  /** Ends and removes everything. */
  remove(): Promise<void>;
}

/** Prepares and runs a command repeatedly; stops at the first failure. */
const LOOP =
  'n=$1; prepare=$2; input=$3; shift 3; while [ "$n" -gt 0 ]; do eval "$prepare"; "$@" <"$input" >/dev/null || exit 1; n=$((n-1)); done';
const SETUPS: readonly Setup[] = [
  "none",
  "section",
  "annotation",
  "hit",
  "miss",
];
/** Limits of containers if root lacks CAP_SYS_RESOURCE. */
const PODMAN_WORDS: readonly string[] = [
  ...["run", "--rm", "--network=none", "--cgroups=disabled"],
  ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"],
  ...["--runtime", "crun"],
];

/** Makes bundles, or explains why it cannot. */
export async function createBundles(
  { seccomp, annotation, leftOut }: MeasuredBundleOptions,
): Promise<Bundles | undefined> {
  const runtimes = await runtimesHere(leftOut);
  if (runtimes.length === 0) return undefined;
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-bench-" });
  const bundleOf = (setup: Setup, word: string): string =>
    join(directory, `${setup}-${word}`);
  for (const setup of SETUPS) {
    for (const [word, args] of [["run", "true"], ["exec", "sleep 100000"]]) {
      const config: MeasuredBundle = {
        setup,
        seccomp,
        annotation,
        command: args ?? "",
      };
      await writeBundle(bundleOf(setup, word ?? ""), config);
    }
  }
  const wrapper = await wrapperOf(directory, runtimes, leftOut);
  const view = await openView();
  const loop = async (
    runtime: Runtime,
    count: number,
    prepare: string,
    words: readonly string[],
    input = "/dev/null",
  ): Promise<void> => {
    await succeed([
      ...(runtime === "runc" ? [] : view?.words ?? []),
      ...["sh", "-c", LOOP, "sh", String(count), prepare, input],
      ...words,
    ]);
  };
  const rooted = (runtime: Runtime, program: string): readonly string[] => [
    program,
    ...["--root", join(directory, `state-${runtime}`)],
  ];
  const started = new Map<string, Runtime>();
  return {
    runtimes,
    wrapped: wrapper !== undefined,
    run: async (runtime, setup, count): Promise<void> => {
      const bundle = bundleOf(setup, "run");
      if (runtime === "podman") {
        await loop(runtime, count, ":", podmanWords(bundle, setup, annotation));
        return;
      }
      const wrapped = setup === "hit" || setup === "miss";
      // The wrapper writes its annotation to the config, so each start gets a
      // new one; the shell writes it itself, because a `cp` process would be
      // measured as well.
      const fresh =
        `[ -n "$config" ] || config=$(cat ${bundle}/config.orig); printf %s "$config" >${bundle}/config.json`;
      await loop(
        runtime,
        count,
        setup === "miss" ? `${fresh}; ${wrapper?.forget ?? ":"}` : fresh,
        [
          ...rooted(runtime, wrapped ? wrapper?.path ?? runtime : runtime),
          ...["run", "--bundle", bundle, `bench-${Deno.pid}-${setup}`],
        ],
      );
    },
    precreate: async (count): Promise<void> => {
      const config = join(bundleOf("hit", "run"), "config.orig");
      await loop("crun", count, ":", [wrapper?.hook ?? "false"], config);
    },
    exec: async (runtime, setup, count): Promise<void> => {
      const id = `bench-${Deno.pid}-${runtime}-${setup}`;
      if (!started.has(id)) {
        await loop(runtime, 1, ":", [
          ...rooted(runtime, runtime),
          ...["run", "--detach", "--bundle", bundleOf(setup, "exec"), id],
        ]);
        started.set(id, runtime);
      }
      await loop(runtime, count, ":", [
        ...rooted(runtime, runtime),
        ...["exec", id, BUSYBOX, "true"],
      ]);
    },
    remove: async (): Promise<void> => {
      for (const [id, runtime] of started) {
        await loop(runtime, 1, ":", [
          ...rooted(runtime, runtime),
          ...["delete", "--force", id],
        ]);
      }
      await view?.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Finds installed programs. */
async function runtimesHere(leftOut: string[]): Promise<readonly Runtime[]> {
  if (Deno.uid() !== 0) {
    leftOut.push("containers: not root");
    return [];
  }
  if (!await exists(BUSYBOX)) {
    leftOut.push("containers: no static busybox: install busybox-static");
    return [];
  }
  const runtimes: Runtime[] = [];
  for (const runtime of ["crun", "runc", "podman"] as const) {
    const found = await findProgram(runtime) !== undefined &&
      // Podman is measured on crun.
      (runtime !== "podman" || await findProgram("crun") !== undefined);
    if (found) runtimes.push(runtime);
    else leftOut.push(`containers: ${runtime} is not installed`);
  }
  return runtimes;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

async function wrapperOf(
  directory: string,
  runtimes: readonly Runtime[],
  leftOut: string[],
): Promise<Wrapper | undefined> {
  const crun = await findProgram("crun");
  if (!runtimes.includes("crun") || crun === undefined) return undefined;
  try {
    return await createWrapper(directory, crun);
  } catch (error) {
    leftOut.push(
      `containers: wrapper: ${messageOf(error)}`,
    );
    return undefined;
  }
}

function podmanWords(
  bundle: string,
  setup: Setup,
  annotation: string,
): readonly string[] {
  return [
    "podman",
    ...PODMAN_WORDS,
    "--security-opt",
    setup === "none"
      ? "seccomp=unconfined"
      : `seccomp=${join(bundle, "profile.json")}`,
    ...(setup === "annotation"
      ? ["--annotation", `${ANNOTATION}=${annotation}`]
      : []),
    ...["--rootfs", join(bundle, "rootfs"), BUSYBOX, "true"],
  ];
}

async function succeed(words: readonly string[]): Promise<void> {
  const [program = "", ...args] = words;
  // No pipes: a container that continues would keep them open.
  const { success, code } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn().status;
  if (success) return;
  const shown = words.join(" ");
  throw new Error(
    `Cannot measure containers: "${shown.slice(0, 200)}" ended with ${code}`,
  );
}
