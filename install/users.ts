/**
 * The containers that depend on a wrapper: managers remember the path of the
 * runtime that created a container, and call it for `exec`, `kill` and `rm`.
 *
 * @module
 */

import { ask } from "../host/command.ts";
import { foldersIn } from "../host/state_folders.ts";
import type { InstallRoot } from "./changes/apply.ts";
import { lookAt } from "./changes/disk.ts";
import { InstallError } from "./error.ts";
import type { Item } from "./changes/item.ts";
import type { ManagerName, Manifest } from "./changes/manifest.ts";
import { findProcesses } from "../host/processes.ts";
import { findBelow } from "./runtimes.ts";
import { wrapperPath } from "./managers/target.ts";

/** A container for which its manager calls the wrapper. */
export interface WrapperUser {
  /** Its id in the manager. */
  readonly id: string;
  /** The program that calls the wrapper. */
  readonly by: "conmon" | "containerd-shim" | "podman";
}

/**
 * Finds the containers that depend on a wrapper.
 *
 * @param wrapper Path of the wrapper.
 * @returns Running containers of all managers, and stopped ones of Podman.
 */
export async function findUsers(
  wrapper: string,
): Promise<readonly WrapperUser[]> {
  const found = new Map<string, WrapperUser>();
  const add = (user: WrapperUser | undefined): void => {
    if (user !== undefined && !found.has(user.id)) found.set(user.id, user);
  };
  const isMeant = (name: string): boolean =>
    name === "conmon" || name.startsWith("containerd-shim");
  for (const { pid, words } of await findProcesses(isMeant)) {
    add(usedBy(words, wrapper));
    for (const id of await inShim(pid, wrapper)) {
      add({ id, by: "containerd-shim" });
    }
  }
  for (const id of await keptByPodman(wrapper)) add({ id, by: "podman" });
  return [...found.values()];
}

/** conmon(8): `-c` names the container, `-r` the runtime. */
function usedBy(
  words: readonly string[],
  wrapper: string,
): WrapperUser | undefined {
  const after = (...names: readonly string[]): string | undefined => {
    const at = words.findIndex((word) => names.includes(word));
    return at < 0 ? undefined : words[at + 1];
  };
  if (after("-r", "--runtime") !== wrapper) return undefined;
  return { id: after("-c", "--cid") ?? "?", by: "conmon" };
}

/**
 * One shim serves a pod: the bundles of its containers are in one folder, each
 * with a file `runtime` (WriteRuntime in containerd's runtime/v2/runc).
 */
async function inShim(
  pid: number,
  wrapper: string,
): Promise<readonly string[]> {
  const ids: string[] = [];
  try {
    const bundle = await Deno.readLink(`/proc/${pid}/cwd`);
    const folder = bundle.slice(0, bundle.lastIndexOf("/"));
    for (const id of await foldersIn(folder)) {
      const runtime = await Deno.readTextFile(`${folder}/${id}/runtime`)
        .catch(() => "");
      if (runtime.trim() === wrapper) ids.push(id);
    }
  } catch {
    // The process has just ended.
  }
  return ids;
}

/** Stopped containers; Podman cannot remove them without their runtime. */
async function keptByPodman(wrapper: string): Promise<readonly string[]> {
  const podman = await findBelow("/", "podman");
  if (podman === undefined) return [];
  const list = await ask([podman.path, "ps", "--all", "--quiet", "--no-trunc"]);
  const ids = list.stdout.split("\n").filter((id) => /^[0-9a-f]+$/.test(id));
  if (list.code !== 0 || ids.length === 0) return [];
  const format = ["--format", "{{.Id}} {{.OCIRuntime}}"];
  const { stdout } = await ask([podman.path, "inspect", ...format, ...ids]);
  return stdout.split("\n").flatMap((line) => {
    const [id = "", runtime] = line.trim().split(" ");
    return runtime === wrapper ? [id] : [];
  });
}

/**
 * Finds the wrappers that containers use, and for each a stub that executes the
 * runtime directly.
 *
 * @param targets Targets to uninstall.
 * @param place Location of the installation.
 * @param manifest Current manifest.
 * @param force True to create stubs.
 * @returns The stubs.
 * @throws {InstallError} `in-use` with the containers, if `force` is false.
 */
export async function stubsFor(
  targets: readonly ManagerName[],
  place: InstallRoot,
  manifest: Manifest,
  force: boolean,
): Promise<ReadonlyMap<ManagerName, Item>> {
  const stubs = new Map<ManagerName, Item>();
  const used: string[] = [];
  for (const target of place.root === "/" ? targets : []) {
    const path = wrapperPath(place.layout, target);
    const records = manifest.records[target];
    if (!records.some((record) => record.path === path)) continue;
    const users = await findUsers(path);
    if (users.length === 0) continue;
    used.push(
      `${target}: ${users.map(({ id }) => id.slice(0, 12)).join(", ")}`,
    );
    const state = await lookAt(place.root, path);
    const text = state.kind === "file" ? stubOf(state.text) : undefined;
    if (text !== undefined) {
      stubs.set(target, { kind: "file", path, mode: 0o755, text });
    }
  }
  if (used.length === 0 || force) return stubs;
  throw new InstallError(
    "in-use",
    `Cannot uninstall: containers depend on the wrapper (${
      used.join("; ")
    }); remove them first, or pass --force to leave a stub in its place that becomes the runtime`,
  );
}

/** First line after `#!` of a stub. */
const STUB =
  "# Left by seccomp-tree uninstall --force: containers remember this path.\n";

/** The wrapper without its work; undefined if it does not name its runtime. */
function stubOf(wrapper: string): string | undefined {
  const [, runtime] = /exec ('(?:[^']|'\\'')+') "\$@"/.exec(wrapper) ?? [];
  return runtime === undefined
    ? undefined
    : `#!/bin/sh\n${STUB}exec ${runtime} "$@"\n`;
}
