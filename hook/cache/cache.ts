/**
 * The filters that crun keeps: since release 1.14 it stores the filters that
 * libseccomp builds, and links the file into the run directory of each
 * container.
 *
 * ```text
 * ROOT/.cache/seccomp/NAME        a filter; NAME is a digest of 64 hex digits
 * ROOT/.cache/seccomp-tree/NAME   crun's own file, before it was replaced
 * ROOT/.cache/seccomp-tree/NAME.left   the reason why an entry was left unchanged
 * ROOT/CONTAINER/seccomp.bpf      a link to the filter of that container
 * ```
 *
 * The digest identifies a section and the releases of crun, libseccomp and the
 * kernel (calculate_seccomp_checksum in crun's src/libcrun/seccomp.c, 1.14 to
 * 1.28). It is not computed here: an entry is replaced by a filter that is
 * proved equal to the exact bytes found, so it replaces exactly the filter that
 * crun would have loaded.
 *
 * crun links an entry after writing all of it, never opens it for writing
 * again, and evicts entries without a sticky bit that no container uses.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { decodeFilter, type Filter } from "../../bpf/filter.ts";
import { doubtAboutFolder, doubtOf, trustedOwners } from "../../host/trust.ts";
import { messageOf } from "../../host/reason.ts";
import { RefusedError } from "../error.ts";

/** Folder of crun's entries, below its state folder. */
const ENTRIES = ".cache/seccomp";
/** Folder of replaced entries; crun never looks into it. */
const KEPT = ".cache/seccomp-tree";
/** Name of an entry. */
const NAME = /^[0-9a-f]{64}$/;
/** Suffix of the file with a reason. */
export const LEFT = ".left";
/** Keeps crun from evicting an entry. */
export const STICKY = 0o1000;

/** The cache of one state folder. */
export interface CrunCache {
  /** State folder, absolute, without links. */
  readonly root: string;
  /** Folder of the entries. */
  readonly entries: string;
  /** Folder of replaced entries; it may be missing. */
  readonly kept: string;
}

/** An entry in the cache. */
export interface CacheEntry {
  /** 64 hex digits. */
  readonly name: string;
  /**
   * `libseccomp`: as crun made it. `tree`: replaced. `doubtful`: not a filter
   * that only root could have put there.
   */
  readonly state: "libseccomp" | "tree" | "doubtful";
  /** The filter that crun will load; absent if it is doubtful. */
  readonly filter?: Filter;
  /** Crun's original filter; absent unless it was replaced. */
  readonly original?: Filter;
  /** The problem, or the reason for leaving it unchanged; empty otherwise. */
  readonly detail: string;
  /** Containers whose run directory links to it. */
  readonly containers: number;
  /** Changes when another file takes its name. */
  readonly identity: string;
  /**
   * Time in milliseconds of its last use by a new container, or of its
   * creation.
   */
  readonly usedMs: number;
  /** Time at which it was written, in milliseconds. */
  readonly writtenMs: number;
}

/**
 * Finds the cache of a state folder.
 *
 * @param root The folder, such as `/run/crun`.
 * @returns The cache; `undefined` if crun keeps none there.
 * @throws {RefusedError} `doubtful-store` if anyone other than root and this
 * user could change it.
 */
export async function openCache(root: string): Promise<CrunCache | undefined> {
  let real: string;
  try {
    real = await Deno.realPath(root);
    await Deno.lstat(`${real}/${ENTRIES}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const cache: CrunCache = {
    root: real,
    entries: `${real}/${ENTRIES}`,
    kept: `${real}/${KEPT}`,
  };
  for (const folder of [cache.entries, cache.kept]) {
    let doubt: string | undefined;
    try {
      doubt = await doubtAboutFolder(folder);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (doubt === undefined) continue;
    throw new RefusedError(
      "doubtful-store",
      `Cannot use the cache of "${real}": ${doubt}; run this as the owner of the containers`,
    );
  }
  return cache;
}

/**
 * Lists the entries of a cache.
 *
 * @param cache The cache.
 * @returns Its entries by name; other files are omitted.
 */
export async function listEntries(
  cache: CrunCache,
): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const name of await namesIn(cache.entries)) {
    if (!NAME.test(name)) continue;
    const entry = await readEntry(cache, name);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/**
 * Reads one entry.
 *
 * @param cache The cache.
 * @param name Its name.
 * @returns The entry; `undefined` if it is gone.
 */
export async function readEntry(
  cache: CrunCache,
  name: string,
): Promise<CacheEntry | undefined> {
  const found = await readFilter(`${cache.entries}/${name}`);
  if (found === undefined) return undefined;
  const { info } = found;
  const about = {
    name,
    identity: identityOf(info),
    containers: Math.max(0, (info.nlink ?? 1) - 1),
    usedMs: (info.ctime ?? info.mtime)?.getTime() ?? 0,
    writtenMs: info.mtime?.getTime() ?? 0,
  };
  if (typeof found.filter === "string") {
    return { ...about, state: "doubtful", detail: found.filter };
  }
  const { filter } = found;
  const kept = await readFilter(`${cache.kept}/${name}`);
  const replaced = kept !== undefined && typeof kept.filter !== "string" &&
    kept.info.ino !== info.ino && ((info.mode ?? 0) & STICKY) !== 0;
  if (replaced && typeof kept.filter !== "string") {
    return {
      ...about,
      state: "tree",
      filter,
      original: kept.filter,
      detail: "",
    };
  }
  // The link to crun's kept file does not belong to a container.
  const links = kept?.info.ino === info.ino ? 1 : 0;
  return {
    ...about,
    state: "libseccomp",
    filter,
    containers: Math.max(0, about.containers - links),
    detail: await reasonFor(cache, name, about.identity),
  };
}

/** Lists the names in a folder; empty if it is missing. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return names.sort();
}

/**
 * Records why an entry is left unchanged, to avoid repeating the work.
 *
 * @param identity Identity of the file.
 * @param reason One line.
 */
export function formatReason(identity: string, reason: string): string {
  return `${identity}\n${reason}\n`;
}

/** The reason, if it is about this exact file. */
async function reasonFor(
  { kept }: CrunCache,
  name: string,
  identity: string,
): Promise<string> {
  try {
    const text = await Deno.readTextFile(`${kept}/${name}${LEFT}`);
    const [about, reason = ""] = text.split("\n");
    return about === identity ? reason : "";
  } catch {
    return "";
  }
}

interface FoundFilter {
  readonly info: Deno.FileInfo;
  /** Reads a file; if that fails, returns a description of the problem. */
  readonly filter: Filter | string;
}

async function readFilter(path: string): Promise<FoundFilter | undefined> {
  try {
    const info = await Deno.lstat(path);
    const doubt = doubtOf(info, "file", await trustedOwners());
    if (doubt !== undefined) return { info, filter: doubt };
    const bytes = await Deno.readFile(path);
    return { info, filter: filterOf(bytes, info) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function filterOf(bytes: Uint8Array, { size }: Deno.FileInfo): Filter | string {
  if (bytes.length !== size) return "it is being written";
  try {
    const filter = decodeFilter(bytes);
    return check(filter.program)?.message ?? filter;
  } catch (error) {
    return messageOf(error);
  }
}

/** Data that change when another file replaces this one. */
function identityOf({ ino, size, mtime }: Deno.FileInfo): string {
  return `${ino} ${size} ${mtime?.getTime()}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory;
}
