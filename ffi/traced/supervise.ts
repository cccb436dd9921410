/**
 * Runs a command under an observing filter, answers as the original filter
 * does, and reports every denied call.
 *
 * Calls that the original filter answers with ERRNO come to the listener. TRAP
 * and KILL stay with the kernel; a tracer sees the SIGSYS and the end of the
 * thread. The tracer stops no calls, so allowed calls cost the same as without
 * it. If this process dies, the kernel kills everything that it traces: the
 * command never gets a looser filter, and never waits for an answer that does
 * not come.
 *
 * Remaining effects: a signal interrupts a call that waits for its answer, like
 * any waiting call, if it arrives before this process has seen the question; a
 * second listener is refused (EBUSY); no process can trace another one; without
 * CAP_SYS_ADMIN, no_new_privs is set.
 *
 * @module
 */

import { actionOf } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import {
  MAX_ERRNO,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_TRAP,
} from "../../tables/uapi.ts";
import { addressOf, type Libc, openLibc } from "../libc.ts";
import { readStatus } from "../live/proc.ts";
import { readCallRegisters } from "./call_registers.ts";
import { Listener } from "./listener.ts";
import { startTraced, type TracedCommand } from "./start.ts";
import { Stops } from "./stops.ts";
import { wakeOnSignals } from "./terminal.ts";

const SIGSYS = 31;
const SIGTRAP = 5;
const SIGSTOP = 19;
const SIGCONT = 18;
const SIGTTOU = 22;
/** linux/ptrace.h. */
const PTRACE_GETSIGINFO = 0x4202;
const EVENT_EXEC = 4;
const EVENT_EXIT = 6;
const EVENT_STOP = 128;
/** siginfo_t: si_code, and its value for seccomp. */
const SIGINFO_BYTES = 128;
const SI_CODE = 2;
const SYS_SECCOMP = 1;

/** Maximum time between checks of the traced threads, in milliseconds. */
const LOOK_MS = 20;

/** A denied call. */
export interface Denial<T> {
  readonly data: SeccompData;
  /** Thread. */
  readonly tid: number;
  /** Process. */
  readonly pid: number;
  /** The original filter's answer, a u32. */
  readonly value: number;
  /** True if the call was made anyway, because everything is allowed. */
  readonly allowed: boolean;
  /** Facts read while the thread waited. */
  readonly facts: T;
  /** False if memory changed while the thread waited. */
  readonly stable: boolean;
}

/** How a command is supervised. */
export interface SuperviseOptions<T> extends TracedCommand {
  /** The observing filter. */
  readonly observer: Uint8Array<ArrayBuffer>;
  /** Returns the original filter's answer to a call. */
  readonly answer: (data: SeccompData) => number;
  /** Reads facts of a call while its thread waits: memory, registers. */
  readonly inspect: (data: SeccompData, tid: number) => T;
  /** Called after the answer. */
  readonly onDenial: (denial: Denial<T>) => void;
  /** Called when a process becomes another program. */
  readonly onExec: (pid: number) => void;
  /** True to let denied calls that reach the listener proceed. */
  readonly allowAll: boolean;
}

/** End of a command. */
export interface SuperviseResult {
  /** Exit code; `undefined` if a signal ended it. */
  readonly code: number | undefined;
  /** Signal that ended it. */
  readonly signal: number | undefined;
}

/**
 * Runs a command and reports its denied calls.
 *
 * @param options The command, its filters, and the receiver.
 * @throws {SyscallError} if it cannot be started, traced or observed.
 * @returns How the command ended, after all its children have ended.
 */
export function supervise<T>(options: SuperviseOptions<T>): SuperviseResult {
  const libc = openLibc();
  const stops = new Stops(libc);
  const restore = wakeOnSignals(libc);
  try {
    const { pid, listener } = startTraced(libc, stops, options);
    const open = new Listener(libc, listener);
    try {
      return new Supervisor(libc, { stops, listener: open, pid, options })
        .run();
    } finally {
      open.close();
    }
  } finally {
    restore();
  }
}

interface Parts<T> {
  readonly stops: Stops;
  readonly listener: Listener;
  readonly pid: number;
  readonly options: SuperviseOptions<T>;
}

/** One run, from the first stop to the end of all processes. */
class Supervisor<T> {
  readonly #libc: Libc;
  readonly #parts: Parts<T>;
  /** Processes of threads that had a denied call. */
  readonly #groups = new Map<number, number>();
  #status = 0;
  /** True once no thread has the filter. */
  #quiet = false;

