/**
 * The registers of a stopped thread on aarch64: the call that the stop
 * interrupted, and how the thread continues.
 *
 * do_signal() of arch/arm64/kernel/signal.c prepares what `restart.ts`
 * describes before the stop: the code is gone from the first register. For a
 * call that starts again, the first argument is restored and the program
 * counter points to the instruction that made the call, `svc #0`. If the kernel
 * continues the call by `restart_syscall`, it sets the number when the thread
 * continues, whatever that register contains by then, unless the program
 * counter is elsewhere.
 *
 * So a thread that may come to `restart_syscall` runs to its next call, at
 * whose entry it stops before its filters are consulted (since Linux 4.8).
 * There the call is skipped, and the thread is set back to make the old one
 * again.
 *
 * After EINTR the first argument is no longer in the registers. The kernel
 * still has it and shows it in /proc while the thread has the number of a call,
 * which a tracer may set. The whole line must equal the one that was read
 * before the stop; otherwise the thread may have returned from a handler, and
 * keeps its EINTR.
 *
 * A handler that is about to run ends both kinds with EINTR. A signal that
 * arrives in the microseconds between the check of pending signals and the
 * release does not: the call then starts after its handler, as if the signal
 * had come before the call.
 *
 * @module
 */

import { AUDIT_ARCH_AARCH64 } from "../../tables/uapi.ts";
import { refusal } from "./attach.ts";
import { addressOf, type Libc } from "../libc.ts";
import { readStatus } from "./proc.ts";
import {
  chooseCode,
  type Course,
  EINTR,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  type Registers,
} from "./restart.ts";
import { waitLine } from "./waits.ts";

/** linux/ptrace.h. */
const PTRACE_PEEKTEXT = 1;
const PTRACE_GETREGSET = 0x4204;
const PTRACE_SETREGSET = 0x4205;
/** linux/elf.h: all registers, and the number of the call. */
const NT_PRSTATUS = 1n;
const NT_ARM_SYSTEM_CALL = 0x404n;
/** Value of the number outside of a call. */
const NO_SYSCALL = -1;

/** The instruction `svc #0`. */
const SVC = 0xd400_0001 | 0;
const SVC_LENGTH = 4n;
/** Indices of `struct user_pt_regs`, 34 words of 64 bits. */
const REGISTERS = 34;
const X8 = 8;
const PC = 32;

/** asm-generic/unistd.h: `restart_syscall`, and the calls that it continues. */
const RESTART_SYSCALL = 128;
const CONTINUED: ReadonlySet<number> = new Set([
  // futex, nanosleep, clock_nanosleep
  ...[98, 101, 115],
  RESTART_SYSCALL,
]);

/** EINTR as the register contains it. */
const MINUS_EINTR = BigInt.asUintN(64, BigInt(-EINTR));

/** Maximum time that a thread runs before the stop. */
const RUN_LIMIT_MS = 5;

/** Effect of a stop on a call. */
interface Found {
  /**
   * `restart`: it starts again or is continued; `eintr`: it has ended with
   * EINTR.
   */
  readonly kind: "restart" | "eintr";
  /** Its number and its first argument. */
  readonly nr: number;
  readonly first: bigint;
  /** Address of the instruction that made it. */
  readonly svc: bigint;
}

/** The registers of an aarch64 thread. */
export class Aarch64Registers implements Registers {
  readonly #libc: Libc;
  readonly #words: BigUint64Array<ArrayBuffer> = new BigUint64Array(REGISTERS);
  readonly #nr: Int32Array<ArrayBuffer> = new Int32Array(1);
  readonly #iovec: BigUint64Array<ArrayBuffer> = new BigUint64Array(2);
  /** The call in which the thread waited before the stop. */
  #waiting: string | undefined;
  #found: Found | undefined;

