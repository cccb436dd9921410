/**
 * Docker: adds the wrapper as a runtime in `daemon.json`.
 *
 * @module
 */

import { ask } from "../../host/command.ts";
import { splitSemantics } from "../../profile/semantics/versions.ts";
import { InstallError } from "../error.ts";
import { handlerItems, handlerPath } from "./handler.ts";
import type { Item } from "../changes/item.ts";
import { findProcesses } from "../../host/processes.ts";
import { DAEMON_JSON } from "../../host/state_roots.ts";
import { findBelow } from "../runtimes.ts";
import {
  runtimeWarnings,
  type TargetFacts,
  type TargetOptions,
  type TargetPlan,
} from "./target.ts";

/**
 * Name of the runtime, for example for `docker run --runtime` or a
 * RuntimeClass.
 */
export const RUNTIME_NAME = "seccomp-tree";

/**
 * Lists the parts of an installation for Docker.
 *
 * @param facts The machine.
 * @param options Options of the user.
 * @returns Items, steps, warnings.
 * @throws {InstallError} `usage` for a mode other than `wrapper`.
 */
export function planDocker(
  facts: TargetFacts,
  options: TargetOptions,
): TargetPlan {
  refuseOtherModes("docker", options);
  const path = handlerPath("docker", facts, options);
  const edit: Item = {
    kind: "json",
    path: options.config ?? DAEMON_JSON,
    members: [
      {
        path: ["runtimes", RUNTIME_NAME],
        value: JSON.stringify({ path }),
        replace: false,
      },
      ...(options.asDefault
        ? [{
          path: ["default-runtime"],
          value: JSON.stringify(RUNTIME_NAME),
          replace: true,
        }]
        : []),
    ],
  };
  return {
    items: [...handlerItems("docker", facts, options), edit],
    steps: [
      `Make dockerd read its settings: "systemctl reload docker", or SIGHUP`,
      options.asDefault
        ? "New containers use it; existing ones keep their runtime"
        : `Start containers with "docker run --runtime ${RUNTIME_NAME}"`,
    ],
    warnings: [
      ...runtimeWarnings(facts.runtime),
      ...movedFromRunc(options),
    ],
  };
}

/**
 * Refuses modes that a manager does not support.
 *
 * @param target The manager.
 * @param options Options of the user.
 * @throws {InstallError} `usage`.
 */
export function refuseOtherModes(
  target: string,
  { mode }: TargetOptions,
): void {
  if (mode === "wrapper" || mode === "cache") return;
  throw new InstallError(
    "usage",
    mode === "hook"
      ? `Cannot install a hook for ${target}: only Podman has the precreate stage; omit --mode`
      : `Cannot install a static filter for ${target}: it cannot annotate all containers; pass --annotation for individual ones`,
  );
}

/** Users of runc have had its stub, which answers new calls with ENOSYS. */
export function movedFromRunc(
  { semantics, mode }: TargetOptions,
): readonly string[] {
  const keeps = splitSemantics(semantics).runtime === "runc";
  if (keeps && mode !== "cache") return [];
  const option = mode === "cache" ? "--mode wrapper" : "--semantics runc";
  return [
    `runc answers ENOSYS to calls newer than the profile; crun answers what the profile says; to keep runc's answer, pass ${option}`,
  ];
}

/** Maximum time for dockerd to read its settings, in tenths of a second. */
const RELOAD_TRIES = 50;

/**
 * Makes dockerd read its settings, which does not affect containers.
 *
 * @returns True if it knows the runtime now; false if it is not running.
 */
export async function reloadDocker(): Promise<boolean> {
  const daemons = await findDaemons();
  if (daemons.length === 0) return false;
  for (const pid of daemons) Deno.kill(pid, "SIGHUP");
  for (let i = 0; i < RELOAD_TRIES; i++) {
    if (await knowsRuntime()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/**
 * Finds root's dockerd among the processes, because its pid file may be
 * anywhere.
 */
async function findDaemons(): Promise<readonly number[]> {
  const found: number[] = [];
  for (const { pid } of await findProcesses((name) => name === "dockerd")) {
    const { uid } = await Deno.stat(`/proc/${pid}`).catch(() => ({
      uid: null,
    }));
    if (uid === 0) found.push(pid);
  }
  return found;
}

/** Reports whether a running dockerd has read our settings. */
export async function knowsRuntime(): Promise<boolean> {
  const docker = await findBelow("/", "docker");
  if (docker === undefined) return false;
  const { code, stdout } = await ask([
    ...[docker.path, "info", "--format", "{{json .Runtimes}}"],
  ]);
  return code === 0 && stdout.includes(`"${RUNTIME_NAME}"`);
}
