/**
 * The filters of a running thread, by ptrace(2).
 *
 * The thread is stopped for a moment, asked, and let go. It goes on as if
 * nobody had asked, or it is not stopped at all:
 *
 * - The state of a thread that has no filter is read in /proc.
 * - A call that waits is made to start again when the target's own filter or
 *   the kernel would end it (`restart.ts`).
 * - A thread that waits in a call which cannot start again is refused, unless it
 *   gets out of there soon (`waits.ts`).
 * - A signal that arrives meanwhile is handed on, a thread that job control has
 *   stopped stays stopped, one that dies is given back to its parent, one that
 *   cannot be stopped is let go of as soon as it can.
 *
 * What remains:
 *
 * - A call with a relative time limit that starts again has all of its time
 *   again, if the filter does not allow `restart_syscall`, or if it is one that
 *   the kernel never continues (epoll_wait, semtimedop, sockets).
 * - Between the look at /proc and the stop the thread may enter a call that is
 *   cut short: a `write` to a full pipe returns a part, as after a signal.
 *   On aarch64, so does EINTR (`registers_aarch64.ts`).
 * - If this process is killed between the stop and the next calls that it makes,
 *   the kernel lets the thread go as it is: `restart_syscall` is judged.
 * - While the first thread of a process is traced, a signal that the process
 *   ignores is queued and may wake another thread of it.
 *
 * A thread has one tracer at most. When another one is at it, it is waited for:
 * two that read filters at the same time must not refuse each other.
 *
 * ptrace binds to the calling thread: nothing here may be called
 * `nonblocking`, and the dump has to end on the thread on which it began.
 *
 * @module
 */

import { refusal } from "./attach.ts";
import { SyscallError } from "./error.ts";
import { addressOf, type Libc, openLibc } from "./libc.ts";
import { readStatus } from "./proc.ts";
import { Tracee } from "./tracee.ts";

/** linux/ptrace.h. */
const PTRACE_SECCOMP_GET_FILTER = 0x420c;

const ENOENT = 2;
const EACCES = 13;
const EINVAL = 22;

/** linux/capability.h: its bit in a set of capabilities. */
const CAP_SYS_ADMIN = 21n;

/** Bytes of a `struct sock_filter`. */
const SOCK_FILTER_SIZE = 8;

/**
 * Reads the filters of a thread.
 *
 * @example How many filters a child has
 * ```ts
 * import { dumpFilters } from "@x/seccomp-tree/ffi";
 * import { assert } from "@std/assert";
 *
 * const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
 * const lengths = dumpFilters(child.pid).map((bytes) => bytes.length / 8);
 * child.kill();
 * await child.status;
 * assert(lengths.every((length) => length > 0 && length <= 4096));
 * ```
 *
 * @throws {SyscallError} if the kernel refuses: no such thread (ESRCH), not permitted or traced by another
 * for a second (EPERM), not root or itself filtered (EACCES), no kernel support (EIO); and when a stop would
 * harm the thread, which then goes on untouched.
 *
 * @param tid A thread; the id of a process is that of its first thread.
 * @returns `struct sock_filter[]` as it was loaded, oldest first; none when the thread has no filter. Needs
 * `--allow-ffi`.
 */
export function dumpFilters(tid: number): Uint8Array<ArrayBuffer>[] {
  if (!Number.isInteger(tid) || tid <= 0 || tid > 0x7fff_ffff) {
    throw new RangeError(
      `Cannot read filters: ${tid} is not the id of a thread; give one from 1 to 2147483647`,
    );
  }
  const libc = openLibc();
  if (!mayHaveFilters(libc, tid)) return [];
  return new Tracee(libc, tid).ask((tid) => readFilters(libc, tid));
}

/**
 * Reports whether a thread has to be stopped for an answer.
 *
 * @throws {SyscallError} if it would be stopped for nothing, as this process may not read filters.
 */
function mayHaveFilters(libc: Libc, tid: number): boolean {
  const status = readStatus(libc, tid);
  const own = readStatus(libc, "thread-self");
  if (own.size === 0) {
    throw new SyscallError(`Cannot read filters of ${tid}`, {
      syscall: "/proc cannot be read",
      errno: 0,
      hint: "it shows which threads a stop would harm; mount /proc",
    });
  }
  // The kernel knows why a thread that has ended cannot be asked.
  if (status.size === 0 || /^[ZX]/.test(status.get("State") ?? "")) return true;
  // 0 for none, 1 for strict mode, which has none.
  if (/^[01]$/.test(status.get("Seccomp") ?? "")) return false;
  // kernel/seccomp.c: seccomp_get_filter().
  const capabilities = BigInt(`0x${own.get("CapEff") ?? "0"}`);
  if (
    (capabilities >> CAP_SYS_ADMIN & 1n) === 1n && own.get("Seccomp") === "0"
  ) return true;
  throw refusal(libc, tid, "ptrace(PTRACE_SECCOMP_GET_FILTER)", EACCES);
}

function readFilters(libc: Libc, tid: number): Uint8Array<ArrayBuffer>[] {
  const filters: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    // Without a buffer the answer is the number of instructions.
    const length = getFilter(libc, tid, filters.length, 0n);
    if (length === undefined) return filters;
    const bytes = new Uint8Array(length * SOCK_FILTER_SIZE);
    getFilter(libc, tid, filters.length, addressOf(bytes));
    // Kept in the list, and so alive, until the copy is complete.
    filters.push(bytes);
  }
}

/** Returns the number of instructions, undefined after the last filter. */
function getFilter(
  libc: Libc,
  tid: number,
  index: number,
  address: bigint,
): number | undefined {
  const length = libc.symbols.ptrace(
    PTRACE_SECCOMP_GET_FILTER,
    tid,
    BigInt(index),
    address,
  );
  if (length >= 0) return length;
  const errno = libc.errno();
  // kernel/seccomp.c: get_nth_filter(): EINVAL when there is no filter at all.
  if (errno === ENOENT || errno === EINVAL) return undefined;
  throw refusal(libc, tid, "ptrace(PTRACE_SECCOMP_GET_FILTER)", errno);
}
