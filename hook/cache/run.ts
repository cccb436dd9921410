/**
 * `hook/main.ts cache`: a system service runs it whenever crun has written a
 * filter.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { findStateFolders } from "../../host/state_roots.ts";
import type { Log } from "../log.ts";
import { openCache } from "./cache.ts";
import { optimizeCache } from "./optimize_cache.ts";

/**
 * Optimizes every cache of this machine that belongs to this user.
 *
 * @param log Receives the results.
 * @param patterns State folders of runtimes; the usual ones by default.
 * @returns 0; 1 if a cache could not be processed.
 */
export async function optimizeCaches(
  log: Log,
  patterns?: readonly string[],
): Promise<number> {
  // systemd does not watch while this runs: what crun writes meanwhile is found
  // by another pass.
  for (const seen = new Set<string>();;) {
    const before = seen.size;
    const status = await optimizeOnce(log, seen, patterns);
    if (status !== 0 || seen.size === before) return status;
  }
}

/** One pass; adds what it changed, or left for the first time. */
async function optimizeOnce(
  log: Log,
  seen: Set<string>,
  patterns?: readonly string[],
): Promise<number> {
  let status = 0;
  for (const root of await findStateFolders(patterns)) {
    // Other users optimize their own caches.
    if (await isForeignFolder(root)) continue;
    try {
      const cache = await openCache(root);
      if (cache === undefined) continue;
      for (const { name, kind, before, after } of await optimizeCache(cache)) {
        seen.add(`${root}: ${name}: ${kind}`);
        if (kind !== "replaced") continue;
        log.write("info", "Filter in crun's cache replaced, proved equal", {
          entry: `${root}: ${name}`,
          instructions: `${before} → ${after}`,
        });
      }
    } catch (error) {
      log.write("error", messageOf(error), { cache: root });
      status = 1;
    }
  }
  return status;
}

/**
 * Reports whether a folder belongs to another user.
 *
 * @param path The folder.
 * @returns True if it does, or if the folder cannot be examined.
 */
export async function isForeignFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).uid !== Deno.uid();
  } catch {
    return true;
  }
}
