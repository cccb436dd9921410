/**
 * The status of one container manager: whether its installation is whole, and
 * whether its containers are optimized.
 *
 * @module
 */

import type { Settings } from "../hook/settings.ts";
import type { InstallRoot } from "./changes/apply.ts";
import { loadDigest } from "./changes/digest.ts";
import { followLinks, lookAt } from "./changes/disk.ts";
import { readManifest } from "./changes/installed.ts";
import { type ManagerName, targetsOf } from "./changes/manifest.ts";
import { readSettings } from "./installed_settings.ts";
import {
  inactiveUnit,
  isCached,
  keepsFilters,
  unitName,
} from "./managers/cache_units.ts";
import { versionOf } from "./managers/managers.ts";
import { hookPath, wrapperPath } from "./managers/target.ts";
import type { FoundRuntime } from "./runtimes.ts";

/** A container manager of this machine. */
export interface ManagerStatus {
  readonly name: ManagerName;
  /** Its version; absent if it is not installed. */
  readonly version?: string;
  /** True if seccomp-tree is installed for it. */
  readonly installed: boolean;
  /** Paths of the installation that are missing or changed. */
  readonly damaged: readonly string[];
  /** The runtime that the wrapper starts; absent if there is no wrapper. */
  readonly runtime?: string;
  /** The reason why its containers are not optimized; absent if they are. */
  readonly notOptimized?: string;
}

/**
 * Examines one manager.
 *
 * @param name The manager.
 * @param place Location of the installation.
 * @param runtimes The runtimes of this machine.
 * @returns Its status.
 */
export async function managerStatus(
  name: ManagerName,
  place: InstallRoot,
  runtimes: readonly FoundRuntime[],
): Promise<ManagerStatus> {
  const version = place.root === "/" ? await versionOf(name) : undefined;
  const manifest = await readManifest(place);
  const installed = targetsOf(manifest).includes(name);
  const told = { name, ...(version === undefined ? {} : { version }) };
  if (!installed) return { ...told, installed, damaged: [] };
  const damaged: string[] = [];
  const digest = await loadDigest();
  for (
    const record of [...manifest.records.program, ...manifest.records[name]]
  ) {
    const state = await lookAt(place.root, record.path);
    const good = record.kind === "directory"
      ? state.kind !== "absent"
      : state.kind === "file" && (record.kind === "file"
        ? record.sha256.includes(state.sha256)
        : digest(state.text) === record.after);
    if (!good) {
      const how = state.kind === "absent" ? "missing" : "changed";
      damaged.push(`${record.path} (${how})`);
    }
  }
  const settings = await readSettings(name, place);
  const { runtime } = settings;
  const called = await calledBy(name, place);
  const effects = [
    [[runtime, ...called.needed], "containers are refused"],
    [
      [called.deno, ...called.reaching],
      "containers without a stored filter get their runtime's",
    ],
  ] as const;
  for (const [paths, effect] of effects) {
    for (const path of paths) {
      if (path !== undefined && !await isThere(path, place)) {
        damaged.push(`${path} (missing, ${effect})`);
      }
    }
  }
  for (const path of called.helpful) {
    if (path !== runtime && !await isThere(path, place)) {
      damaged.push(`${path} (missing, so every start calls Deno)`);
    }
  }
  const notOptimized = isCached(manifest, name, place.layout)
    ? await cacheObstacle(name, place, runtimes)
    : runtime === undefined
    ? hookObstacle(runtimes)
    : obstacleOf(runtime, settings, runtimes);
  return {
    ...told,
    installed,
    damaged,
    ...(runtime === undefined ? {} : { runtime }),
    ...(notOptimized === undefined ? {} : { notOptimized }),
  };
}

/** Programs that a dispatcher calls. */
interface Called {
  /** Deno. */
  readonly deno?: string | undefined;
  /** Files without which no container starts. */
  readonly needed: readonly string[];
  /** Files without which Deno cannot be started. */
  readonly reaching: readonly string[];
  /** The others. */
  readonly helpful: readonly string[];
}

