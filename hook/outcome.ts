/**
 * Counts the fate of the filter of a container that a manager starts.
 *
 * @module
 */

import type { Rewrite } from "./precreate.ts";
import type { StartCount } from "./store/counts.ts";
import { openStore } from "./store/store.ts";

/**
 * Counts a container, if the store can be trusted: whoever may write there
 * could lead an append elsewhere.
 *
 * @param directory The store; nothing is counted without one.
 * @param count Fate of its filter; nothing is counted if absent.
 */
export async function countContainer(
  directory: string | undefined,
  count: StartCount | undefined,
): Promise<void> {
  if (directory === undefined || count === undefined) return;
  try {
    (await openStore(directory))?.count(count);
  } catch {
    // A count must not affect a container.
  }
}

/**
 * Returns the count of a rewrite.
 *
 * @param rewrite The result.
 * @returns The count; `undefined` for a container that needs no filter of ours.
 */
export function countOf(rewrite: Rewrite): StartCount | undefined {
  if (rewrite.kind === "added") {
    return rewrite.from === "store" ? "hit" : "miss";
  }
  const needsNone = ["unconfined", "annotated"].includes(rewrite.reason);
  return needsNone ? undefined : "left";
}
