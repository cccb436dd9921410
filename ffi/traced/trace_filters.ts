/**
 * Runs a command and reports every filter that it and its children load.
 *
 * All threads are traced from their first instruction on, by PTRACE_SEIZE: job
 * control and signals reach them as without a tracer. A call that loads a
 * filter is read at its entry, and again at its end, because another thread
 * could have changed the memory after our read and before the kernel's.
 *
 * Remaining effects: calls take longer; the set-user-id and set-group-id bits
 * and the file capabilities of programs have no effect unless this process has
 * CAP_SYS_PTRACE (execve(2)); a process can see in /proc that it is traced, and
 * cannot trace another one.
 *
 * ptrace binds to the calling thread, which is blocked until the end.
 *
 * @module
 */

import { type Libc, openLibc } from "../libc.ts";
import { leaveTerminal } from "./terminal.ts";
import { readProcText, readStatus } from "../live/proc.ts";
import type {
  FilterLoad,
  TraceEnd,
  TraceOptions,
  TraceResult,
} from "./filter_load.ts";
import { readLoad, readSockFprog } from "./loads.ts";
import { startSleeper, startTraced } from "./start.ts";
import { Stops } from "./stops.ts";

const SIGKILL = 9;
const SIGCONT = 18;
const SIGSTOP = 19;
const SIGTTOU = 22;
const SIGTRAP = 5;
const SYSCALL_TRAP = SIGTRAP | 0x80;
const EINTR = 4;

/** linux/ptrace.h. */
const EVENT_FORK = 1;
const EVENT_VFORK = 2;
const EVENT_CLONE = 3;
const EVENT_EXEC = 4;
const EVENT_STOP = 128;

/** `tkill`: asm/unistd_64.h, asm-generic/unistd.h. */
const TKILL: Readonly<Record<typeof Deno.build.arch, bigint>> = {
  "x86_64": 200n,
  "aarch64": 130n,
};

/**
 * Runs a command and reports its loads.
 *
 * @param options The command, and when to end.
 * @throws {SyscallError} if it cannot be started or traced.
 * @returns How it ended, after all its children have ended.
 */
export function traceFilters(options: TraceOptions): TraceResult {
  const libc = openLibc();
  const stops = new Stops(libc);
  const { pid } = startTraced(libc, stops, options);
  const restore = leaveTerminal(libc);
  try {
    return new Trace(libc, stops, pid, options).run();
  } finally {
    restore();
  }
}

/** A traced thread. */
interface Thread {
  /** Id of its process. */
  group: number;
  /** The load in which it is. */
  load: Omit<FilterLoad, "order" | "result" | "unstable"> | undefined;
  /** True once the event of its creator or its first stop was seen. */
  announced: boolean;
}

/** One trace, from the first stop to the end of all processes. */
class Trace {
  readonly #libc: Libc;
  readonly #stops: Stops;
  readonly #main: number;
  readonly #options: TraceOptions;
  readonly #threads = new Map<number, Thread>();
  /** Threads that ended before the stop of their creator was seen. */
  readonly #early = new Set<number>();
  /** Processes that have loaded a filter, or inherited one. */
  readonly #filtered = new Set<number>();
  readonly #unprivileged = new Set<string>();
  #order = 0;
  #loaded = 0;
  #status = 0;
  #ended: TraceEnd | undefined;
  #timer = 0;

  constructor(libc: Libc, stops: Stops, main: number, options: TraceOptions) {
    this.#libc = libc;
    this.#stops = stops;
    this.#main = main;
    this.#options = options;
  }

