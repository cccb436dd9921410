/**
 * The report of `status`: managers, runtimes, kernel, installation, store,
 * containers. It only reads, and changes nothing.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { findStateFolders } from "../host/state_roots.ts";
import {
  hostNames,
  presentEnvironments,
  type SemanticsSetting,
} from "../hook/environment.ts";
import { presentSemantics } from "../hook/own_semantics.ts";
import {
  DEFAULTS,
  parseSettings,
  semanticsSetting,
  type Settings,
} from "../hook/settings.ts";
import { describeSemantics } from "../profile/semantics/quirks.ts";
import { parseSemantics } from "../profile/semantics/versions.ts";
import {
  type CacheEntry,
  listEntries,
  openCache,
} from "../hook/cache/cache.ts";
import { readCounts, type StartCount } from "../hook/store/counts.ts";
import type { StoreItem } from "../hook/store/list.ts";
import { openStore } from "../hook/store/store.ts";
import type { InstallRoot } from "./changes/apply.ts";
import { findContainers, type FoundContainer } from "./containers.ts";
import { loadDigest } from "./changes/digest.ts";
import { followLinks, lookAt } from "./changes/disk.ts";
import { readManifest } from "./changes/installed.ts";
import {
  inactiveUnit,
  isCached,
  keepsFilters,
  unitName,
} from "./managers/cache_units.ts";
import { inspectMachine, type Machine } from "./machine.ts";
import { versionOf } from "./managers/managers.ts";
import { type ManagerName, TARGETS, targetsOf } from "./changes/manifest.ts";
import { SHARED_HOOKS } from "./managers/podman.ts";
import { findRuntimes, type FoundRuntime } from "./runtimes.ts";
import { hookPath, settingsPath, wrapperPath } from "./managers/target.ts";

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

/** The filters that crun keeps in one folder. */
export interface CacheStatus {
  /** The folder in which crun keeps its state. */
  readonly root: string;
  /** Entries that were replaced. */
  readonly tree: number;
  /** Entries as crun made them. */
  readonly libseccomp: number;
  /** Entries that others could have put there. */
  readonly doubtful: number;
}

/** Contents of the store. */
export interface StoreStatus {
  readonly directory: string;
  /** Good entries of the current environment. */
  readonly current: number;
  /** Entries of other environments, after an upgrade. */
  readonly stale: number;
  /** The reasons why sections are left to their runtime. */
  readonly left: readonly string[];
  /** Bad entries, with the reason. */
  readonly problems: readonly string[];
  /**
   * Containers since the store was created, by what happened to their filter.
   */
  readonly starts: Readonly<Record<StartCount, number>>;
}

/** The complete status. */
export interface Status {
  readonly machine: Machine;
  readonly runtimes: readonly FoundRuntime[];
  /** Readings of the installed crun and runc, in words. */
  readonly readings: readonly string[];
  readonly managers: readonly ManagerStatus[];
  readonly store: StoreStatus;
  /** Crun's own caches. */
  readonly caches: readonly CacheStatus[];
  /** `precreate` files in folders where they break other programs. */
  readonly sharedPrecreate: readonly string[];
  readonly containers: readonly FoundContainer[];
}

/** Folders to examine. */
export interface StatusOptions {
  /** Folders of runtimes' state; the usual ones by default. */
  readonly states?: readonly string[];
}

/**
 * Collects the status.
 *
 * @param place Location of the installation.
 * @param options Folders to examine.
 * @returns The status.
 */
export async function gatherStatus(
  place: InstallRoot,
  options: StatusOptions = {},
): Promise<Status> {
  const runtimes = await findRuntimes(place.root);
  const managers: ManagerStatus[] = [];
  for (const name of TARGETS) {
    managers.push(await managerStatus(name, place, runtimes));
  }
  const { store, items } = await storeStatus(place);
  const states = await findStateFolders(options.states);
  return {
    machine: await inspectMachine(),
    runtimes,
    readings: readingsOf(runtimes),
    managers,
    store,
    caches: await cacheStatus(states),
    sharedPrecreate: await findSharedPrecreate(place.root),
    containers: await findContainers(states, items),
  };
}

