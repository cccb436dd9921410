/**
 * The filters of a running thread, by ptrace(2).
 *
 * The thread is stopped for a moment, asked, and let go. It keeps its state:
 * a signal that arrives meanwhile is handed on, a thread stopped by job
 * control stays stopped, one that dies is given back to its parent, one that
 * cannot be stopped is let go of as soon as it can.
 *
 * One trace remains, as with every debugger: calls that the kernel does not
 * restart after a stop answer EINTR, among them epoll_wait(2) and reads of a
 * socket with a time limit (signal(7), "Interruption of system calls").
 *
 * A thread has one tracer at most. Where another one is at it, it is waited for:
 * two that read filters at the same time must not refuse each other.
 *
 * ptrace binds to the calling thread: nothing here may be called
 * `nonblocking`, and the dump has to end on the thread on which it began.
 *
 * @module
 */

import { attach, explain } from "./attach.ts";
import { SyscallError } from "./error.ts";
import { addressOf, type Libc, openLibc } from "./libc.ts";

/** linux/ptrace.h. */
const PTRACE_DETACH = 17;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_SECCOMP_GET_FILTER = 0x420c;
/** linux/wait.h. */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const WALL = 0x4000_0000;
/** Offsets in `siginfo_t` of a child: `si_pid` is 0 where nothing was found. */
const SIGINFO_WORDS = 32;
const SI_CODE = 2;
const SI_PID = 4;
const SI_STATUS = 6;
/** `si_code` of a stop; the others are deaths. */
const CLD_TRAPPED = 4;

const ENOENT = 2;
const ESRCH = 3;
const EINVAL = 22;

/** Bytes of a `struct sock_filter`. */
const SOCK_FILTER_SIZE = 8;
/** How long a thread may take to stop, and how often it is looked at. */
const STOP_LIMIT_MS = 2000;
const POLL_US = 100;
const RELEASE_MS = 10;

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
 * @throws {SyscallError} where the kernel does not tell: no such thread (ESRCH), not permitted or traced by
 * another for a second (EPERM), not root or itself filtered (EACCES), no kernel support (EIO).
 *
 * @param tid A thread; the id of a process is that of its first thread.
 * @returns `struct sock_filter[]` as it was loaded, oldest first; none where the thread has no filter. Needs
 * `--allow-ffi`, and `-A` to wait for another tracer and for the reason of a refusal.
 */
export function dumpFilters(tid: number): Uint8Array<ArrayBuffer>[] {
  if (!Number.isInteger(tid) || tid <= 0 || tid > 0x7fff_ffff) {
    throw new RangeError(
      `Cannot read filters: ${tid} is not the id of a thread, 1 to 2147483647 are`,
    );
  }
  const libc = openLibc();
  const tracee = seize(libc, tid);
  const signal = stop(libc, tracee);
  let dead = false;
  try {
    return readFilters(libc, tracee);
  } catch (error) {
    dead = error instanceof SyscallError && error.errno === ESRCH;
    throw error;
  } finally {
    if (dead) bury(libc, tracee);
    else release(libc, tracee, signal);
  }
}

/** A thread that this one traces. */
interface Tracee {
  readonly tid: number;
  /** A child of this process: its death is for whoever started it to see. */
  readonly ours: boolean;
  /** `siginfo_t`. */
  readonly info: Int32Array<ArrayBuffer>;
}

function seize(libc: Libc, tid: number): Tracee {
  const info = new Int32Array(SIGINFO_WORDS);
  const ours = libc.symbols.waitid(
    P_PID,
    tid,
    info,
    WEXITED | WNOHANG | WNOWAIT,
  ) === 0;
  const errno = attach(libc, tid);
  if (errno !== 0) throw failure(tid, "ptrace(PTRACE_SEIZE)", errno);
  return { tid, ours, info };
}

