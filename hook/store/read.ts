/**
 * Reads entries of a store: nothing counts that is damaged or that others may
 * change.
 *
 * @module
 */

import {
  type Entry,
  type EntryName,
  entryNames,
  parseEntry,
  parseEntryName,
} from "./entry.ts";
import { messageOf } from "../../host/reason.ts";
import type { Log } from "../log.ts";
import { doubtOf, trustedOwners } from "../../host/trust.ts";

/** Suffix of damaged entries. */
const BAD = ".bad";

/** Reports whether a file is a damaged entry that was put aside. */
export function isBad(name: string): boolean {
  return name.endsWith(BAD) &&
    parseEntryName(name.slice(0, -BAD.length)) !== undefined;
}

/**
 * Finds the entry of a section, and puts a damaged one aside.
 *
 * @param directory The store.
 * @param wanted Environment and section of the entry.
 * @param log Log of damaged entries.
 * @returns The entry, if there is a good one.
 */
export async function lookupEntry(
  directory: string,
  { environment, section }: Pick<Entry, "environment" | "section">,
  log: Log | undefined,
): Promise<Entry | undefined> {
  for (const name of entryNames(environment, section)) {
    const entry = await readNamed(directory, name);
    if (entry === undefined) return undefined;
    if (typeof entry === "string") {
      putAside(directory, name, entry, log);
      return undefined;
    }
    if (entry.section === section) return entry;
  }
  return undefined;
}

/** Renames a damaged entry, to keep it for inspection. */
function putAside(
  directory: string,
  name: string,
  seen: string,
  log: Log | undefined,
): void {
  let done = `it is "${name}${BAD}" now, and made again`;
  try {
    Deno.renameSync(`${directory}/${name}`, `${directory}/${name}${BAD}`);
  } catch (error) {
    done = messageOf(error);
  }
  log?.write(
    "error",
    `Cannot use the stored filter "${directory}/${name}": ${seen}; ${done}; find out who changed it`,
    { code: "doubtful-store" },
  );
}

/**
 * Reads the entry in a file.
 *
 * @param directory The store.
 * @param name Name of the file.
 * @returns The entry, its problem as text, or nothing if the name is not an
 * entry's or the file does not exist.
 */
export async function readNamed(
  directory: string,
  name: string,
): Promise<Entry | string | undefined> {
  const parts = parseEntryName(name);
  return parts === undefined ? undefined : await readStored(directory, parts);
}

/**
 * Reads an entry.
 *
 * @param directory The store.
 * @param name The parts of its name.
 * @returns The entry, its problem as text, or nothing if it was removed in the
 * meantime.
 */
export async function readStored(
  directory: string,
  name: EntryName,
): Promise<Entry | string | undefined> {
  const path = `${directory}/${name.name}`;
  try {
    const info = await Deno.lstat(path);
    const doubt = doubtOf(info, "file", await trustedOwners());
    if (doubt !== undefined) return doubt;
    return await parseEntry(name, await Deno.readFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    return messageOf(error);
  }
}
