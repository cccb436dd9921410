/**
 * Replaces crun's filters by the best equal ones, and restores them.
 *
 * Running containers keep the file with which they were started. The next
 * container, and its `exec`s, use the file in the cache; no code runs for it.
 *
 * @module
 */

import type { Filter } from "../../bpf/filter.ts";
import { giveTo, writeWhole } from "../../host/files.ts";
import { reasonOf } from "../../host/reason.ts";
import { optimize } from "../../pipeline/optimize.ts";
import { after } from "../deadline.ts";
import { serialize } from "../store/lock.ts";
import {
  type CacheEntry,
  type CrunCache,
  formatReason,
  LEFT,
  listEntries,
  namesIn,
  readEntry,
  STICKY,
} from "./cache.ts";

/** Result for an entry. */
export interface CacheChange {
  /** Name of the entry. */
  readonly name: string;
  /**
   * `replaced`, `restored`, `removed`: done, or planned by a dry run. `left`:
   * unchanged, for the reason in `detail`.
   */
  readonly kind: "replaced" | "restored" | "removed" | "left";
  /** Number of instructions before and after. */
  readonly before: number;
  readonly after: number;
  /** The reason why an entry was left; empty otherwise. */
  readonly detail: string;
}

/** Options for changing a cache. */
export interface CacheOptions {
  /** True to only list the changes. */
  readonly dryRun?: boolean;
}

/** Age in milliseconds up to which an entry may still change. */
const SETTLED_MS = 1000;
/**
 * Maximum number of unused trees in one cache, because crun does not evict
 * them.
 */
const MOST_UNUSED = 256;
/** Time to wait for another process that changes the same cache. */
const LOCK_MS = 60_000;

/**
 * Replaces every entry for which a better equal filter is found and proved.
 *
 * @param cache The cache.
 * @param options Options; `dryRun` lists the changes only.
 * @returns The changes, and the entries that were left; entries that were
 * replaced before are omitted.
 */
export async function optimizeCache(
  cache: CrunCache,
  { dryRun = false }: CacheOptions = {},
): Promise<readonly CacheChange[]> {
  return await exclusively(cache, dryRun, async () => {
    const changes: CacheChange[] = [];
    for (const { name } of await listEntries(cache)) {
      const entry = await settledEntry(cache, name);
      if (entry === undefined || entry.state === "tree") continue;
      changes.push(await optimizeEntry(cache, entry, dryRun));
    }
    if (!dryRun) await removeRemains(cache);
    changes.push(...await removeUnused(cache, dryRun));
    return changes;
  });
}

/**
 * Restores crun's original filters.
 *
 * @param cache The cache.
 * @param options Options; `dryRun` lists the changes only.
 * @returns The changes.
 */
export async function restoreCache(
  cache: CrunCache,
  { dryRun = false }: CacheOptions = {},
): Promise<readonly CacheChange[]> {
  return await exclusively(cache, dryRun, async () => {
    const changes: CacheChange[] = [];
    for (const entry of await listEntries(cache)) {
      if (entry.state !== "tree") continue;
      if (!dryRun) {
        await Deno.rename(
          `${cache.kept}/${entry.name}`,
          `${cache.entries}/${entry.name}`,
        );
      }
      changes.push(changeOf(entry, "restored", lengthOf(entry.original)));
    }
    if (!dryRun) await Deno.remove(cache.kept, { recursive: true });
    return changes;
  });
}

/** One process at a time, with a folder for replaced entries. */
async function exclusively<T>(
  { kept }: CrunCache,
  dryRun: boolean,
  work: () => Promise<T>,
): Promise<T> {
  if (dryRun) return await work();
  await Deno.mkdir(kept, { recursive: true, mode: 0o700 });
  return await serialize(kept, LOCK_MS, work);
}

/**
 * Waits until an entry is old enough; `undefined` if it disappears in the
 * meantime.
 */
