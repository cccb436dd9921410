/**
 * Coordinates processes: of many that would do the same work, one does it.
 *
 * @module
 */

import { after } from "../deadline.ts";

/** File that earlier versions locked; now it is the folder itself. */
export const OLD_LOCK = ".lock";

/**
 * Runs a function while no other process that locks is inside; waits no longer
 * than the given time and then runs it anyway.
 *
 * @param directory The folder to lock.
 * @param waitMs Maximum time to wait, in milliseconds.
 * @param work The function.
 * @returns Its result.
 */
export async function serialize<T>(
  directory: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(directory);
  } catch {
    return await work();
  }
  try {
    // The time limit would keep this process alive; most never wait.
    const free = await file.tryLock(true).catch(() => true);
    // A lock that comes late or fails is released with the file.
    if (!free) {
      await Promise.race([file.lock(true).catch(() => {}), after(waitMs)]);
    }
    return await work();
  } finally {
    file.close();
  }
}
