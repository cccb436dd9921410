/**
 * Docker: one more runtime in `daemon.json`, the wrapper.
 *
 * @module
 */

import { InstallError } from "./error.ts";
import type { Item } from "./item.ts";
import {
  runtimeWarnings,
  type TargetFacts,
  type TargetOptions,
  type TargetPlan,
  wrapperItems,
  wrapperPath,
} from "./target.ts";

/** Name of the runtime for `docker run --runtime`, RuntimeClass and the like. */
export const RUNTIME_NAME = "seccomp-tree";

/** Where Docker's settings are. */
export const DAEMON_JSON = "/etc/docker/daemon.json";

/**
 * Says what to install for Docker.
 *
 * @param facts The machine.
 * @param options What was asked for.
 * @returns Items, steps, warnings.
 * @throws {InstallError} `usage` for another mode than `wrapper`.
 */
export function planDocker(
  facts: TargetFacts,
  options: TargetOptions,
): TargetPlan {
  refuseOtherModes("docker", options);
  const wrapper = wrapperPath(facts.layout, "docker");
  const edit: Item = {
    kind: "json",
    path: options.config ?? DAEMON_JSON,
    members: [
      {
        path: ["runtimes", RUNTIME_NAME],
        value: JSON.stringify({ path: wrapper }),
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
    items: [...wrapperItems("docker", facts, options), edit],
    steps: [
      `Have dockerd read its settings: "systemctl reload docker", or SIGHUP`,
      options.asDefault
        ? "New containers use it; those that exist keep the runtime that they were made with"
        : `Start containers with "docker run --runtime ${RUNTIME_NAME}"`,
    ],
    warnings: [
      ...runtimeWarnings(facts.runtime),
      ...movedFromRunc(options),
    ],
  };
}

/**
 * Refuses modes that a manager has no place for.
 *
 * @param target The manager.
 * @param options What was asked for.
 * @throws {InstallError} `usage`.
 */
export function refuseOtherModes(
  target: string,
  { mode }: TargetOptions,
): void {
  if (mode === "wrapper") return;
  throw new InstallError(
    "usage",
    mode === "hook"
      ? `Cannot install a hook for ${target}: only Podman has the precreate stage: leave --mode out`
      : `Cannot install a static filter for ${target}: it has no annotations for all containers: pass --annotation to single ones`,
  );
}

/** Whoever ran runc so far had its stub, which answers new calls with ENOSYS. */
export function movedFromRunc(
  { semantics }: TargetOptions,
): readonly string[] {
  return semantics === "runc" ? [] : [
    "runc answers calls newer than the profile with ENOSYS, crun as the profile says: pass --semantics runc to keep that when you come from runc",
  ];
}
