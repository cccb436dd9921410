/**
 * A thread that is stopped, read and released.
 *
 * @module
 */

import { attach, refusal } from "./attach.ts";
import { SyscallError } from "../error.ts";
import type { Libc } from "../libc.ts";
import { readStatus } from "./proc.ts";
import { Aarch64Registers } from "./registers_aarch64.ts";
import { X86Registers } from "./registers_x86_64.ts";
import type { Registers, Stop } from "./restart.ts";

/** linux/ptrace.h. */
const PTRACE_DETACH = 17;
const PTRACE_SYSCALL = 24;
const PTRACE_INTERRUPT = 0x4207;
/** linux/signal.h: signal of a ptrace event that is not a group stop. */
const SIGTRAP = 5;
/** The same at the entry of a call, with PTRACE_O_TRACESYSGOOD. */
const SYSCALL_TRAP = SIGTRAP | 0x80;
/** linux/wait.h. */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const WALL = 0x4000_0000;
/** Offsets in `siginfo_t` of a child: `si_pid` is 0 if nothing was found. */
const SIGINFO_WORDS = 32;
const SI_CODE = 2;
const SI_PID = 4;
const SI_STATUS = 6;
/** `si_code` of a stop; the others are deaths. */
const CLD_TRAPPED = 4;

const ESRCH = 3;

/**
 * Maximum time that a thread takes to stop, and the interval between checks.
 */
const STOP_LIMIT_MS = 2000;
const POLL_US = 100;
/**
 * Number of checks without a pause: most threads stop within a few
 * microseconds.
 */
const SPINS = 200;
const RELEASE_MS = 10;
/** Maximum time that a thread runs until its next call. */
const CALL_LIMIT_MS = 20;

/**
 * A filter as it is attached to a thread.
 *
 * @category Kernel
 */
export interface AttachedFilter {
  /** `struct sock_filter[]` as loaded. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * True if it was attached with `SECCOMP_FILTER_FLAG_LOG`; absent if the
   * kernel does not report it (before Linux 4.16). No other flag is reported.
   */
  readonly logs?: boolean;
}

/** Data of a stopped thread. */
type Read = (tid: number) => AttachedFilter[];

/** A thread that the calling one traces. */
export class Tracee {
  readonly #libc: Libc;
  /** Its id; that of its process after it has become another program. */
  #tid: number;
  /** Id of its process. */
  readonly #group: number;
  /**
   * True if it is a child of this process: its death is then for the code that
   * started it to handle.
   */
  readonly #ours: boolean;
  /** `siginfo_t`. */
  readonly #info: Int32Array<ArrayBuffer>;
  /** Made before the stop, so that little work is left after it. */
  readonly #registers: Registers;

