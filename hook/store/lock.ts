/**
 * Taking turns: of many processes that would do the same work, one does it.
 *
 * @module
 */

import { after } from "../deadline.ts";

/** File that writers lock; it holds nothing. */
export const LOCK = ".lock";

/**
 * Runs something while no other process that asks is in here; waits no longer
 * than the time given and then runs all the same.
 *
 * @param directory The folder.
 * @param waitMs Most milliseconds to wait.
 * @param work What to run.
 * @returns What it returns.
 */
export async function serialize<T>(
  directory: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(`${directory}/${LOCK}`, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
  } catch {
    return await work();
  }
  try {
    // A lock that comes late or fails is let go of with the file.
    await Promise.race([file.lock(true).catch(() => {}), after(waitMs)]);
    return await work();
  } finally {
    file.close();
  }
}
