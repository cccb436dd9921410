/**
 * Reads the filters of a running thread by ptrace(2).
 *
 * The thread is stopped for a moment, its filters are read, and it is released.
 * It continues as if nothing had happened, or it is not stopped at all:
 *
 * - The state of a thread without a filter is read from /proc.
 * - A waiting call is made to start again if the target's own filter or the
 *   kernel would end it (`restart.ts`).
 * - A thread in a call that cannot start again is refused, unless it leaves the
 *   call soon (`waits.ts`).
 * - A signal that arrives during the stop is passed on, a thread that job
 *   control has stopped stays stopped, one that dies is returned to its parent,
 *   and one that cannot be stopped is released as soon as possible.
 *
 * Remaining effects:
 *
 * - A call with a relative time limit that starts again gets its full time
 *   again if the filter does not allow `restart_syscall`, or if the kernel
 *   never continues the call (epoll_wait, semtimedop, sockets).
 * - Between the check of /proc and the stop, the thread may enter a call that
 *   the stop cuts short: a `write` to a full pipe returns a part, as after a
 *   signal. On aarch64, EINTR has the same effect (`registers_aarch64.ts`).
 * - If this process is killed between the stop and its next calls, the kernel
 *   releases the thread as it is: its filters judge `restart_syscall`.
 * - While the first thread of a process is traced, a signal that the process
 *   ignores is queued and may wake another thread of it.
 *
 * A thread has at most one tracer. If another one is attached, this module
 * waits for it, so that two processes that read filters at the same time do not
 * refuse each other.
 *
 * ptrace binds to the calling thread: no call here may be `nonblocking`, and
 * the dump must end on the thread on which it began.
 *
 * @module
 */

import { refusal } from "./attach.ts";
import { SyscallError } from "../error.ts";
import { addressOf, type Libc, openLibc } from "../libc.ts";
import { readStatus } from "./proc.ts";
import { type AttachedFilter, Tracee } from "./tracee.ts";

/** linux/ptrace.h. */
const PTRACE_SECCOMP_GET_FILTER = 0x420c;
const GET_FILTER = "ptrace(PTRACE_SECCOMP_GET_FILTER)";
/** Since Linux 4.16; reads a `struct seccomp_metadata`. */
const PTRACE_SECCOMP_GET_METADATA = 0x420d;
/** `struct seccomp_metadata { __u64 filter_off; __u64 flags; }`. */
const METADATA_BYTES = 16;
/** linux/seccomp.h; the only flag that the kernel reports. */
const SECCOMP_FILTER_FLAG_LOG = 2n;

/** linux/prctl.h; since Linux 3.18. */
const PR_SET_MM = 35;
const PR_SET_MM_MAP_SIZE = 15n;

const ENOENT = 2;
const EACCES = 13;
const EINVAL = 22;

/** linux/capability.h: number of the bit in a set of capabilities. */
const CAP_SYS_ADMIN = 21n;

/** Size of a `struct sock_filter` in bytes. */
const SOCK_FILTER_SIZE = 8;

/**
 * Reads the filters of a thread.
 *
 * @example Number of filters of a child
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
 * @throws {SyscallError} if the kernel refuses: no such thread (ESRCH), not
 * permitted or traced by another process for a second (EPERM), not root or
 * itself filtered (EACCES), no kernel support (EINVAL; EIO before Linux 4.4).
 * Also if a stop would harm the thread, which then continues untouched.
 *
 * @param tid A thread; the id of a process is the id of its first thread.
 * @returns `struct sock_filter[]` as loaded, oldest first; empty if the thread
 * has no filter. Needs `--allow-ffi`.
 * @category Kernel
 */
export function dumpFilters(tid: number): Uint8Array<ArrayBuffer>[] {
  return dumpAttached(tid).map(({ bytes }) => bytes);
}

/**
 * Reads the filters of a thread as `dumpFilters` does, with their flags.
 *
 * @throws {SyscallError} under the conditions of `dumpFilters`.
 *
 * @param tid A thread; the id of a process is the id of its first thread.
 * @returns The filters, oldest first; needs `--allow-ffi`.
 * @category Kernel
 */
export function dumpAttached(tid: number): AttachedFilter[] {
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
 * Reports whether a thread must be stopped for an answer.
 *
 * @throws {SyscallError} if a stop would be useless, because this process may
 * not read filters or this kernel cannot.
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
  // The kernel knows why it cannot read the filters of a thread that has ended.
  if (status.size === 0 || /^[ZX]/.test(status.get("State") ?? "")) return true;
  // 0 for none; 1 for strict mode, which has no filters.
  if (/^[01]$/.test(status.get("Seccomp") ?? "")) return false;
  // kernel/seccomp.c: seccomp_get_filter().
  const capabilities = BigInt(`0x${own.get("CapEff") ?? "0"}`);
  if (
    (capabilities >> CAP_SYS_ADMIN & 1n) !== 1n || own.get("Seccomp") !== "0"
  ) throw refusal(libc, tid, GET_FILTER, EACCES);
  if (!hasCheckpointRestore(libc)) {
    throw refusal(libc, tid, GET_FILTER, EINVAL);
  }
  return true;
}

/**
 * Reports whether the kernel is built with CONFIG_CHECKPOINT_RESTORE, without
 * which no tracer can read filters: kernel/sys.c, prctl_set_mm() then returns
 * the size of a structure to every caller, and changes nothing.
 */
function hasCheckpointRestore(libc: Libc): boolean {
  const size = new Uint32Array(1);
  libc.symbols.prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, addressOf(size), 0n, 0n);
  return size[0] !== 0;
}

function readFilters(libc: Libc, tid: number): AttachedFilter[] {
  const filters: AttachedFilter[] = [];
  for (;;) {
    // Without a buffer, the answer is the number of instructions.
    const length = getFilter(libc, tid, filters.length, 0n);
    if (length === undefined) return filters;
    const bytes = new Uint8Array(length * SOCK_FILTER_SIZE);
    getFilter(libc, tid, filters.length, addressOf(bytes));
    // Kept in the list, and therefore alive, until the copy is complete.
    const logs = readLogs(libc, tid, filters.length);
    filters.push({ bytes, ...(logs === undefined ? {} : { logs }) });
  }
}

/**
 * Reports whether a filter logs; undefined if the kernel does not report it.
 */
function readLogs(libc: Libc, tid: number, index: number): boolean | undefined {
  const metadata = new BigUint64Array([BigInt(index), 0n]);
  const size = libc.symbols.ptrace(
    PTRACE_SECCOMP_GET_METADATA,
    tid,
    BigInt(METADATA_BYTES),
    addressOf(metadata),
  );
  // Read after the call, which keeps the buffer alive until then.
  const [, flags = 0n] = metadata;
  return size < METADATA_BYTES
    ? undefined
    : (flags & SECCOMP_FILTER_FLAG_LOG) !== 0n;
}

/** Returns the number of instructions; undefined after the last filter. */
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
  // This thread has a filter, so the first one is never absent.
  if (errno === ENOENT && index > 0) return undefined;
  throw refusal(libc, tid, GET_FILTER, errno);
}
