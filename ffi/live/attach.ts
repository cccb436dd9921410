/**
 * Attaches to a thread as its tracer, and explains a refusal.
 *
 * A thread has at most one tracer. If another one is attached, this module
 * waits for it, so that two processes that read filters at the same time do not
 * refuse each other. A thread in a call that a stop would cut short is not
 * attached at all until it leaves the call; it gets some time to do so.
 *
 * @module
 */

import { SyscallError } from "../error.ts";
import type { Libc } from "../libc.ts";
import { readStatus } from "./proc.ts";
import { fragileWait, waitLine } from "./waits.ts";

/** linux/ptrace.h. */
const PTRACE_SEIZE = 0x4206;
/** PTRACE_O_TRACESYSGOOD: stops at the entry of a call differ from signals. */
const TRACESYSGOOD = 1n;

const EPERM = 1;
const ESRCH = 3;
const EIO = 5;
const EACCES = 13;
const EINVAL = 22;

/**
 * Time to wait for another tracer: one that also reads filters needs only a
 * moment.
 */
const BUSY_LIMIT_MS = 1000;
/** Time that a thread may stay in a call that a stop would cut short. */
const FRAGILE_LIMIT_MS = 200;
const POLL_US = 100;
/**
 * Number of checks that find no tracer before the refusal is attributed to
 * another cause: a tracer may have left before the check.
 */
const FREE_LOOKS = 20;

/**
 * Attaches to a thread, after another tracer has left if necessary.
 *
 * @throws {SyscallError} if the kernel refuses, or a stop would harm the thread.
 */
export function attach(libc: Libc, tid: number): void {
  const begin = performance.now();
  let seen = false;
  for (let looks = 0;; looks++) {
    const status = readStatus(libc, tid);
    const passed = performance.now() - begin;
    const fragile = isStopped(status)
      ? undefined
      : fragileWait(libc, tid, waitLine(libc, tid));
    if (fragile !== undefined) {
      if (passed >= FRAGILE_LIMIT_MS) throw tooFragile(tid, fragile);
      libc.symbols.usleep(POLL_US);
      continue;
    }
    const { ptrace } = libc.symbols;
    if (ptrace(PTRACE_SEIZE, tid, 0n, TRACESYSGOOD) === 0) return;
    const errno = libc.errno();
    seen ||= tracerOf(status) !== "0";
    if (
      errno !== EPERM || passed >= BUSY_LIMIT_MS ||
      (!seen && looks >= FREE_LOOKS)
    ) throw refusal(libc, tid, "ptrace(PTRACE_SEIZE)", errno);
    libc.symbols.usleep(POLL_US);
  }
}

/**
 * Reports whether job control or a tracer has stopped the thread; then a stop
 * cannot interrupt it.
 */
function isStopped(status: ReadonlyMap<string, string>): boolean {
  return /^[Tt]/.test(status.get("State") ?? "");
}

function tooFragile(tid: number, fragile: string): SyscallError {
  return new SyscallError(`Cannot read filters of ${tid}`, {
    syscall: `it waits ${fragile}, which a stop would cut short`,
    errno: 0,
    hint: "try again later",
  });
}

/**
 * Makes the error of a refused call.
 *
 * @param syscall The call.
 * @param errno The kernel's answer.
 */
export function refusal(
  libc: Libc,
  tid: number,
  syscall: string,
  errno: number,
): SyscallError {
  return new SyscallError(`Cannot read filters of ${tid}`, {
    syscall,
    errno,
    hint: explain(libc, tid, errno),
  });
}

/** A hint for the user, empty if none exists. */
function explain(libc: Libc, tid: number, errno: number): string {
  switch (errno) {
    case ESRCH:
      return "there is no such thread, or it has just ended";
    case EPERM:
      return explainRefusal(readStatus(libc, tid));
    case EACCES:
      return "CAP_SYS_ADMIN in the initial user namespace is needed, and this process must not be filtered itself";
    case EIO:
    case EINVAL:
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
    return "it has ended and waits for its parent; if it is the first thread of a process, name another thread";
  }
  if (tracer !== "0") return `thread ${tracer} is already tracing it`;
  if (status.get("Kthread") === "1") return "it is a thread of the kernel";
  return "root is required; kernel.yama.ptrace_scope or a security module may forbid it, and a thread of the kernel cannot be traced";
}

/**
 * Id of the thread that traces it; "0" for none, or if /proc does not show it.
 */
function tracerOf(status: ReadonlyMap<string, string>): string {
  return status.get("TracerPid") ?? "0";
}