  /** Allocates memory for them. */
  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Reads the call in which the thread waits; a running thread gets some time
   * to wait.
   */
  prepare(tid: number): void {
    const deadline = performance.now() + RUN_LIMIT_MS;
    do this.#waiting = waitLine(this.#libc, tid); while (
      this.#waiting === "running" && performance.now() < deadline
    );
  }

  /** Reads them; a call that may be continued has ended with EINTR for now. */
  guard(tid: number): boolean {
    const words = this.#words;
    this.#transfer(tid, PTRACE_GETREGSET, NT_PRSTATUS, words);
    // A thread of 32 bits has fewer.
    if (this.#iovec[1] !== BigInt(words.byteLength)) return false;
    const nr = Number(BigInt.asIntN(32, words[X8] ?? 0n));
    const first = words[0] ?? 0n;
    const pc = words[PC] ?? 0n;
    if (CONTINUED.has(nr) && this.#instruction(tid, pc) === SVC) {
      this.#found = { kind: "restart", nr, first, svc: pc };
      this.#set(tid, MINUS_EINTR, pc + SVC_LENGTH);
    } else if (
      first === MINUS_EINTR &&
      this.#instruction(tid, pc - SVC_LENGTH) === SVC
    ) {
      const lost = this.#lostArgument(tid, nr);
      if (lost === undefined) return false;
      this.#found = { kind: "eintr", nr, first: lost, svc: pc - SVC_LENGTH };
    }
    return this.#found !== undefined;
  }

  /**
   * Makes the call start again, be continued, or end with EINTR, as
   * `chooseCode` decides.
   */
  settle(tid: number, { filters, signal, proceed }: Course): number {
    const found = this.#found;
    if (found === undefined) return signal;
    const { kind, nr, first, svc } = found;
    const [, ...others] = this.#words;
    const chosen = chooseCode({
      code: kind === "restart" ? ERESTART_RESTARTBLOCK : EINTR,
      call: {
        nr,
        arch: AUDIT_ARCH_AARCH64,
        instructionPointer: svc + SVC_LENGTH,
        args: [first, ...others.slice(0, 5)],
      },
    }, filters);
    // A handler that runs first ends both kinds.
    const ends = this.#handles(tid, signal);
    if (kind === "eintr") {
      if (chosen === ERESTARTNOHAND && !ends) this.#set(tid, first, svc);
      return signal;
    }
    if (ends) return signal;
    this.#set(tid, first, svc);
    if (chosen === ERESTART_RESTARTBLOCK) return signal;
    for (let next = signal;;) {
      const stop = proceed(next);
      next = stop.signal;
      this.#transfer(tid, PTRACE_GETREGSET, NT_PRSTATUS, this.#words);
      if (stop.kind === "call") {
        this.#enter(tid, found, chosen === ERESTARTNOHAND);
        return 0;
      }
      // Job control, or a handler that has run: the kernel knows what to do.
      if (stop.kind === "group" || this.#words[PC] !== svc) return next;
      if (this.#handles(tid, next)) {
        this.#words[X8] = BigInt(nr);
        this.#set(tid, MINUS_EINTR, svc + SVC_LENGTH);
        return next;
      }
    }
  }

  /**
   * Makes a call begin again, or end, after the release of the thread at the
   * call's entry.
   *
   * A thread that is released there would find its call interrupted at once
   * (kernel/ptrace.c: __ptrace_unlink()). So the call is skipped, and the
   * program counter goes back to the instruction that makes it.
   */
  #enter(tid: number, { nr, first, svc }: Found, again: boolean): void {
    this.#transfer(tid, PTRACE_GETREGSET, NT_ARM_SYSTEM_CALL, this.#nr);
    const isRestart = this.#nr[0] === RESTART_SYSCALL;
    this.#setNumber(tid, NO_SYSCALL);
    const pc = this.#words[PC] ?? 0n;
    if (isRestart && pc === svc + SVC_LENGTH) {
      this.#words[X8] = BigInt(nr);
      const ends = !again || this.#handles(tid, 0);
      if (ends) this.#set(tid, MINUS_EINTR, pc);
      else this.#set(tid, first, svc);
    } else this.#set(tid, this.#words[0] ?? 0n, pc - SVC_LENGTH);
  }

  /**
   * Reports whether the program handles a signal that is being delivered or is
   * pending for the thread.
   */
  #handles(tid: number, signal: number): boolean {
    const status = readStatus(this.#libc, tid);
    const set = (name: string): bigint => BigInt(`0x${status.get(name) ?? 0}`);
    const taken = signal === 0 ? 0n : 1n << BigInt(signal - 1);
    const waiting = (set("SigPnd") | set("ShdPnd")) & ~set("SigBlk");
    return ((taken | waiting) & set("SigCgt")) !== 0n;
  }

  /**
   * The first argument of the call in which the thread waited, if it is still
   * that call.
   */
  #lostArgument(tid: number, nr: number): bigint | undefined {
    this.#setNumber(tid, nr);
    const line = waitLine(this.#libc, tid);
    this.#setNumber(tid, NO_SYSCALL);
    if (line === undefined || line !== this.#waiting) return undefined;
    return BigInt(line.split(" ")[1] ?? 0);
  }

  #setNumber(tid: number, nr: number): void {
    this.#nr[0] = nr;
    this.#transfer(tid, PTRACE_SETREGSET, NT_ARM_SYSTEM_CALL, this.#nr);
  }

  /** Sets the first register and the program counter. */
  #set(tid: number, first: bigint, pc: bigint): void {
    this.#words[0] = first;
    this.#words[PC] = pc;
    this.#transfer(tid, PTRACE_SETREGSET, NT_PRSTATUS, this.#words);
  }

  /** Reads an instruction; the C library returns the word at an address. */
  #instruction(tid: number, address: bigint): number {
    return this.#libc.symbols.ptrace(PTRACE_PEEKTEXT, tid, address, 0n);
  }

  /** Reads or writes a set of registers. */
  #transfer(
    tid: number,
    request: number,
    set: bigint,
    buffer: BigUint64Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
  ): void {
    const iovec = this.#iovec;
    iovec[0] = addressOf(buffer);
    iovec[1] = BigInt(buffer.byteLength);
    const { ptrace } = this.#libc.symbols;
    if (ptrace(request, tid, set, addressOf(iovec)) === 0) return;
    const errno = this.#libc.errno();
    throw refusal(this.#libc, tid, "ptrace(a set of registers)", errno);
  }
}
