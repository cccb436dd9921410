/**
 * Calls that a traced thread makes on behalf of its tracer. At the entry of a
 * call, the number and the arguments are replaced; at its end, the program
 * counter is set back to the instruction that makes calls.
 *
 * @module
 */

import { SyscallError } from "../error.ts";
import { addressOf, type Libc } from "../libc.ts";
import type { Stops } from "./stops.ts";

/** linux/ptrace.h. */
const PTRACE_GETREGS = 12;
const PTRACE_SETREGS = 13;
const PTRACE_GETREGSET = 0x4204;
const PTRACE_SETREGSET = 0x4205;
/** linux/elf.h. */
const NT_PRSTATUS = 1n;
const NT_ARM_SYSTEM_CALL = 0x404n;

/** Stop at the entry or the end of a call: SIGTRAP | 0x80, as of wait(2). */
const CALL_STOP = 0x857f;

/** Registers of a machine. */
interface Layout {
  /** Number of words of 64 bits. */
  readonly words: number;
  /** Number of the call; replaced otherwise on aarch64. */
  readonly nr: number;
  /** Arguments in order. */
  readonly args: readonly number[];
  readonly pc: number;
  /** Length of the instruction that makes calls. */
  readonly length: bigint;
}

const LAYOUTS: Readonly<Record<typeof Deno.build.arch, Layout>> = {
  // struct user_regs_struct: orig_rax; rdi rsi rdx r10 r8 r9; rip
  "x86_64": {
    ...{ words: 27, nr: 15, args: [14, 13, 12, 7, 9, 8], pc: 16, length: 2n },
  },
  // struct user_pt_regs: x8; x0 to x5; pc
  "aarch64": {
    ...{ words: 34, nr: 8, args: [0, 1, 2, 3, 4, 5], pc: 32, length: 4n },
  },
};

/** A thread that makes calls for its tracer. */
export class Puppet {
  readonly #libc: Libc;
  readonly #stops: Stops;
  readonly #tid: number;
  readonly #layout: Layout = LAYOUTS[Deno.build.arch];
  readonly #words: BigUint64Array<ArrayBuffer>;

  /** Takes over a thread that was seized and is about to stop. */
  constructor(libc: Libc, stops: Stops, tid: number) {
    this.#libc = libc;
    this.#stops = stops;
    this.#tid = tid;
    this.#words = new BigUint64Array(this.#layout.words);
  }

  /**
   * Lets it run to the entry of its next call.
   *
   * @throws {SyscallError} if it ends first.
   */
  reachCall(): void {
    for (;;) {
      if (this.#next() === CALL_STOP) {
        const { op } = this.#stops.call(this.#tid);
        if (op === "entry") return;
        if (op === "none") throw tooOld();
      }
      this.#stops.resume(this.#tid);
    }
  }

  /**
   * Makes a call instead of the one at whose entry it is stopped.
   *
   * @returns The return value, after which it is stopped at an entry again;
   * `undefined` after a successful execve.
   */
  make(nr: number, args: readonly (bigint | number)[]): number | undefined {
    const { words, layout } = { words: this.#words, layout: this.#layout };
    this.#read();
    words[layout.nr] = BigInt(nr);
    for (const [i, register] of layout.args.entries()) {
      words[register] = BigInt.asUintN(64, BigInt(args[i] ?? 0));
    }
    this.#write();
    this.#setNumber(nr);
    for (;;) {
      this.#stops.resume(this.#tid);
      const status = this.#next();
      if (status === EXEC_STOP) return undefined;
      if (status !== CALL_STOP) continue;
      const call = this.#stops.call(this.#tid);
      if (call.op !== "exit") continue;
      this.#read();
      words[layout.pc] = (words[layout.pc] ?? 0n) - layout.length;
      this.#write();
      this.#stops.resume(this.#tid);
      this.reachCall();
      return Number(call.value);
    }
  }

  #next(): number {
    const change = this.#stops.wait(this.#tid);
    if (typeof change === "number" || (change.status & 0xff) !== 0x7f) {
      throw new SyscallError("Cannot start a command", {
        syscall: "the copy of this process has ended",
        errno: 0,
        hint: "try again",
      });
    }
    return change.status;
  }

  #read(): void {
    this.#registers(PTRACE_GETREGS, PTRACE_GETREGSET, NT_PRSTATUS, this.#words);
  }

  #write(): void {
    this.#registers(PTRACE_SETREGS, PTRACE_SETREGSET, NT_PRSTATUS, this.#words);
  }

  /** On aarch64, the number at the entry of a call is not in a register. */
  #setNumber(nr: number): void {
    if (Deno.build.arch !== "aarch64") return;
    const number = new Int32Array([nr]);
    this.#registers(0, PTRACE_SETREGSET, NT_ARM_SYSTEM_CALL, number);
  }

  #registers(
    plain: number,
    set: number,
    kind: bigint,
    data: BigUint64Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
  ): void {
    const { ptrace } = this.#libc.symbols;
    const address = addressOf(data);
    const vector = new BigUint64Array([address, BigInt(data.byteLength)]);
    const result = Deno.build.arch === "x86_64"
      ? ptrace(plain, this.#tid, 0n, address)
      : ptrace(set, this.#tid, kind, addressOf(vector));
    if (result === 0) return;
    throw new SyscallError("Cannot start a command", {
      syscall: "ptrace(PTRACE_SETREGSET)",
      errno: this.#libc.errno(),
      hint: "the kernel must allow changes of registers",
    });
  }
}

function tooOld(): SyscallError {
  return new SyscallError("Cannot trace a command", {
    syscall: "ptrace(PTRACE_GET_SYSCALL_INFO)",
    errno: 0,
    hint: "Linux 5.3 or later is needed",
  });
}

/** SIGTRAP | PTRACE_EVENT_EXEC << 8, as of wait(2). */
const EXEC_STOP = 0x4_057f;