/** A program of the host as a dispatcher names it: a word in quotes. */
const TOOL = /'((?:\/usr)?\/s?bin\/[^'\s]+)'/g;

async function calledBy(
  name: ManagerName,
  { root, layout }: InstallRoot,
): Promise<Called> {
  const service = await lookAt(
    root,
    `${layout.units}/${unitName(name)}.service`,
  );
  if (service.kind === "file") {
    const deno = /^ExecStart="?([^\s"]+)/m.exec(service.text)?.[1];
    return { deno, needed: [], reaching: [], helpful: [] };
  }
  for (const path of [hookPath(layout), wrapperPath(layout, name)]) {
    if (name !== "podman" && path === hookPath(layout)) continue;
    const state = await lookAt(root, path);
    if (state.kind !== "file") continue;
    const deno = /'([^']+)' 'run' '-A'/.exec(state.text)?.[1] ??
      // A compiled binary.
      /'([^']+)' (?:hook|runtime) --settings/.exec(state.text)?.[1];
    const shell = /^#!(\S+)/.exec(state.text)?.[1] ?? "/bin/sh";
    const tools = [...state.text.matchAll(TOOL)].map(([, tool = ""]) => tool);
    const isReaching = (tool: string): boolean => tool.endsWith("/env");
    // Used for logs, locks and cleanup; everything works without them.
    const isSpare = path === hookPath(layout)
      ? /\/(?:date|flock|logger|mkdir|mv|rm)$/
      : /\/(?:date|flock|logger|mkdir|rm)$/;
    const others = new Set(
      tools.filter((tool) => tool !== deno && !isSpare.test(tool)),
    );
    return {
      deno,
      needed: [shell],
      reaching: [...others].filter(isReaching),
      helpful: [...others].filter((tool) => !isReaching(tool)),
    };
  }
  return { needed: [], reaching: [], helpful: [] };
}

async function isThere(path: string, { root }: InstallRoot): Promise<boolean> {
  try {
    // The appended name makes followLinks() follow the last link as well.
    const real = (await followLinks(root, `${path}/x`)).slice(0, -2);
    return (await Deno.stat(real)).isFile;
  } catch {
    return false;
  }
}

function obstacleOf(
  path: string,
  { runtimeKind }: Settings,
  runtimes: readonly FoundRuntime[],
): string | undefined {
  const found = runtimes.find((r) => r.path === path || r.realPath === path);
  if (runtimeKind !== "crun") {
    const reason = found?.reason ?? `it is ${runtimeKind}`;
    return `the runtime ${path} does not take raw filters: ${reason}`;
  }
  return found?.rawFilters === "no"
    ? `the runtime ${path} does not take raw filters: ${found.reason}`
    : undefined;
}

/** Only a crun that caches filters can be given others. */
async function cacheObstacle(
  name: ManagerName,
  place: InstallRoot,
  runtimes: readonly FoundRuntime[],
): Promise<string | undefined> {
  if (place.root !== "/") return undefined;
  const crun = runtimes.find((runtime) => runtime.kind === "crun");
  if (crun !== undefined && !keepsFilters(crun)) {
    return `${crun.path} is crun ${
      crun.version ?? "?"
    }, which keeps no filters: run "seccomp-tree install ${name}" again`;
  }
  return crun === undefined
    ? "crun is no longer installed"
    : await inactiveUnit(name, place.layout);
}

/** The hook adds annotations for any runtime; only crun uses them. */
function hookObstacle(runtimes: readonly FoundRuntime[]): string | undefined {
  if (runtimes.some((r) => r.rawFilters !== "no")) return undefined;
  const seen = runtimes.map((r) => `${r.path}: ${r.reason}`).join("; ");
  return `no runtime on this machine takes raw filters${
    seen === "" ? "" : `: ${seen}`
  }`;
}
