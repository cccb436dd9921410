/**
 * Live processes: their filters, and their data in /proc.
 *
 * @module
 */

import { reasonOf } from "../../../host/reason.ts";
import { decode } from "../../../bpf/encode.ts";
import type { FilterStack } from "../../../bpf/filter.ts";
import type { Program } from "../../../bpf/instruction.ts";
import { dumpAttached, dumpFilters } from "../../../ffi/live/dump.ts";
import { MachineError, NoFilterError } from "../../error.ts";

/** Data of a process in /proc. */
export interface ProcessInfo {
  readonly pid: number;
  /** Name of its first thread's program, up to 15 characters. */
  readonly name: string;
  /** Process of the thread. */
  readonly group: number;
  /**
   * 0 for none, 1 for strict mode, 2 for filters; `undefined` if the kernel
   * does not report it.
   */
  readonly mode: number | undefined;
  /** Number of filters in force; `undefined` before Linux 5.9. */
  readonly filters: number | undefined;
  /**
   * True if its threads differ in mode or number of filters; /proc shows
   * nothing else.
   */
  readonly mixed: boolean;
  /** Id of its container, if the name of its cgroup contains one. */
  readonly container: string | undefined;
}

/** Deno runs on x86_64 and aarch64, both little-endian. */
export const HOST_IS_LITTLE_ENDIAN = true;

/** Filters of a live process, oldest first. */
export interface LiveFilters extends FilterStack {
  /**
   * For each filter, true if it was attached with `SECCOMP_FILTER_FLAG_LOG`;
   * `undefined` if the kernel does not report it.
   */
  readonly logs: readonly (boolean | undefined)[];
}

/**
 * Reads the filters of a process, oldest first.
 *
 * @param pid The process, or a thread.
 * @param thread True to accept a thread that is not the first of its process.
 * @throws {NoFilterError} if it has none.
 * @throws {MachineError} if it is such a thread and none is accepted.
 * @throws {SyscallError} if the kernel refuses.
 */
export function liveFilters(
  pid: number,
  thread = false,
): LiveFilters {
  if (!thread) refuseThread(pid);
  const attached = dumpAttached(pid);
  const programs = attached.map(({ bytes }) => decode(bytes));
  if (programs.length === 0) {
    const others = thread ? [] : threadsOf(pid);
    throw new NoFilterError(pid, others.find((tid) => modeOf(tid) === 2));
  }
  const logs = attached.map(({ logs }) => logs);
  return { programs, littleEndian: HOST_IS_LITTLE_ENDIAN, logs };
}

function refuseThread(pid: number): void {
  const group = toNumber(readFields(`/proc/${pid}/status`)?.get("Tgid"));
  if (group === undefined || group === pid) return;
  throw new MachineError(
    `Cannot read filters of ${pid}: it is a thread of process ${group}; use pid:${group}, or dump --thread`,
  );
}

/** Confinement of a thread. */
export type Confinement =
  | { readonly kind: "none" }
  /** Strict mode, which has no filters. */
  | { readonly kind: "strict" }
  /** One filter or more, oldest first. */
  | { readonly kind: "filters"; readonly programs: readonly Program[] }
  /** Unknown, with the reason. */
  | { readonly kind: "unread"; readonly error: unknown };

/** Threads of a process with the same confinement. */
export interface ThreadGroup {
  /** Their ids, in the order in which they were read. */
  readonly tids: readonly number[];
  readonly confinement: Confinement;
}

/** Maximum number of times to list the threads again to find new ones. */
const ROUNDS = 8;

/**
 * Reads the confinement of all threads of a process: filters belong to threads,
 * and those of one process may differ.
 *
 * Each thread is read while the others keep running. Threads that have ended
 * are skipped; threads that start in the meantime are read as well.
 *
 * @param pid The process.
 * @throws {MachineError} if it is a thread, or its threads cannot be listed.
 * @throws {SyscallError} if there is no such process, or it has ended.
 * @returns Its threads, the group of the first thread first.
 */
