/**
 * `--mode cache`: systemd units that optimize crun's own cache whenever crun
 * has written a filter. No code runs for a container whose filter is already
 * cached.
 *
 * The path unit watches for new names in a folder. A container that links to an
 * entry changes only the entry's own inode, and triggers nothing.
 *
 * @module
 */

import { openCache } from "../../hook/cache/cache.ts";
import { restoreCache } from "../../hook/cache/optimize_cache.ts";
import { isForeignFolder } from "../../hook/cache/run.ts";
import { RefusedError } from "../../hook/error.ts";
import { FAST, programWords } from "../../hook/program.ts";
import { ask } from "../../host/command.ts";
import { findStateFolders } from "../../host/state_roots.ts";
import type { Item } from "../changes/item.ts";
import type { Layout } from "../changes/layout.ts";
import {
  type ManagerName,
  type Manifest,
  TARGETS,
} from "../changes/manifest.ts";
import { programFolder } from "../program.ts";
import { type FoundRuntime, isBefore } from "../runtimes.ts";
import { MARK, type TargetFacts } from "./target.ts";

/**
 * State folders of a manager's crun; `%t` is the user's runtime folder.
 */
const STATE: Readonly<Record<ManagerName, readonly string[]>> = {
  podman: ["/run/crun"],
  crio: ["/run/crun"],
  docker: dockerState("/run/docker"),
  containerd: ["/run/containerd/runc/k8s.io", "/run/containerd/runc/default"],
};
const USER_STATE: readonly string[] = ["%t/crun"];

/**
 * dockerd uses the first name, whatever the runtime is called (observed with 26
 * and 28).
 */
function dockerState(execRoot: string): readonly string[] {
  const folder = execRoot.replaceAll("%", "%%");
  return ["runc", "crun"].map((name) => `${folder}/runtime-${name}/moby`);
}

/**
 * Reports whether a runtime keeps filters (crun 1.14, January 2024).
 *
 * @param runtime The runtime; below another root its version is unknown.
 */
export function keepsFilters(runtime: FoundRuntime | undefined): boolean {
  return runtime?.kind === "crun" && runtime.rawFilters === "yes" &&
    runtime.version !== undefined && !isBefore(runtime.version, 1, 14);
}

/** Name of a manager's units, without the suffix. */
export function unitName(target: ManagerName): string {
  return `seccomp-tree-${target}`;
}

/**
 * Lists the units of a manager.
 *
 * @param target The manager.
 * @param facts The machine.
 * @returns A service, the path that starts it, and the links that start both at
 * boot.
 */
export function cacheItems(
  target: ManagerName,
  { layout, deno, program, execRoots = [] }: TargetFacts,
): readonly Item[] {
  const words = programWords(deno, program, programFolder(layout), FAST);
  const name = unitName(target);
  const state = layout.scope === "user" ? USER_STATE : [
    ...STATE[target],
    ...target === "docker" ? execRoots.flatMap(dockerState) : [],
  ];
  const first = layout.scope === "user"
    ? "default.target"
    : "multi-user.target";
  const unit = (file: string, text: string): Item => ({
    kind: "file",
    path: `${layout.units}/${file}`,
    mode: 0o644,
    text: MARK + text,
  });
  return [
    unit(
      `${name}.service`,
      `[Unit]
Description=Optimize the seccomp filters that crun keeps
# Each run is short; many containers may be new at once.
StartLimitIntervalSec=0

[Service]
Type=oneshot
Nice=10
ExecStart=${[...words, "hook", "cache"].map(unitWord).join(" ")}
`,
    ),
    unit(
      `${name}.path`,
      `[Unit]
Description=Seccomp filters that crun has written

[Path]
${state.map((folder) => `PathChanged=${folder}/.cache/seccomp\n`).join("")}`,
    ),
    // The links that "systemctl enable" would create.
    unit(
      `${first}.d/${name}.conf`,
      `[Unit]\nWants=${name}.path ${name}.service\n`,
    ),
  ];
}

/** Quotes a word of a command line in a unit (systemd.service(5)). */
function unitWord(word: string): string {
  const text = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%$/.,:=+-]+$/.test(text)
    ? text
    : `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * Makes systemd read the units and start them, or stop them.
 *
 * @param target The manager.
 * @param layout The folders, which select the system's or the user's systemd.
 * @param action Start or stop.
 * @returns Remaining steps for the user; absent if there are none.
 */
export async function tellSystemd(
  target: ManagerName,
  { scope }: Layout,
  action: "start" | "stop",
): Promise<string | undefined> {
  const name = unitName(target);
  const systemctl = scope === "user" ? ["systemctl", "--user"] : ["systemctl"];
  const units = [`${name}.path`, `${name}.service`];
  const steps = action === "start"
    ? [["daemon-reload"], ["start", ...units]]
    : [["stop", ...units], ["daemon-reload"]];
  if (!await isRunning(systemctl)) {
    return action === "stop"
      ? undefined
      : `This machine does not run systemd: start "seccomp-tree cache optimize --watch" at boot`;
  }
  for (const words of steps) {
    const { code, stderr } = await ask([...systemctl, ...words]);
    // A missing unit does not need to be stopped.
    if (code === 0 || words[0] === "stop") continue;
    return `Run "${[...systemctl, ...words].join(" ")}": ${stderr.trim()}`;
  }
  return undefined;
}

async function isRunning(systemctl: readonly string[]): Promise<boolean> {
  try {
    await Deno.stat("/run/systemd/system");
    return (await ask([...systemctl, "list-units", "--no-pager"])).code === 0;
  } catch {
    return false;
  }
}

/**
 * Reports whether a manager's containers are optimized by crun's cache.
 *
 * @param manifest The current manifest.
 * @param target The manager.
 * @param layout The folders.
 */
export function isCached(
  { records }: Manifest,
  target: ManagerName,
  { units }: Layout,
): boolean {
  return records[target].some(({ path }) =>
    path === `${units}/${unitName(target)}.path`
  );
}

/**
 * Restores crun's original filters, unless another manager still has its units.
 *
 * @param manifest The manifest after the change.
 * @param layout The folders.
 */
export async function restoreCaches(
  manifest: Manifest,
  layout: Layout,
): Promise<void> {
  if (TARGETS.some((target) => isCached(manifest, target, layout))) return;
  for (const root of await findStateFolders()) {
    // Other users' caches belong to them and may not be readable.
    if (await isForeignFolder(root)) continue;
    try {
      const cache = await openCache(root);
      if (cache !== undefined) await restoreCache(cache);
    } catch (error) {
      // The user must check the rest.
      if (!(error instanceof RefusedError)) throw error;
    }
  }
}

/**
 * Explains why the cache of a manager is not optimized.
 *
 * @param target The manager.
 * @param layout The folders, which select the system's or the user's systemd.
 * @returns The reason; absent if the unit is active, or if another program may
 * be watching.
 */
export async function inactiveUnit(
  target: ManagerName,
  { scope }: Layout,
): Promise<string | undefined> {
  const systemctl = scope === "user" ? ["systemctl", "--user"] : ["systemctl"];
  if (!await isRunning(systemctl)) return undefined;
  const unit = `${unitName(target)}.path`;
  const { code, stdout } = await ask([...systemctl, "is-active", unit]);
  return code === 0
    ? undefined
    : `${unit} is ${stdout.trim()}: run "${
      [...systemctl, "start", unit].join(" ")
    }"`;
}
