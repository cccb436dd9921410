/**
 * Live processes: their filters, and what /proc says of them.
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { dumpFilters } from "../ffi/dump.ts";
import { MachineError, reasonOf } from "./error.ts";

/** What /proc says of a process. */
export interface ProcessInfo {
  readonly pid: number;
  /** Name of its first thread's program, up to 15 characters. */
  readonly name: string;
  /** Process that the thread belongs to. */
  readonly group: number;
  /** 0 for none, 1 for strict mode, 2 for filters; `undefined` where the kernel does not say. */
  readonly mode: number | undefined;
  /** Filters in force; `undefined` before Linux 5.9. */
  readonly filters: number | undefined;
  /** Whether its threads have different numbers of filters. */
  readonly mixed: boolean;
  /** Id of its container, where the name of its cgroup has one. */
  readonly container: string | undefined;
}

/**
 * Reads the filters of a process, oldest first.
 *
 * @param pid The process, or a thread.
 * @param thread Whether a thread will do that is not the first of its process.
 * @throws {MachineError} when it is a thread and none was asked for.
 * @throws {SyscallError} when the kernel does not tell.
 */
export function liveFilters(
  pid: number,
  thread = false,
): readonly Program[] {
  const info = readProcess(pid);
  if (info !== undefined && info.group !== pid && !thread) {
    throw new MachineError(
      `Cannot read filters of ${pid}: it is a thread of process ${info.group}: use pid:${info.group}, or dump --thread`,
    );
  }
  return dumpFilters(pid).map((bytes) => decode(bytes));
}

/** Reads what /proc says; `undefined` where there is no such process. */
export function readProcess(pid: number): ProcessInfo | undefined {
  const status = readFields(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const filters = toNumber(status.get("Seccomp_filters"));
  return {
    pid,
    name: status.get("Name") ?? "",
    group: toNumber(status.get("Tgid")) ?? pid,
    mode: toNumber(status.get("Seccomp")),
    filters,
    mixed: threadsOf(pid).some((tid) =>
      toNumber(
        readFields(`/proc/${pid}/task/${tid}/status`)?.get("Seccomp_filters"),
      ) !== filters
    ),
    container: containerOf(pid),
  };
}

/**
 * Lists the processes of this machine.
 *
 * @throws {MachineError} when there is no /proc.
 */
export function listProcesses(): readonly number[] {
  try {
    return [...Deno.readDirSync("/proc")]
      .filter(({ name }) => /^[0-9]+$/.test(name))
      .map(({ name }) => Number(name))
      .sort((a, b) => a - b);
  } catch (error) {
    throw new MachineError(
      `Cannot list processes: ${reasonOf(error)}: mount /proc`,
      { cause: error },
    );
  }
}

function threadsOf(pid: number): readonly string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name)
      .filter((name) => name !== String(pid));
  } catch {
    return [];
  }
}

function readFields(path: string): ReadonlyMap<string, string> | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    // It ended, or /proc is not there; whoever asks the kernel is told why.
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