  constructor(libc: Libc, parts: Parts<T>) {
    this.#libc = libc;
    this.#parts = parts;
  }

  run(): SuperviseResult {
    const { stops, listener, pid } = this.#parts;
    stops.proceed(pid);
    for (;;) {
      const change = stops.look();
      if (typeof change === "number") break;
      if (change !== undefined) {
        this.#handle(change.tid, change.status);
        continue;
      }
      if (this.#quiet) {
        this.#libc.symbols.usleep(1000);
        continue;
      }
      const state = listener.wait(LOOK_MS);
      if (state === "ready") this.#answer();
      this.#quiet = state === "ended";
    }
    const status = this.#status;
    const exited = (status & 0x7f) === 0;
    return {
      code: exited ? status >> 8 & 0xff : undefined,
      signal: exited ? undefined : status & 0x7f,
    };
  }

  /** Answers one question as the original filter does. */
  #answer(): void {
    const { listener, options } = this.#parts;
    const question = listener.receive();
    if (question === undefined) return;
    const { id, tid, data } = question;
    const value = options.answer(data);
    const before = options.inspect(data, tid);
    const stable = JSON.stringify(before) ===
      JSON.stringify(options.inspect(data, tid));
    // Facts about another process are useless.
    const isValid = listener.isValid(id);
    // Only ERRNO is notified: any other answer would be our bug.
    const errno = actionOf(value) === SECCOMP_RET_ERRNO
      ? Math.min(value & SECCOMP_RET_DATA, MAX_ERRNO)
      : EPERM;
    const sent = listener.answer(id, options.allowAll ? "continue" : errno);
    if (!sent || !isValid) return;
    this.#report({ data, tid, value, facts: before, stable }, options.allowAll);
  }

  #report(
    denial: Omit<Denial<T>, "pid" | "allowed">,
    allowed: boolean,
  ): void {
    const { tid } = denial;
    let pid = this.#groups.get(tid);
    if (pid === undefined) {
      pid = Number(readStatus(this.#libc, tid).get("Tgid") ?? tid);
      this.#groups.set(tid, pid);
    }
    this.#parts.options.onDenial({ ...denial, pid, allowed });
  }

  #handle(tid: number, status: number): void {
    const { stops, pid } = this.#parts;
    if ((status & 0xff) !== 0x7f) {
      if (tid === pid) this.#status = status;
      return;
    }
    const signal = status >> 8 & 0xff;
    const event = status >> 16;
    if (event === EVENT_STOP && isStop(signal)) return stops.listen(tid);
    if (event === EVENT_EXIT) this.#atExit(tid, stops.message(tid));
    else if (event === EVENT_EXEC) this.#parts.options.onExec(tid);
    else if (event === 0 && signal === SIGSYS) this.#atSigsys(tid);
    // A trap caused by the tracer is not a signal of the command.
    const own = event !== 0 || signal === (SIGTRAP | 0x80);
    stops.proceed(tid, own ? 0 : signal);
  }

  /** A thread gets SIGSYS; seccomp sends it for TRAP. */
  #atSigsys(tid: number): void {
    const info = new Int32Array(SIGINFO_BYTES / 4);
    const { ptrace } = this.#libc.symbols;
    if (ptrace(PTRACE_GETSIGINFO, tid, 0n, addressOf(info)) !== 0) return;
    if (info[SI_CODE] !== SYS_SECCOMP) return;
    this.#inspectStopped(tid, [SECCOMP_RET_TRAP]);
  }

  /** A thread ends; seccomp ends it by SIGSYS for KILL. */
  #atExit(tid: number, code: number): void {
    this.#inspectKilled(tid, code);
    this.#groups.delete(tid);
  }

  #inspectKilled(tid: number, code: number): void {
    if ((code & 0x7f) !== SIGSYS) return;
    this.#inspectStopped(tid, [
      SECCOMP_RET_KILL_PROCESS,
      SECCOMP_RET_KILL_THREAD,
    ]);
  }

  /** Reports the call in the registers if the filter gives such an answer. */
  #inspectStopped(tid: number, actions: readonly number[]): void {
    const data = readCallRegisters(this.#libc, tid);
    if (data === undefined) return;
    const { answer, inspect } = this.#parts.options;
    const value = answer(data);
    if (!actions.includes(actionOf(value))) return;
    const facts = inspect(data, tid);
    this.#report({ data, tid, value, facts, stable: true }, false);
  }
}

const EPERM = 1;

function isStop(signal: number): boolean {
  return signal >= SIGSTOP && signal <= SIGTTOU && signal !== SIGCONT;
}