  /**
   * Attaches to a thread as its tracer.
   *
   * @throws {SyscallError} if the kernel refuses, or a stop would harm the thread.
   */
  constructor(libc: Libc, tid: number) {
    this.#libc = libc;
    this.#tid = tid;
    this.#info = new Int32Array(SIGINFO_WORDS);
    this.#ours = libc.symbols.waitid(
      P_PID,
      tid,
      this.#info,
      WEXITED | WNOHANG | WNOWAIT,
    ) === 0;
    this.#group = Number(readStatus(libc, tid).get("Tgid") ?? tid);
    this.#registers = Deno.build.arch === "aarch64"
      ? new Aarch64Registers(libc)
      : new X86Registers(libc);
    attach(libc, tid);
  }

  /**
   * Stops the thread, reads its filters and releases it in any case.
   *
   * @param read Function that reads them.
   * @throws {SyscallError} if it does not stop or no longer exists; also any
   * error of `read`.
   */
  ask(read: Read): AttachedFilter[] {
    this.#registers.prepare(this.#tid);
    this.#interrupt();
    const stop = this.#await(STOP_LIMIT_MS);
    if (stop === undefined) {
      this.#releaseLater(read);
      throw new SyscallError(`Cannot read filters of ${this.#tid}`, {
        syscall: `no stop within ${STOP_LIMIT_MS} ms`,
        errno: 0,
        hint:
          "try again later, in case the thread is in an uninterruptible wait",
      });
    }
    if (stop === "dead") {
      this.#bury();
      throw this.#gone();
    }
    return this.#readAndRelease(stop, read);
  }

  /** Waits for a stop; returns undefined if none comes in time. */
  #await(limit: number): Stop | "dead" | undefined {
    const deadline = performance.now() + limit;
    for (let looks = 0; performance.now() < deadline; looks++) {
      const change = this.#look();
      if (change !== undefined) return change;
      if (looks >= SPINS) this.#libc.symbols.usleep(POLL_US);
    }
    return undefined;
  }

  /**
   * Requests a stop. It can fail only if the thread is gone, which `#look`
   * reports.
   */
  #interrupt(): void {
    this.#libc.symbols.ptrace(PTRACE_INTERRUPT, this.#tid, 0n, 0n);
  }

  /**
   * Follows a thread that is not the first one and has become another program:
   * it then has the id of its process, and the same tracer.
   *
   * @returns True if it has.
   */
  #follow(): boolean {
    if (this.#tid === this.#group) return false;
    const tracer = readStatus(this.#libc, this.#group).get("TracerPid");
    if (tracer !== readStatus(this.#libc, "thread-self").get("Pid")) {
      return false;
    }
    this.#tid = this.#group;
    return true;
  }

  /**
   * Returns the thread's state, undefined while it runs. It consumes nothing
   * from the kernel, because others need to see the death of a child.
   */
  #look(): Stop | "dead" | undefined {
    const info = this.#info;
    info.fill(0);
    const result = this.#libc.symbols.waitid(
      P_PID,
      this.#tid,
      info,
      WEXITED | WSTOPPED | WNOHANG | WNOWAIT | WALL,
    );
    if (result !== 0) {
      if (!this.#follow()) return "dead";
      this.#interrupt();
      return undefined;
    }
    if (info[SI_PID] === 0) return undefined;
    if (info[SI_CODE] !== CLD_TRAPPED) return "dead";
    // Signal in the low byte, event above it. Without an event the thread was
    // about to take the signal, which it gets on release.
    const status = info[SI_STATUS] ?? 0;
    if (status === SYSCALL_TRAP) return { kind: "call", signal: 0 };
    if (status >> 8 === 0) return { kind: "signal", signal: status };
    const kind = (status & 0xff) === SIGTRAP ? "trap" : "group";
    return { kind, signal: 0 };
  }

  /**
   * Acknowledges the thread's death; otherwise its parent would wait forever.
   */
  #bury(): void {
    if (this.#ours) return;
    const deadline = performance.now() + STOP_LIMIT_MS;
    do {
      this.#info.fill(0);
      const result = this.#libc.symbols.waitid(
        P_PID,
        this.#tid,
        this.#info,
        WEXITED | WNOHANG | WALL,
      );
      if (result !== 0 || this.#info[SI_PID] !== 0) return;
      this.#libc.symbols.usleep(POLL_US);
    } while (performance.now() < deadline);
  }

  #gone(): SyscallError {
    return refusal(this.#libc, this.#tid, "ptrace(PTRACE_INTERRUPT)", ESRCH);
  }

  #readAndRelease(stop: Stop, read: Read): AttachedFilter[] {
    const tid = this.#tid;
    let { signal } = stop;
    let dead = false;
    try {
      // In a group stop, job control has interrupted the call.
      const guarded = stop.kind !== "group" && this.#registers.guard(tid);
      const filters = read(tid);
      if (guarded) {
        signal = this.#registers.settle(tid, {
          filters: filters.map(({ bytes }) => bytes),
          signal,
          proceed: (signal) => this.#proceed(signal),
        });
      }
      return filters;
    } catch (error) {
      dead = error instanceof SyscallError && error.errno === ESRCH;
      throw error;
    } finally {
      if (dead) this.#bury();
      else this.#release(signal);
    }
  }

  /**
   * Lets the thread continue until its next call or stop; requests a stop if
   * neither comes soon.
   *
   * @throws {SyscallError} if it dies.
   */
  #proceed(signal: number): Stop {
    const { ptrace } = this.#libc.symbols;
    ptrace(PTRACE_SYSCALL, this.#tid, 0n, BigInt(signal));
    let change = this.#await(CALL_LIMIT_MS);
    while (change === undefined) {
      this.#interrupt();
      // It runs, so it stops as soon as it gets a processor.
      change = this.#await(STOP_LIMIT_MS);
    }
    if (change === "dead") throw this.#gone();
    return change;
  }

  #release(signal: number): void {
    const { ptrace } = this.#libc.symbols;
    if (ptrace(PTRACE_DETACH, this.#tid, 0n, BigInt(signal)) !== 0) {
      // The only possible reason is that it was killed in the meantime.
      this.#bury();
    }
  }

  /** Releases a thread that has not stopped yet, as soon as it does. */
  #releaseLater(read: Read): void {
    const timer = setInterval(() => {
      const change = this.#look();
      if (change === undefined) return;
      clearInterval(timer);
      if (change === "dead") return this.#bury();
      try {
        // Its filters decide how it may continue.
        this.#readAndRelease(change, read);
      } catch {
        // It was released anyway.
      }
    }, RELEASE_MS);
    // If this process ends first, the kernel releases it.
    Deno.unrefTimer(timer);
  }
}
