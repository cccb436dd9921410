/**
 * Counts each container that a manager starts, by what happened to its filter.
 *
 * @module
 */

import type { Rewrite } from "./precreate.ts";
import type { StartCount } from "./store/counts.ts";
import { openStore } from "./store/store.ts";

/**
 * Counts a container, if the store can be trusted: anyone who can write there
 * could redirect the append to another file.
 *
 * @param directory The store; nothing is counted without one.
 * @param count Outcome for its filter; nothing is counted if absent.
 */
export async function countContainer(
  directory: string | undefined,
  count: StartCount | undefined,
): Promise<void> {
  if (directory === undefined || count === undefined) return;
  try {
    (await openStore(directory))?.count(count);
  } catch {
    // Counting must not affect a container.
  }
}

/**
 * Returns the count of a rewrite.
 *
 * @param rewrite The result.
 * @returns The count; `undefined` for a container that does not need a filter
 * from here.
 */
export function countOf(rewrite: Rewrite): StartCount | undefined {
  if (rewrite.kind === "added") {
    return rewrite.from === "store" ? "hit" : "miss";
  }
  const needsNone = ["unconfined", "annotated"].includes(rewrite.reason);
  return needsNone ? undefined : "left";
}
