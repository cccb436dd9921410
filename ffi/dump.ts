/**
 * The filters of a running thread, by ptrace(2).
 *
 * The thread is stopped for a moment, asked, and let go. It goes on as if
 * nobody had asked, or it is not stopped at all:
 *
 * - The state of a thread that has no filter is read in /proc.
 * - A call that waits is made to start again when the target's own filter or
 *   the kernel would end it (`resume.ts`).
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
 * - If this process is killed between the stop and the next calls that it makes,
 *   its kernel lets the thread go as it is: `restart_syscall` is judged.
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

import { attach, refusal } from "./attach.ts";
import { SyscallError } from "./error.ts";
import { addressOf, type Libc, openLibc } from "./libc.ts";
import { readStatus } from "./proc.ts";
import {
  chooseResumption,
  guard,
  type Interrupted,
  makeRegisters,
  type Registers,
} from "./resume.ts";

/** linux/ptrace.h. */
const PTRACE_DETACH = 17;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_SECCOMP_GET_FILTER = 0x420c;
/** linux/signal.h: what an event of ptrace is reported with that is not a group stop. */
const SIGTRAP = 5;
/** linux/wait.h. */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const WALL = 0x4000_0000;
/** Offsets in `siginfo_t` of a child: `si_pid` is 0 when nothing was found. */
const SIGINFO_WORDS = 32;
const SI_CODE = 2;
const SI_PID = 4;
const SI_STATUS = 6;
/** `si_code` of a stop; the others are deaths. */
const CLD_TRAPPED = 4;

const ENOENT = 2;
const ESRCH = 3;
const EACCES = 13;
const EINVAL = 22;

/** linux/capability.h: its bit in a set of capabilities. */
const CAP_SYS_ADMIN = 21n;

/** Bytes of a `struct sock_filter`. */
const SOCK_FILTER_SIZE = 8;
/** How long a thread may take to stop, and how often it is looked at. */
const STOP_LIMIT_MS = 2000;
const POLL_US = 100;
/** Looks without a pause: most threads stop within some microseconds. */
const SPINS = 200;
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
  const tracee = seize(libc, tid);
  return readAndRelease(libc, tracee, stop(libc, tracee));
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

/** A thread that this one traces. */
interface Tracee {
  /** Its id; that of its process once it has become another program. */
  tid: number;
  /** Id of its process. */
  readonly group: number;
  /** A child of this process: its death is for whoever started it to see. */
  readonly ours: boolean;
  /** `siginfo_t`. */
  readonly info: Int32Array<ArrayBuffer>;
  readonly registers: Registers;
}

/** A stop. */
interface Stop {
  /** The signal that has to be handed on, 0 for none. */
  readonly signal: number;
  /** Whether job control has stopped the thread: then that has interrupted its call. */
  readonly isGroupStop: boolean;
}

function seize(libc: Libc, tid: number): Tracee {
  const info = new Int32Array(SIGINFO_WORDS);
  const registers = makeRegisters();
  const ours = libc.symbols.waitid(
    P_PID,
    tid,
    info,
    WEXITED | WNOHANG | WNOWAIT,
  ) === 0;
  const group = Number(readStatus(libc, tid).get("Tgid") ?? tid);
  attach(libc, tid);
  return { tid, group, ours, info, registers };
}

function stop(libc: Libc, tracee: Tracee): Stop {
  interrupt(libc, tracee);
  const deadline = performance.now() + STOP_LIMIT_MS;
  for (let looks = 0; performance.now() < deadline; looks++) {
    const change = look(libc, tracee);
    if (change === "dead") {
      bury(libc, tracee);
      throw refusal(libc, tracee.tid, "ptrace(PTRACE_INTERRUPT)", ESRCH);
    }
    if (change !== undefined) return change;
    if (looks >= SPINS) libc.symbols.usleep(POLL_US);
  }
  releaseLater(libc, tracee);
  throw new SyscallError(`Cannot read filters of ${tracee.tid}`, {
    syscall: `no stop within ${STOP_LIMIT_MS} ms`,
    errno: 0,
    hint: "a thread in an uninterruptible wait can be asked later",
  });
}

/** Has the thread stop. That it is gone, which is all that can fail, `look` shows. */
function interrupt(libc: Libc, { tid }: Tracee): void {
  libc.symbols.ptrace(PTRACE_INTERRUPT, tid, 0n, 0n);
}

/**
 * Follows a thread that is not the first one and has become another program: it
 * then has the id of its process, and the same tracer.
 *
 * @returns Whether it has.
 */
function follow(libc: Libc, tracee: Tracee): boolean {
  const { tid, group } = tracee;
  if (tid === group) return false;
  const tracer = readStatus(libc, group).get("TracerPid");
  if (tracer !== readStatus(libc, "thread-self").get("Pid")) return false;
  tracee.tid = group;
  return true;
}

/**
 * Returns what has become of the thread, undefined while it runs. Nothing is
 * taken from the kernel, as the death of an own child is for others to see.
 */
function look(
  libc: Libc,
  tracee: Tracee,
): Stop | "dead" | undefined {
  const { info } = tracee;
  info.fill(0);
  const result = libc.symbols.waitid(
    P_PID,
    tracee.tid,
    info,
    WEXITED | WSTOPPED | WNOHANG | WNOWAIT | WALL,
  );
  if (result !== 0) {
    if (!follow(libc, tracee)) return "dead";
    interrupt(libc, tracee);
    return undefined;
  }
  if (info[SI_PID] === 0) return undefined;
  if (info[SI_CODE] !== CLD_TRAPPED) return "dead";
  // Signal in the low byte, event above it. Without an event the thread was
  // about to take the signal, which it gets when it is let go.
  const status = info[SI_STATUS] ?? 0;
  const isEvent = status >> 8 !== 0;
  return {
    signal: isEvent ? 0 : status,
    isGroupStop: isEvent && (status & 0xff) !== SIGTRAP,
  };
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

/** Reads the filters of a stopped thread and lets it go, whatever happens. */
function readAndRelease(
  libc: Libc,
  tracee: Tracee,
  { signal, isGroupStop }: Stop,
): Uint8Array<ArrayBuffer>[] {
  const { tid, registers } = tracee;
  let dead = false;
  try {
    const interrupted: Interrupted | undefined = isGroupStop
      ? undefined
      : guard(libc, tid, registers);
    const filters = readFilters(libc, tracee);
    if (interrupted !== undefined) {
      chooseResumption(libc, tid, interrupted, filters);
    }
    return filters;
  } catch (error) {
    dead = error instanceof SyscallError && error.errno === ESRCH;
    throw error;
  } finally {
    if (dead) bury(libc, tracee);
    else release(libc, tracee, signal);
  }
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
    clearInterval(timer);
    if (change === "dead") bury(libc, tracee);
    else {
      try {
        // For its call to start again.
        readAndRelease(libc, tracee, change);
      } catch {
        // It was let go all the same.
      }
    }
  }, RELEASE_MS);
  // If this process ends first, the kernel lets go.
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

/** Returns the number of instructions, undefined after the last filter. */
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
  // kernel/seccomp.c: get_nth_filter(): EINVAL when there is no filter at all.
  if (errno === ENOENT || errno === EINVAL) return undefined;
  throw refusal(libc, tracee.tid, "ptrace(PTRACE_SECCOMP_GET_FILTER)", errno);
}