/** Stops the thread; answers the signal that has to be handed on, 0 for none. */
function stop(libc: Libc, tracee: Tracee): number {
  if (libc.symbols.ptrace(PTRACE_INTERRUPT, tracee.tid, 0n, 0n) !== 0) {
    const errno = libc.errno();
    bury(libc, tracee);
    throw failure(tracee.tid, "ptrace(PTRACE_INTERRUPT)", errno);
  }
  const deadline = performance.now() + STOP_LIMIT_MS;
  do {
    const change = look(libc, tracee);
    if (change === "dead") {
      bury(libc, tracee);
      throw failure(tracee.tid, "ptrace(PTRACE_INTERRUPT)", ESRCH);
    }
    if (change !== undefined) return change.signal;
    libc.symbols.usleep(POLL_US);
  } while (performance.now() < deadline);
  releaseLater(libc, tracee);
  throw new SyscallError(`Cannot read filters of ${tracee.tid}`, {
    syscall: `no stop within ${STOP_LIMIT_MS} ms`,
    errno: 0,
    hint: "a thread in an uninterruptible wait can be asked later",
  });
}

/**
 * Looks what has become of the thread: undefined while it runs. Nothing is
 * taken from the kernel, as the death of an own child is for others to see.
 */
function look(
  libc: Libc,
  tracee: Tracee,
): { readonly signal: number } | "dead" | undefined {
  const { info } = tracee;
  info.fill(0);
  const result = libc.symbols.waitid(
    P_PID,
    tracee.tid,
    info,
    WEXITED | WSTOPPED | WNOHANG | WNOWAIT | WALL,
  );
  if (result !== 0) return "dead";
  if (info[SI_PID] === 0) return undefined;
  if (info[SI_CODE] !== CLD_TRAPPED) return "dead";
  // Signal in the low byte, event above it. Without an event the thread was
  // about to take the signal, which it gets when it is let go.
  const status = info[SI_STATUS] ?? 0;
  return { signal: status >> 8 === 0 ? status : 0 };
}

/** Takes note of a traced thread's death, without which its parent would wait in vain. */
function bury(libc: Libc, tracee: Tracee): void {
  if (tracee.ours) return;
  const deadline = performance.now() + STOP_LIMIT_MS;
  do {
    tracee.info.fill(0);
    const result = libc.symbols.waitid(
      P_PID,
      tracee.tid,
      tracee.info,
      WEXITED | WNOHANG | WALL,
    );
    if (result !== 0 || tracee.info[SI_PID] !== 0) return;
    libc.symbols.usleep(POLL_US);
  } while (performance.now() < deadline);
}

function release(libc: Libc, tracee: Tracee, signal: number): void {
  if (
    libc.symbols.ptrace(PTRACE_DETACH, tracee.tid, 0n, BigInt(signal)) !== 0
  ) {
    // The only reason is that it was killed meanwhile.
    bury(libc, tracee);
  }
}

/** Lets go of a thread that has not stopped yet, once it does. */
function releaseLater(libc: Libc, tracee: Tracee): void {
  const timer = setInterval(() => {
    const change = look(libc, tracee);
    if (change === undefined) return;
    if (change === "dead") bury(libc, tracee);
    else release(libc, tracee, change.signal);
    clearInterval(timer);
  }, RELEASE_MS);
  // Where this process ends first, the kernel lets go.
  Deno.unrefTimer(timer);
}

function readFilters(libc: Libc, tracee: Tracee): Uint8Array<ArrayBuffer>[] {
  const filters: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    // Without a buffer the answer is the number of instructions.
    const length = getFilter(libc, tracee, filters.length, 0n);
    if (length === undefined) return filters;
    const bytes = new Uint8Array(length * SOCK_FILTER_SIZE);
    getFilter(libc, tracee, filters.length, addressOf(bytes));
    // Kept in the list, and so alive, until the copy is complete.
    filters.push(bytes);
  }
}

/** Answers the number of instructions, undefined behind the last filter. */
function getFilter(
  libc: Libc,
  tracee: Tracee,
  index: number,
  address: bigint,
): number | undefined {
  const length = libc.symbols.ptrace(
    PTRACE_SECCOMP_GET_FILTER,
    tracee.tid,
    BigInt(index),
    address,
  );
  if (length >= 0) return length;
  const errno = libc.errno();
  // kernel/seccomp.c: get_nth_filter(): EINVAL where there is no filter at all.
  if (errno === ENOENT || errno === EINVAL) return undefined;
  throw failure(tracee.tid, "ptrace(PTRACE_SECCOMP_GET_FILTER)", errno);
}

function failure(tid: number, syscall: string, errno: number): SyscallError {
  return new SyscallError(`Cannot read filters of ${tid}`, {
    syscall,
    errno,
    hint: explain(tid, errno),
  });
}