  run(): TraceResult {
    const { timeout } = this.#options;
    this.#threads.set(this.#main, createThread(this.#main));
    this.#notePrivileges(this.#main);
    if (timeout !== undefined) {
      this.#timer = startSleeper(this.#libc, timeout);
      // Signals of the terminal must not end the tracer, and the command must
      // not outlive it.
      this.#stops.seize(this.#timer);
    }
    this.#stops.resume(this.#main);
    while (this.#threads.size > 0) {
      const change = this.#stops.wait();
      if (typeof change !== "number") this.#handle(change.tid, change.status);
      else if (change !== EINTR) break;
      else if (!this.#threads.has(this.#main)) this.#end("interrupt");
    }
    if (this.#timer !== 0) {
      this.#libc.symbols.kill(this.#timer, SIGKILL);
      this.#stops.wait(this.#timer);
    }
    const status = this.#status;
    const exited = (status & 0x7f) === 0;
    return {
      code: exited ? status >> 8 & 0xff : undefined,
      signal: exited ? undefined : status & 0x7f,
      ended: this.#ended,
      unprivileged: [...this.#unprivileged],
    };
  }

  #handle(tid: number, status: number): void {
    if (tid === this.#timer) {
      if ((status & 0xff) === 0x7f) return this.#stops.resume(tid);
      this.#timer = 0;
      this.#end("timeout");
      return;
    }
    if ((status & 0xff) !== 0x7f) {
      this.#bury(tid, status);
      return;
    }
    const thread = this.#meet(tid);
    const signal = status >> 8 & 0xff;
    const event = status >> 16;
    if (this.#ended !== undefined) this.#kill(tid);
    if (signal === SYSCALL_TRAP) this.#atCall(tid, thread);
    else if (event !== 0) this.#atEvent(tid, thread, event, signal);
    else this.#stops.resume(tid, signal);
  }

  /** Returns a thread; a traced thread has created any new one. */
  #meet(tid: number): Thread {
    let thread = this.#threads.get(tid);
    if (thread === undefined) {
      const status = readStatus(this.#libc, tid);
      thread = createThread(Number(status.get("Tgid") ?? tid));
      thread.announced = false;
      // The creator may have loaded its filter before or after.
      if (status.get("Seccomp") === "2") this.#filtered.add(thread.group);
      this.#threads.set(tid, thread);
    }
    return thread;
  }

  #bury(tid: number, status: number): void {
    const thread = this.#threads.get(tid);
    if (thread?.load !== undefined) this.#report(thread.load, undefined);
    if (thread?.announced === false) this.#early.add(tid);
    this.#threads.delete(tid);
    if (tid === this.#main) this.#status = status;
  }

  #atCall(tid: number, thread: Thread): void {
    const call = this.#stops.call(tid);
    if (call.op === "entry") {
      const load = readLoad(this.#libc, tid, call);
      thread.load = load && {
        ...load,
        tid,
        pid: thread.group,
        comm: readProcText(this.#libc, `/proc/${tid}/comm`) ?? "",
      };
    } else if (call.op === "exit" && thread.load !== undefined) {
      this.#report(thread.load, Number(call.value));
      thread.load = undefined;
    }
    this.#stops.resume(tid);
  }

  #report(
    load: NonNullable<Thread["load"]>,
    result: number | undefined,
  ): void {
    const again = load.mode === "filter" && result !== undefined
      ? readSockFprog(this.#libc, load.tid, load.address, load.narrow).bytes
      : load.bytes;
    const unstable = String(again) !== String(load.bytes);
    const loaded = result !== undefined && result >= 0;
    if (loaded) this.#filtered.add(load.pid);
    if (this.#ended !== undefined) return;
    this.#options.onLoad({ ...load, order: this.#order++, result, unstable });
    if (loaded && ++this.#loaded === this.#options.limit) this.#end("limit");
  }

  #atEvent(tid: number, thread: Thread, event: number, signal: number): void {
    switch (event) {
      case EVENT_FORK:
      case EVENT_VFORK:
      case EVENT_CLONE:
        this.#announce(this.#stops.message(tid), thread);
        break;
      case EVENT_EXEC:
        this.#atExec(tid);
        break;
      case EVENT_STOP:
        if (isStopSignal(signal)) return this.#atGroupStop(tid, thread, signal);
        break;
      default:
        break;
    }
    this.#stops.resume(tid);
  }

  /** The creator reports its child; the child's own stop may have come first. */
  #announce(child: number, creator: Thread): void {
    if (this.#early.delete(child)) return;
    const known = this.#threads.get(child);
    const thread = known ?? createThread(
      Number(readStatus(this.#libc, child).get("Tgid") ?? child),
    );
    thread.announced = true;
    this.#threads.set(child, thread);
    if (this.#filtered.has(creator.group)) this.#filtered.add(thread.group);
  }

  /** All other threads of the process are gone, and this one has its id. */
  #atExec(tid: number): void {
    const before = this.#stops.message(tid);
    if (before !== tid) this.#threads.delete(before);
    const thread = this.#threads.get(tid);
    if (thread !== undefined) thread.load = undefined;
    this.#notePrivileges(tid);
    if (this.#options.untilExec === true && this.#filtered.has(tid)) {
      this.#end("exec");
    }
  }

  /**
   * Leaves the thread stopped. If the terminal has stopped the command, this
   * process stops as well, so that the shell sees it; the shell continues both.
   */
  #atGroupStop(tid: number, { group }: Thread, signal: number): void {
    this.#stops.listen(tid);
    if (group !== this.#main || tid !== group || signal === SIGSTOP) return;
    this.#libc.symbols.kill(Deno.pid, SIGSTOP);
  }

  /** Kills everything that is traced; the loop ends when all have ended. */
  #end(reason: TraceEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const tid of this.#threads.keys()) this.#kill(tid);
  }

  #kill(tid: number): void {
    const { syscall } = this.#libc.symbols;
    const nr = TKILL[Deno.build.arch];
    syscall(nr, BigInt(tid), BigInt(SIGKILL), 0n, 0n, 0n, 0n);
  }

  /** Records a program whose set-user-id or set-group-id bit had no effect. */
  #notePrivileges(pid: number): void {
    const status = readStatus(this.#libc, "thread-self");
    const capabilities = BigInt(`0x${status.get("CapEff") ?? "0"}`);
    if ((capabilities >> CAP_SYS_PTRACE & 1n) === 1n) return;
    try {
      const path = Deno.readLinkSync(`/proc/${pid}/exe`);
      if (((Deno.statSync(path).mode ?? 0) & 0o6000) === 0) return;
      this.#unprivileged.add(path);
    } catch {
      // It is in another namespace, or has ended.
    }
  }
}

/** linux/capability.h. */
const CAP_SYS_PTRACE = 19n;

function createThread(group: number): Thread {
  return { group, load: undefined, announced: true };
}

function isStopSignal(signal: number): boolean {
  return signal >= SIGSTOP && signal <= SIGTTOU && signal !== SIGCONT;
}
