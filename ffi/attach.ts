/**
 * Becoming the tracer of a thread, and why that may be refused.
 *
 * A thread has one tracer at most. Where another one is at it, it is waited for:
 * two that read filters at the same time must not refuse each other.
 *
 * @module
 */

import type { Libc } from "./libc.ts";

/** linux/ptrace.h. */
const PTRACE_SEIZE = 0x4206;

const EPERM = 1;
const ESRCH = 3;
const EIO = 5;
const EACCES = 13;

/** How long another tracer is waited for: one that reads filters, too, needs a moment only. */
const BUSY_LIMIT_MS = 1000;
const POLL_US = 100;
/** Looks that find no tracer before it is no other that refuses: one may have left before the look. */
const FREE_LOOKS = 20;

/**
 * Becomes the tracer of a thread, behind another one if need be.
 *
 * @param libc The library.
 * @param tid The thread.
 * @returns An errno, 0 for success.
 */
export function attach(libc: Libc, tid: number): number {
  const deadline = performance.now() + BUSY_LIMIT_MS;
  let seen = false;
  for (let looks = 0;; looks++) {
    if (libc.symbols.ptrace(PTRACE_SEIZE, tid, 0n, 0n) === 0) return 0;
    const errno = libc.errno();
    if (errno !== EPERM || performance.now() >= deadline) return errno;
    seen ||= tracerOf(readStatus(tid)) !== "0";
    if (!seen && looks >= FREE_LOOKS) return errno;
    libc.symbols.usleep(POLL_US);
  }
}

/**
 * Explains a refusal.
 *
 * @param tid The thread.
 * @param errno What the kernel said.
 * @returns A hint for people, empty where there is none.
 */
export function explain(tid: number, errno: number): string {
  switch (errno) {
    case ESRCH:
      return "there is no such thread, or it has just ended";
    case EPERM:
      return explainRefusal(readStatus(tid));
    case EACCES:
      return "CAP_SYS_ADMIN in the initial user namespace is needed, and this process must not be filtered itself";
    case EIO:
      return "the kernel is built without CONFIG_CHECKPOINT_RESTORE or CONFIG_SECCOMP_FILTER";
    default:
      return "";
  }
}

function explainRefusal(status: ReadonlyMap<string, string>): string {
  const tracer = tracerOf(status);
  if (status.get("Tgid") === String(Deno.pid)) {
    return "a process cannot trace itself";
  }
  if (status.get("State")?.startsWith("Z") === true) {
    return "it has ended and waits for its parent; where it is the first thread of a process, another thread can be asked";
  }
  if (tracer !== "0") return `thread ${tracer} traces it already`;
  if (status.get("Kthread") === "1") return "it is a thread of the kernel";
  return "root is needed; kernel.yama.ptrace_scope or a security module may forbid it, and a thread of the kernel cannot be traced";
}

/** Id of the thread that traces it, "0" for none or where /proc does not say. */
function tracerOf(status: ReadonlyMap<string, string>): string {
  return status.get("TracerPid") ?? "0";
}

/** Fields of /proc/TID/status; none where it cannot be read. */
function readStatus(tid: number): ReadonlyMap<string, string> {
  try {
    const text = Deno.readTextFileSync(`/proc/${tid}/status`);
    return new Map(
      text.split("\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
  } catch {
    return new Map();
  }
}
