/**
 * Writing in a folder that others read at any time: files appear whole, and
 * those who would do the same work take turns.
 *
 * @module
 */

import { after } from "../deadline.ts";

const HIDDEN =
  /^\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** File that writers lock; it holds nothing. */
export const LOCK = ".lock";

/**
 * Says whether a file is one that was not whole yet.
 *
 * @param name Its name.
 * @returns Whether `writeWhole` writes under such names.
 */
export function isHiddenName(name: string): boolean {
  return HIDDEN.test(name);
}

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

/**
 * Writes a file under a hidden name, flushes it, and gives it its name.
 *
 * @param directory The folder.
 * @param name Name of the file; what is there under it is replaced.
 * @param bytes All of it.
 */
export async function writeWhole(
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const hidden = `${directory}/.${crypto.randomUUID()}`;
  try {
    {
      using file = await Deno.open(hidden, {
        write: true,
        createNew: true,
        mode: 0o600,
      });
      let rest = bytes;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      await file.sync();
    }
    await Deno.rename(hidden, `${directory}/${name}`);
  } catch (error) {
    await Deno.remove(hidden).catch(() => {});
    throw error;
  }
  // The name itself, so that it survives a power cut; not all file systems can.
  try {
    using folder = await Deno.open(directory);
    await folder.sync();
  } catch {
    // It is on its way to the disk; an entry that is lost is made again.
  }
}
