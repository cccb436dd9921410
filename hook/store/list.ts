/**
 * Lists the files in the folder of a store, and removes stale ones.
 *
 * @module
 */

import {
  type Entry,
  isKilledName,
  isOldEntryName,
  parseEntryName,
} from "./entry.ts";
import { isCountName } from "./counts.ts";
import { OLD_LOCK } from "./lock.ts";
import { isBad, readStored } from "./read.ts";
import { isTemporary } from "../../host/files.ts";

/** Age in milliseconds from which a temporary file has no writer. */
const STALE_MS = 3_600_000;

/**
 * One file in the store.
 *
 * @category Containers
 */
export interface StoreItem {
  /** Name of the file. */
  readonly name: string;
  /** The entry; absent if the file is not an entry. */
  readonly entry?: Entry;
  /** Description of the problem, if there is one. */
  readonly problem?: string;
  /**
   * The reason why this entry is not compiled now, if its compiler was killed.
   */
  readonly killed?: string;
}

/** Names of certificates. */
const CERTIFICATE = /^[0-9a-f]{64}\.cert$/;

/**
 * Returns the name of the file with the certificate of an entry.
 *
 * @param key `Entry.key`.
 * @returns A name in the store.
 */
export function certificateName(key: string): string {
  return `${key}.cert`;
}

/**
 * Lists everything in a store.
 *
 * @param directory The store.
 * @returns Its files, by name.
 */
export async function listStore(
  directory: string,
): Promise<readonly StoreItem[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  const items: StoreItem[] = [];
  for (const name of names.sort()) {
    const parts = parseEntryName(name);
    if (isBad(name)) {
      items.push({ name, problem: "it was damaged, and made again" });
      continue;
    }
    if (isKilledName(name)) {
      items.push({
        name,
        killed: `its compiler was killed: ${await untilOf(
          `${directory}/${name}`,
        )}`,
      });
      continue;
    }
    if (parts === undefined) {
      const ours = /^environment\.(?:crun|runc)[\w.@+-]*$/.test(name) ||
        name === OLD_LOCK || isCountName(name) || CERTIFICATE.test(name);
      if (!ours) items.push({ name, problem: "it is not an entry" });
      continue;
    }
    const entry = await readStored(directory, parts);
    if (entry === undefined) continue;
    items.push(
      typeof entry === "string" ? { name, problem: entry } : { name, entry },
    );
  }
  return items;
}

/**
 * The time at which a section is compiled again after its compiler was killed.
 */
async function untilOf(path: string): Promise<string> {
  const until = 1000 * Number(await Deno.readTextFile(path).catch(() => "0"));
  return until > Date.now()
    ? `its runtime makes the filter until ${new Date(until).toISOString()}`
    : "it is tried again";
}

/**
 * Removes stale files from a store.
 *
 * @param directory The store.
 * @param keep Ids of the environments to keep.
 * @returns The removed names.
 */
export async function cleanStore(
  directory: string,
  keep: ReadonlySet<string>,
): Promise<readonly string[]> {
  const removed: string[] = [];
  const kept = new Set<string>();
  for (const { name, entry } of await listStore(directory)) {
    if (entry !== undefined && keep.has(entry.environment)) {
      kept.add(certificateName(entry.key));
      continue;
    }
    const path = `${directory}/${name}`;
    // All other files here belong to someone else.
    const isOurs = parseEntryName(name) !== undefined ||
      isOldEntryName(name) || isBad(name) || isKilledName(name) ||
      (isTemporary(name) && await isStale(path));
    if (!isOurs) continue;
    await Deno.remove(path);
    removed.push(name);
  }
  for await (const { name } of Deno.readDir(directory)) {
    if (!CERTIFICATE.test(name) || kept.has(name)) continue;
    await Deno.remove(`${directory}/${name}`);
    removed.push(name);
  }
  return removed;
}

async function isStale(path: string): Promise<boolean> {
  try {
    const { mtime } = await Deno.lstat(path);
    return Date.now() - (mtime?.getTime() ?? 0) > STALE_MS;
  } catch {
    return false;
  }
}
