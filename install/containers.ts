/**
 * The running containers of this machine, found through the state of crun and
 * runc, and the filter that each of them really has.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import {
  expandFolders,
  foldersIn,
  STATE_FOLDERS,
} from "../host/state_folders.ts";
import { decodeBase64 } from "../bpf/base64.ts";
import { dumpFilters } from "../ffi/dump.ts";
import { ANNOTATION } from "../tables/annotation.ts";
import { STICKY } from "../hook/cache/cache.ts";
import type { StoreItem } from "../hook/store/store.ts";

/** A running container. */
export interface FoundContainer {
  readonly id: string;
  /** Host's process id of its init. */
  readonly pid: number;
  /** Folder of the runtime's state. */
  readonly state: string;
  readonly runtime: "crun" | "runc";
  /** Origin of the filter of init. */
  readonly filter: FilterKind;
  /**
   * Number of instructions of the live filter; absent if it could not be read.
   */
  readonly instructions?: number;
  /** The live filters as `struct sock_filter[]`, oldest first; absent as above. */
  readonly live?: readonly Uint8Array<ArrayBuffer>[];
  /** Further remarks; empty if there are none. */
  readonly detail: string;
}

/** Origin of the filter. */
export type FilterKind =
  /** From the store or from crun's cache, byte for byte. */
  | "tree"
  /** A raw filter from the annotation that is not in the store. */
  | "annotation"
  /** Made by the runtime with libseccomp. */
  | "libseccomp"
  /** No filter: privileged or unconfined. */
  | "none"
  | "unknown";

/**
 * Finds running containers and their filters.
 *
 * @param folders Folders of state; `*` stands for one name.
 * @param store Entries of the stores.
 * @returns One for each container whose init runs.
 */
export async function findContainers(
  folders: readonly string[],
  store: readonly StoreItem[],
): Promise<readonly FoundContainer[]> {
  const known = new Set(
    store.flatMap(({ entry }) =>
      entry === undefined ? [] : [
        entry.bytes.toHex(),
      ]
    ),
  );
  const found: FoundContainer[] = [];
  for (const pattern of folders) {
    for (const folder of await expandFolders(pattern)) {
      for (const id of await foldersIn(folder)) {
        const state = `${folder}/${id}`;
        const container = await readState(state);
        if (container === undefined) continue;
        const filter = await judge(container, known, state);
        if (filter !== undefined) {
          const { pid, runtime } = container;
          found.push({ id, pid, state: folder, runtime, ...filter });
        }
      }
    }
  }
  return found;
}

/**
 * Finds the runtime of the container that a process is in.
 *
 * @param pid The process.
 * @param folders Folders of state; the usual ones by default.
 * @returns The runtime, or `undefined` if no container is found for it.
 */
export async function findRuntimeOf(
  pid: number,
  folders: readonly string[] = STATE_FOLDERS,
): Promise<"crun" | "runc" | undefined> {
  const mounts = await mountNamespace(pid);
  if (mounts === undefined) return undefined;
  for (const pattern of folders) {
    for (const folder of await expandFolders(pattern)) {
      for (const id of await foldersIn(folder)) {
        const container = await readState(`${folder}/${id}`);
        if (container === undefined) continue;
        if (mounts === await mountNamespace(container.pid)) {
          return container.runtime;
        }
      }
    }
  }
  return undefined;
}

/** Names the mount namespace of a process, which its whole container shares. */
async function mountNamespace(pid: number): Promise<string | undefined> {
  try {
    return await Deno.readLink(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

interface State {
  readonly pid: number;
  readonly bundle: string | undefined;
  readonly runtime: "crun" | "runc";
}

/** crun writes `status`, runc `state.json`. */
async function readState(folder: string): Promise<State | undefined> {
  const crun = await readJson(`${folder}/status`);
  if (typeof crun?.pid === "number") {
    const { pid, bundle } = crun;
    return {
      pid,
      bundle: typeof bundle === "string" ? bundle : undefined,
      runtime: "crun",
    };
  }
  const runc = await readJson(`${folder}/state.json`);
  if (typeof runc?.init_process_pid !== "number") return undefined;
  return { pid: runc.init_process_pid, bundle: undefined, runtime: "runc" };
}

async function readJson(
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(path));
    // The members of an object are unknown and checked one by one.
    return typeof value === "object" && value !== null
      ? value as Readonly<Record<string, unknown>>
      : undefined;
  } catch {
    return undefined;
  }
}

async function judge(
  { pid, bundle }: State,
  known: ReadonlySet<string>,
  state: string,
): Promise<
  | Pick<FoundContainer, "filter" | "detail" | "instructions" | "live">
  | undefined
> {
  let status: string;
  try {
    status = await Deno.readTextFile(`/proc/${pid}/status`);
  } catch {
    return undefined;
  }
  if (/^State:\s+[ZX]/m.test(status)) return undefined;
  if (/^Seccomp:\s+0$/m.test(status)) return { filter: "none", detail: "" };
  let filters: readonly Uint8Array<ArrayBuffer>[];
  try {
    filters = dumpFilters(pid);
  } catch (error) {
    const reason = messageOf(error);
    return { filter: "unknown", detail: reason };
  }
  const [first, second] = filters;
  if (first === undefined) return { filter: "none", detail: "" };
  const instructions = first.length / 8;
  const detail = second === undefined ? "" : `${filters.length} filters`;
  const read = { instructions, detail, live: filters };
  if (known.has(first.toHex()) || await isCachedTree(state, first)) {
    return { filter: "tree", ...read };
  }
  const isAnnotated = first.toHex() === await annotationOf(bundle);
  const filter = isAnnotated ? "annotation" : "libseccomp";
  return { filter, ...read };
}

/** Reports whether a container was started with a replaced entry of crun's cache. */
async function isCachedTree(
  state: string,
  live: Uint8Array,
): Promise<boolean> {
  try {
    const path = `${state}/seccomp.bpf`;
    const { mode } = await Deno.lstat(path);
    return ((mode ?? 0) & STICKY) !== 0 &&
      (await Deno.readFile(path)).toHex() === live.toHex();
  } catch {
    return false;
  }
}

/** The bundle's annotation, hexadecimal. */
async function annotationOf(
  bundle: string | undefined,
): Promise<string | undefined> {
  if (bundle === undefined) return undefined;
  const config = await readJson(`${bundle}/config.json`);
  const annotations = config?.annotations;
  if (typeof annotations !== "object" || annotations === null) return undefined;
  const value = Object.entries(annotations).find(([k]) => k === ANNOTATION)
    ?.[1];
  try {
    return typeof value === "string" ? decodeBase64(value).toHex() : undefined;
  } catch {
    return undefined;
  }
}