async function settledEntry(
  cache: CrunCache,
  name: string,
): Promise<CacheEntry | undefined> {
  const entry = await readEntry(cache, name);
  if (entry === undefined || entry.state === "tree") return entry;
  const age = Date.now() - entry.writtenMs;
  if (age >= SETTLED_MS || age < 0) return entry;
  await after(SETTLED_MS - age);
  return await readEntry(cache, name);
}

async function optimizeEntry(
  cache: CrunCache,
  entry: CacheEntry,
  dryRun: boolean,
): Promise<CacheChange> {
  const { name, filter, detail } = entry;
  if (filter === undefined || detail !== "") {
    return changeOf(entry, "left", lengthOf(filter), detail);
  }
  const best = optimize(filter);
  if (best.kind !== "optimized") {
    const reason = best.kind === "already-best"
      ? "no better equal filter was found"
      : best.message;
    if (!dryRun) {
      writeWhole(
        `${cache.kept}/${name}${LEFT}`,
        formatReason(entry.identity, reason),
        { mode: 0o600 },
      );
    }
    return changeOf(entry, "left", lengthOf(filter), reason);
  }
  const change = changeOf(entry, "replaced", best.program.length);
  if (dryRun) return change;
  try {
    await keep(cache, name);
    const now = await readEntry(cache, name);
    if (now?.identity !== entry.identity) {
      const reason = "crun changed it in the meantime";
      return changeOf(entry, "left", lengthOf(filter), reason);
    }
    await replace(cache, name, best.bytes);
    return change;
  } catch (error) {
    return changeOf(entry, "left", lengthOf(filter), reasonOf(error));
  }
}

/** Links the current file under its kept name, replacing an older link. */
async function keep({ entries, kept }: CrunCache, name: string): Promise<void> {
  await Deno.remove(`${kept}/${name}`).catch(() => {});
  await Deno.link(`${entries}/${name}`, `${kept}/${name}`);
}

async function replace(
  { entries, kept }: CrunCache,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = `${entries}/${name}`;
  // The temporary file is outside the folder of entries, where crun might
  // mistake it for an entry.
  const whole = `${kept}/${name}.new`;
  const info = await Deno.lstat(path);
  try {
    writeWhole(whole, bytes, { mode: 0o700 });
    giveTo(info, whole);
    await Deno.chmod(whole, (info.mode ?? 0o700) & 0o7777 | STICKY);
    await Deno.rename(whole, path);
  } catch (error) {
    await Deno.remove(whole).catch(() => {});
    throw error;
  }
}

/** Removes leftovers of entries that no longer exist. */
async function removeRemains(cache: CrunCache): Promise<void> {
  const entries = new Map(
    (await listEntries(cache)).map((entry) => [entry.name, entry]),
  );
  for (const name of await namesIn(cache.kept)) {
    if (name === ".lock") continue;
    const left = name.endsWith(LEFT);
    const entry = entries.get(left ? name.slice(0, -LEFT.length) : name);
    const needed = left
      ? entry?.state === "libseccomp" && entry.detail !== ""
      : entry?.state === "tree";
    if (!needed) await Deno.remove(`${cache.kept}/${name}`);
  }
}

/**
 * Removes the least recently used trees that no container uses; crun rebuilds
 * its filters when it needs them.
 */
async function removeUnused(
  cache: CrunCache,
  dryRun: boolean,
): Promise<readonly CacheChange[]> {
  const unused = (await listEntries(cache))
    .filter(({ state, containers }) => state === "tree" && containers === 0)
    .sort((a, b) => b.usedMs - a.usedMs)
    .slice(MOST_UNUSED);
  for (const { name } of dryRun ? [] : unused) {
    await Deno.remove(`${cache.entries}/${name}`);
    await Deno.remove(`${cache.kept}/${name}`);
  }
  return unused.map((entry) => changeOf(entry, "removed", 0));
}

function changeOf(
  { name, filter }: CacheEntry,
  kind: CacheChange["kind"],
  after: number,
  detail = "",
): CacheChange {
  return { name, kind, before: lengthOf(filter), after, detail };
}

function lengthOf(filter: Filter | undefined): number {
  return filter?.program.length ?? 0;
}
