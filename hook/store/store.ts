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

import { type Entry, ENTRY_MODE, entryNames, formatEntry } from "./entry.ts";
import type { Environment } from "../environment.ts";
import { putEnvironment } from "./environment_file.ts";
import { RefusedError } from "../error.ts";
import { addCount, type StartCount } from "./counts.ts";
import {
  certificateName,
  cleanStore,
  listStore,
  type StoreItem,
} from "./list.ts";
import { serialize } from "./lock.ts";
import { lookupEntry, readNamed } from "./read.ts";
import { writeWhole } from "../../host/files.ts";
import { messageOf } from "../../host/reason.ts";
import type { Log } from "../log.ts";
import { doubtAboutFolder } from "../../host/trust.ts";

/**
 * Default folder of filters.
 *
 * @category Containers
 */
export const DEFAULT_STORE = "/var/cache/seccomp-tree";

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
      lookupEntry(directory, { environment, section }, options.log),
    put: (entry) => put(directory, entry),
    putCertificate: (key, text) => {
      const path = `${directory}/${certificateName(key)}`;
      writeWhole(path, text, { mode: ENTRY_MODE });
      return path;
    },
    putEnvironment: (environment) => putEnvironment(directory, environment),
    list: () => listStore(directory),
    gc: (keep) => cleanStore(directory, keep),
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