/** Runtimes below another root are not queried, and so have no version. */
function readingsOf(runtimes: readonly FoundRuntime[]): readonly string[] {
  return runtimes.flatMap(({ kind, version }) => {
    const semantics = parseSemantics(`${kind}@${version ?? ""}`);
    return semantics === undefined ? [] : [describeSemantics(semantics)];
  });
}

async function managerStatus(
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

/**
 * Reads the settings of a target.
 *
 * @param target The target.
 * @param place Location of the installation.
 * @returns The settings; the built-in ones if there is no good file.
 */
export async function readSettings(
  target: ManagerName,
  { root, layout }: InstallRoot,
): Promise<Settings> {
  const state = await lookAt(root, settingsPath(layout, target));
  if (state.kind !== "file") return DEFAULTS;
  try {
    return parseSettings(state.text);
  } catch {
    return DEFAULTS;
  }
}

/**
 * Lists the readings in the settings of installations.
 *
 * @param place Location of the installation.
 * @returns The reading in each manager's settings.
 */
export async function installedSemantics(
  place: InstallRoot,
): Promise<readonly SemanticsSetting[]> {
  const settings: SemanticsSetting[] = [];
  for (const target of targetsOf(await readManifest(place))) {
    settings.push(semanticsSetting(await readSettings(target, place)));
  }
  return settings;
}

async function storeStatus(
  place: InstallRoot,
): Promise<
  { readonly store: StoreStatus; readonly items: readonly StoreItem[] }
> {
  const directory = place.layout.store;
  const starts = await readCounts(directory);
  const empty = {
    ...{ directory, current: 0, stale: 0, left: [], problems: [] },
    starts,
  };
  let items: readonly StoreItem[];
  try {
    const store = await openStore(directory);
    if (store === undefined) return { store: empty, items: [] };
    items = await store.list();
  } catch (error) {
    const problem = messageOf(error);
    return { store: { ...empty, problems: [problem] }, items: [] };
  }
  const present = await presentEnvironments(
    await hostNames(),
    await presentSemantics(await installedSemantics(place)),
  );
  const entries = items.flatMap(({ entry }) =>
    entry === undefined ? [] : [entry]
  );
  const valid = entries.filter((e) => present.has(e.environment));
  const leftFor = valid.flatMap((e) => e.left === undefined ? [] : [e.left]);
  const left = [...leftFor, ...items.flatMap(({ killed }) => killed ?? [])];
  const current = valid.length - leftFor.length;
  const problems = items.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name}: ${problem}`]
  );
  const stale = entries.length - valid.length;
  return {
    store: { directory, current, stale, left, problems, starts },
    items,
  };
}

async function cacheStatus(
  roots: readonly string[],
): Promise<readonly CacheStatus[]> {
  const found: CacheStatus[] = [];
  for (const root of roots) {
    const entries = await entriesOf(root);
    if (entries === undefined) continue;
    const count = (state: CacheEntry["state"]): number =>
      entries.filter((entry) => entry.state === state).length;
    found.push({
      root,
      tree: count("tree"),
      libseccomp: count("libseccomp"),
      doubtful: count("doubtful"),
    });
  }
  return found;
}

/** Other users see the status of their own caches. */
async function entriesOf(
  root: string,
): Promise<readonly CacheEntry[] | undefined> {
  try {
    const cache = await openCache(root);
    return cache === undefined ? undefined : await listEntries(cache);
  } catch {
    return undefined;
  }
}

async function findSharedPrecreate(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of SHARED_HOOKS) {
    const state = await lookAt(root, folder);
    if (state.kind !== "directory") continue;
    for (const name of state.names.filter((n) => n.endsWith(".json"))) {
      const file = await lookAt(root, `${folder}/${name}`);
      if (file.kind === "file" && /"precreate"/.test(file.text)) {
        found.push(`${folder}/${name}`);
      }
    }
  }
  return found;
}
