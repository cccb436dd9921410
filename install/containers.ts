/**
 * The running containers of this machine, found through the state of crun and
 * runc, and the filter in force for each of them.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { foldersIn } from "../host/state_folders.ts";
import { findStateFolders } from "../host/state_roots.ts";
import { decodeBase64 } from "../bpf/base64.ts";
import { dumpFilters } from "../ffi/live/dump.ts";
import { ANNOTATION } from "../tables/annotation.ts";
import { STICKY } from "../hook/cache/cache.ts";
import type { ManagerName } from "./changes/manifest.ts";
import { originOf } from "./container_origin.ts";
import type { StoreItem } from "../hook/store/list.ts";

/** A running container. */
export interface FoundContainer {
  readonly id: string;
  /** Host's process id of its init. */
  readonly pid: number;
  /** Folder of the runtime's state. */
  readonly state: string;
  readonly runtime: "crun" | "runc";
  /** The manager that created it; absent if a runtime was called directly. */
  readonly manager?: ManagerName;
  /** Its name (for pods, `NAMESPACE/POD/CONTAINER`); absent if it has none. */
  readonly name?: string;
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

/**
 * Origins of filters. `tree`: from the store or from crun's cache, byte for byte.
 * `annotation`: a raw filter that is not in the store. `libseccomp`: made by the
 * runtime. `none`: privileged or unconfined.
 */
export type FilterKind =
  | "tree"
  | "annotation"
  | "libseccomp"
  | "none"
  | "unknown";

/** All of them, in the order of reports. */
export const FILTER_KINDS: readonly FilterKind[] = [
  ...(["tree", "annotation", "libseccomp", "none", "unknown"] as const),
];

/**
 * Finds running containers and their filters.
 *
 * @param folders State folders; `*` stands for one name. The usual ones by
 * default.
 * @param store Entries of the stores.
 * @returns One for each container whose init is running.
 */
export async function findContainers(
  folders: readonly string[] | undefined,
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
  for (const folder of await findStateFolders(folders)) {
    for (const id of await foldersIn(folder)) {
      const state = `${folder}/${id}`;
      const container = await readState(state);
      if (container === undefined) continue;
      const filter = await judge(container, known, state);
      if (filter === undefined) continue;
      const { pid, runtime } = container;
      const annotations = await annotationsOf(container.bundle);
      const origin = await originOf({ id, pid, folder, annotations });
      found.push({ id, pid, state: folder, runtime, ...origin, ...filter });
    }
  }
  return found.sort((a, b) => orderOf(a) < orderOf(b) ? -1 : 1);
}

/** Sorted by manager, then by name; containers without a name come last. */
function orderOf({ manager, name, id }: FoundContainer): string {
  return [manager ?? "\uffff", name ?? "\uffff", id].join("\0");
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
  folders?: readonly string[],
): Promise<"crun" | "runc" | undefined> {
  const mounts = await mountNamespace(pid);
  if (mounts === undefined) return undefined;
  for (const folder of await findStateFolders(folders)) {
    for (const id of await foldersIn(folder)) {
      const container = await readState(`${folder}/${id}`);
      if (container === undefined) continue;
      if (mounts === await mountNamespace(container.pid)) {
        return container.runtime;
      }
    }
  }
  return undefined;
}

/**
 * Lists the bundles of the running containers in a folder of state.
 *
 * @param folder The folder.
 * @returns Their paths.
 */
export async function bundlesIn(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const id of await foldersIn(folder)) {
    const container = await readState(`${folder}/${id}`);
    if (container?.bundle !== undefined) paths.push(container.bundle);
  }
  return paths;
}

/**
 * Identifies the mount namespace of a process, which its whole container
 * shares.
 */
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
  const bundle = bundleLabel(runc.config);
  return { pid: runc.init_process_pid, bundle, runtime: "runc" };
}

/** runc keeps the bundle's path in a label: `bundle=PATH`. */
function bundleLabel(config: unknown): string | undefined {
  if (typeof config !== "object" || config === null) return undefined;
  const labels: unknown = "labels" in config ? config.labels : undefined;
  if (!Array.isArray(labels)) return undefined;
  return labels.filter((label) => typeof label === "string")
    .find((label) => label.startsWith("bundle="))?.slice("bundle=".length);
}

async function readJson(
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(path));
    // The members of an object have unknown types and are checked individually.
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
    return await judgeCopy(state, known, messageOf(error));
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

/**
 * Determines the origin from the file that crun loads into init and each exec,
 * if the live filter cannot be read, such as in a user's own containers.
 */
async function judgeCopy(
  state: string,
  known: ReadonlySet<string>,
  reason: string,
): Promise<Pick<FoundContainer, "filter" | "detail" | "instructions">> {
  try {
    const copy = await Deno.readFile(`${state}/seccomp.bpf`);
    const isTree = known.has(copy.toHex()) || await isCachedTree(state, copy);
    return {
      filter: isTree ? "tree" : "libseccomp",
      instructions: copy.length / 8,
      detail: `inferred from the file that crun loaded: ${reason}`,
    };
  } catch {
    return { filter: "unknown", detail: reason };
  }
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

/** The annotations of a bundle; empty if it cannot be read. */
async function annotationsOf(
  bundle: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  if (bundle === undefined) return {};
  const annotations = (await readJson(`${bundle}/config.json`))?.annotations;
  return typeof annotations === "object" && annotations !== null
    ? Object.fromEntries(Object.entries(annotations))
    : {};
}

/** The bundle's annotation, hexadecimal. */
async function annotationOf(
  bundle: string | undefined,
): Promise<string | undefined> {
  const value = (await annotationsOf(bundle))[ANNOTATION];
  try {
    return typeof value === "string" ? decodeBase64(value).toHex() : undefined;
  } catch {
    return undefined;
  }
}
