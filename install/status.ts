/**
 * The report of `status`: managers, runtimes, kernel, installation, store,
 * containers. It only reads, and changes nothing.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { findStateFolders } from "../host/state_roots.ts";
import { hostNames, presentEnvironments } from "../hook/environment.ts";
import { presentSemantics } from "../hook/own_semantics.ts";
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
import { lookAt } from "./changes/disk.ts";
import { TARGETS } from "./changes/manifest.ts";
import { installedSemantics } from "./installed_settings.ts";
import { inspectMachine, type Machine } from "./machine.ts";
import { type ManagerStatus, managerStatus } from "./manager_status.ts";
import { SHARED_HOOKS } from "./managers/podman.ts";
import { findRuntimes, type FoundRuntime } from "./runtimes.ts";

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
