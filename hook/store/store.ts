/**
 * Precompiled filters by digest.
 *
 * A folder that only root (or the user, for rootless Podman) can change, with
 * one file for each filter and one `environment.…` file for the dispatcher.
 * Files are complete or absent (host/files.ts). Two writers of one entry write
 * the same bytes. A writer that dies leaves a temporary file, which `gc`
 * removes. If the disk is full, nothing is stored and the container still gets
 * its filter. An entry is stored only after its proof.
 *
 * @module
 */

import {
  type Entry,
  type EntryName,
  entryNames,
  formatEntry,
  isKilledName,
  isOldEntryName,
  parseEntry,
  parseEntryName,
} from "./entry.ts";
import { type Environment, linksName } from "../environment.ts";
import type { FileIdentity } from "../file_identity.ts";
import { RefusedError } from "../error.ts";
import {
  addCount,
  isCountName,
  keepCounts,
  type StartCount,
} from "./counts.ts";
import { OLD_LOCK, serialize } from "./lock.ts";
import { isTemporary, writeWhole } from "../../host/files.ts";
import { messageOf } from "../../host/reason.ts";
import type { Log } from "../log.ts";
import { doubtAboutFolder, doubtOf, trustedOwners } from "../../host/trust.ts";

/**
 * Default folder of filters.
 *
 * @category Containers
 */
export const DEFAULT_STORE = "/var/cache/seccomp-tree";

/** Mode of entries: nobody else needs to read them. */
const ENTRY_MODE = 0o600;
/** Age in milliseconds from which a temporary file has no writer. */
const STALE_MS = 3_600_000;

/**
 * Result of storing an entry.
 *
 * @category Containers
 */
export type PutResult =
  | {
    /** It was stored. */
    readonly kind: "stored";
    /** Name of its file. */
    readonly name: string;
  }
  | {
    /**
     * The filter is valid but could not be stored, for example on a full disk.
     */
    readonly kind: "not-stored";
    /** Reason. */
    readonly reason: string;
  };

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

/**
 * An open store.
 *
 * @category Containers
 */
export interface Store {
  /** The folder. */
  readonly directory: string;
  /**
   * Finds the entry of a section. A damaged file, or one that others may change,
   * is renamed to `NAME.bad` and counts as absent.
   *
   * @param environment `Environment.id`.
   * @param section The section exactly as written.
   */
  lookup(environment: string, section: string): Promise<Entry | undefined>;
  /** Stores an entry that was proved. */
  put(entry: Entry): Promise<PutResult>;
  /**
   * Keeps the certificate of a stored filter in a separate file, which no
   * container reads.
   *
   * @param key `Entry.key`.
   * @param text The certificate.
   * @returns Its path.
   */
  putCertificate(key: string, text: string): string;
  /** Records for the dispatcher which entries are current. */
  putEnvironment(environment: Environment): Promise<void>;
  /**
   * Lists everything, including tampered entries with their problem, and hidden
   * files.
   */
  list(): Promise<readonly StoreItem[]>;
  /**
   * Removes stale files: entries of other environments, tampered entries, files
   * left by writers that died. Keeps files that are not ours.
   *
   * @param keep Ids of the environments to keep.
   * @returns The removed names.
   */
  gc(keep: ReadonlySet<string>): Promise<readonly string[]>;
  /**
   * Runs a function while holding the lock of the store, so that many
   * containers that start together compile a section only once. After waiting
   * for the given time, it runs the function anyway: the lock only saves work.
   */
  serialize<T>(waitMs: number, work: () => Promise<T>): Promise<T>;
  /** Counts a container; never throws. */
  count(count: StartCount): void;
}

/**
 * Options for opening a store.
 *
 * @category Containers
 */
export interface StoreOptions {
  /** True to create the folder, with mode 0700, if its parent exists. */
  readonly create?: boolean;
  /** Log of damaged entries. */
  readonly log?: Log;
}

/**
 * Opens a store.
 *
 * @param directory Absolute, real path.
 * @param options Options.
 * @returns The store, or `undefined` if the folder does not exist or cannot be
 * created.
 * @throws {RefusedError} `doubtful-store` if others could change it,
 * `bad-settings` if the path is not absolute and plain.
 * @category Containers
 */