export function threadGroups(pid: number): readonly ThreadGroup[] {
  refuseThread(pid);
  const groups = new Map<string, ThreadGroup & { readonly tids: number[] }>();
  const seen = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const fresh = threadsOf(pid).filter((tid) => !seen.has(tid));
    if (fresh.length === 0) break;
    for (const tid of fresh) {
      seen.add(tid);
      const found = confinementOf(tid);
      if (found === undefined) continue;
      const { key, confinement } = found;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { tids: [tid], confinement });
      else group.tids.push(tid);
    }
  }
  if (groups.size > 0) return [...groups.values()];
  // The kernel reports why it does not exist.
  dumpFilters(pid);
  throw new MachineError(
    `Cannot list the threads of ${pid}: /proc does not show them; mount /proc`,
  );
}

/**
 * The confinement of a thread, and its key for grouping; `undefined` for a dead
 * thread.
 */
function confinementOf(
  tid: number,
): { readonly key: string; readonly confinement: Confinement } | undefined {
  const mode = modeOf(tid);
  if (mode === "dead") return undefined;
  if (mode === 0) return { key: "none", confinement: { kind: "none" } };
  if (mode === 1) return { key: "strict", confinement: { kind: "strict" } };
  try {
    const filters = dumpFilters(tid);
    if (filters.length === 0) {
      return { key: "none", confinement: { kind: "none" } };
    }
    const programs = filters.map((bytes) => decode(bytes));
    return {
      key: filters.map(String).join(";"),
      confinement: { kind: "filters", programs },
    };
  } catch (error) {
    if (modeOf(tid) === "dead") return undefined;
    return { key: "unread", confinement: { kind: "unread", error } };
  }
}

/**
 * Reports whether a process does not exist or has already ended and only waits
 * for its parent.
 */
export function isDead(pid: number): boolean {
  return threadsOf(pid).every((tid) => modeOf(tid) === "dead");
}

function modeOf(tid: number): number | "dead" | undefined {
  const status = readFields(`/proc/${tid}/status`);
  // Z: ended and not waited for; X: about to vanish.
  if (status === undefined || /^[ZX]/.test(status.get("State") ?? "")) {
    return "dead";
  }
  return toNumber(status.get("Seccomp"));
}

/** Reads the data of /proc; `undefined` if there is no such process. */
export function readProcess(pid: number): ProcessInfo | undefined {
  const status = readFields(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const mode = toNumber(status.get("Seccomp"));
  const filters = toNumber(status.get("Seccomp_filters"));
  return {
    pid,
    name: status.get("Name") ?? "",
    group: toNumber(status.get("Tgid")) ?? pid,
    mode,
    filters,
    mixed: threadsOf(pid).some((tid) => {
      const thread = readFields(`/proc/${tid}/status`);
      return thread !== undefined &&
        (toNumber(thread.get("Seccomp")) !== mode ||
          toNumber(thread.get("Seccomp_filters")) !== filters);
    }),
    container: containerOf(pid),
  };
}

/**
 * Lists the processes of this machine.
 *
 * @throws {MachineError} if there is no /proc.
 */
export function listProcesses(): readonly number[] {
  try {
    return [...Deno.readDirSync("/proc")]
      .filter(({ name }) => /^[0-9]+$/.test(name))
      .map(({ name }) => Number(name))
      .sort((a, b) => a - b);
  } catch (error) {
    throw new MachineError(
      `Cannot list processes: ${reasonOf(error)}; mount /proc`,
      { cause: error },
    );
  }
}

/** Ids of the threads, the first thread first. */
function threadsOf(pid: number): readonly number[] {
  try {
    const others = [...Deno.readDirSync(`/proc/${pid}/task`)]
      .map(({ name }) => Number(name))
      .filter((tid) => tid !== pid)
      .sort((a, b) => a - b);
    return [pid, ...others];
  } catch {
    return [];
  }
}

function readFields(path: string): ReadonlyMap<string, string> | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    // It ended, or /proc is not available; the kernel reports the reason on
    // access.
    return undefined;
  }
  return new Map(
    text.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

/** Scopes of systemd that runtimes make for ids of other forms. */
const SCOPE =
  /(?:crun|runc|libpod|docker|crio|cri-containerd)-([A-Za-z0-9_.-]+?)\.scope/;

/** Docker, podman, containerd and CRI-O name cgroups by ids of 64 digits. */
function containerOf(pid: number): string | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/cgroup`);
    return /[0-9a-f]{64}/.exec(text)?.[0] ?? SCOPE.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}
