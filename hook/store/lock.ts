/**
 * Coordinates processes, so that only one of many does the same work.
 *
 * @module
 */

import { after } from "../deadline.ts";

/** File that earlier versions locked; this version locks the folder itself. */
export const OLD_LOCK = ".lock";

/**
 * Runs a function while holding the lock; after waiting for the given time,
 * runs it anyway.
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
    // The timer would keep this process alive, and most callers never wait.
    const free = await file.tryLock(true).catch(() => true);
    // A lock that is granted late or fails is released with the file.
    if (!free) {
      await Promise.race([file.lock(true).catch(() => {}), after(waitMs)]);
    }
    return await work();
  } finally {
    file.close();
  }
}