export async function openStore(
  directory: string,
  options: StoreOptions = {},
): Promise<Store | undefined> {
  try {
    await requireTrusted(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (options.create !== true || !await make(directory)) return undefined;
    await requireTrusted(directory);
  }
  return {
    directory,
    lookup: (environment, section) =>
      lookup(directory, { environment, section }, options.log),
    put: (entry) => put(directory, entry),
    putCertificate: (key, text) => {
      const path = `${directory}/${certificateName(key)}`;
      writeWhole(path, text, { mode: ENTRY_MODE });
      return path;
    },
    putEnvironment: (environment) => putEnvironment(directory, environment),
    list: () => list(directory),
    gc: (keep) => gc(directory, keep),
    serialize: (waitMs, work) => serialize(directory, waitMs, work),
    count: (count) => addCount(directory, count),
  };
}

async function requireTrusted(directory: string): Promise<void> {
  let doubt: string | undefined;
  try {
    doubt = await doubtAboutFolder(directory);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RefusedError("bad-settings", error.message, { cause: error });
  }
  if (doubt === undefined) return;
  throw new RefusedError(
    "doubtful-store",
    `Cannot trust "${directory}": ${doubt}; the store needs a folder that only its owner can write to`,
  );
}

async function make(directory: string): Promise<boolean> {
  try {
    await Deno.mkdir(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    // Another process created it, the file system is read-only, or its parent
    // does not exist.
    return error instanceof Deno.errors.AlreadyExists;
  }
}

async function lookup(
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

/** Suffix of damaged entries. */
const BAD = ".bad";

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

async function readNamed(
  directory: string,
  name: string,
): Promise<Entry | string | undefined> {
  const parts = parseEntryName(name);
  return parts === undefined ? undefined : await read(directory, parts);
}

/**
 * Reads an entry; returns a problem as text, or nothing if the entry was
 * removed in the meantime.
 */
async function read(
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

async function put(directory: string, entry: Entry): Promise<PutResult> {
  try {
    const name = await freeName(directory, entry);
    writeWhole(`${directory}/${name}`, await formatEntry(entry), {
      mode: ENTRY_MODE,
    });
    await Deno.remove(`${directory}/${name}.killed`).catch(() => {});
    return { kind: "stored", name };
  } catch (error) {
    return { kind: "not-stored", reason: messageOf(error) };
  }
}

/** The first name without an entry of another section. */
async function freeName(
  directory: string,
  { environment, section }: Entry,
): Promise<string> {
  for (const name of entryNames(environment, section)) {
    const there = await readNamed(directory, name);
    if (typeof there !== "object" || there.section === section) return name;
  }
  throw new Error("there are too many entries for sections of the same shape");
}

/**
 * Writes the data that the dispatcher needs.
 *
 * @param environment The environment.
 * @returns The text; absent if the library's files are unknown, so that the
 * dispatcher cannot detect changes.
 */
export function formatEnvironment(
  environment: Environment,
): string | undefined {
  const { files } = environment;
  if (files === undefined) return undefined;
  if (files.some(({ path }) => !/^\/[\w./@+-]+$/.test(path))) return undefined;
  return [
    "seccomp-tree environment 1",
    `id ${environment.id}`,
    ...files.map(({ path, size, mtime }) => `file ${path} ${size} ${mtime}`),
    "end\n",
  ].join("\n");
}

async function putEnvironment(
  directory: string,
  environment: Environment,
): Promise<void> {
  keepCounts(directory);
  const text = formatEnvironment(environment);
  if (text === undefined) return;
  const path = `${directory}/${environment.name}`;
  let there: string | undefined;
  try {
    const info = await Deno.lstat(path);
    // A new file would inherit the owner and the mode of this one.
    if (doubtOf(info, "file", await trustedOwners()) !== undefined) {
      await Deno.remove(path);
    } else there = await Deno.readTextFile(path);
  } catch {
    // It does not exist yet.
  }
  try {
    if (there !== text) writeWhole(path, text, { mode: ENTRY_MODE });
    await putLinks(
      `${directory}/${linksName(environment.name)}`,
      environment.files ?? [],
    );
  } catch {
    // Without it, the dispatcher calls Deno every time, which is slower but
    // correct.
  }
}

/**
 * Creates links to files, numbered from 1. They only serve as names for
 * stat(1): if one leads elsewhere, size and time differ from those of the
 * environment.
 */
async function putLinks(
  folder: string,
  files: readonly FileIdentity[],
): Promise<void> {
  for (const [i, { path }] of files.entries()) {
    const link = `${folder}/${i + 1}`;
    try {
      if (await Deno.readLink(link) === path) continue;
      await Deno.remove(link);
    } catch {
      // It does not exist yet.
    }
    await Deno.mkdir(folder, { mode: 0o700, recursive: true });
    await Deno.symlink(path, link);
  }
}

async function list(directory: string): Promise<readonly StoreItem[]> {
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
    const entry = await read(directory, parts);
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

function isBad(name: string): boolean {
  return name.endsWith(BAD) &&
    parseEntryName(name.slice(0, -BAD.length)) !== undefined;
}

async function gc(
  directory: string,
  keep: ReadonlySet<string>,
): Promise<readonly string[]> {
  const removed: string[] = [];
  const kept = new Set<string>();
  for (const { name, entry } of await list(directory)) {
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

async function isStale(path: string): Promise<boolean> {
  try {
    const { mtime } = await Deno.lstat(path);
    return Date.now() - (mtime?.getTime() ?? 0) > STALE_MS;
  } catch {
    return false;
  }
}
