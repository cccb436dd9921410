/**
 * The registers of a stopped thread on x86_64: the call that the stop
 * interrupted, and how the thread continues.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { AUDIT_ARCH_I386 } from "../../tables/uapi.ts";
import { refusal } from "./attach.ts";
import { addressOf, type Libc } from "../libc.ts";
import {
  chooseCode,
  type Course,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  type Registers,
} from "./restart.ts";

/** linux/ptrace.h, asm/ptrace-abi.h. */
const PTRACE_POKEUSER = 6;
const PTRACE_GETREGS = 12;
const PTRACE_GET_SYSCALL_INFO = 0x420e;
/** `struct ptrace_syscall_info` without its union; `arch` is the word at 4. */
const SYSCALL_INFO_WORDS = 6;

/** Indices of `struct user_regs_struct` of x86_64, 27 words of 64 bits. */
const REGISTERS = 27;
const RAX = 10;
const ORIG_RAX = 15;
const RIP = 16;
/** Registers of the arguments of a call, by the width of its ABI. */
const ARGUMENTS: Readonly<Record<32 | 64, readonly number[]>> = {
  // rdi rsi rdx r10 r8 r9
  64: [14, 13, 12, 7, 9, 8],
  // ebx ecx edx esi edi ebp
  32: [5, 11, 12, 13, 14, 4],
};

/** The registers of an x86_64 thread. */
export class X86Registers implements Registers {
  readonly #libc: Libc;
  readonly #words: BigUint64Array<ArrayBuffer> = new BigUint64Array(REGISTERS);
  readonly #info: Uint32Array<ArrayBuffer> = new Uint32Array(
    SYSCALL_INFO_WORDS,
  );
  #code = 0;

  /** Allocates memory for them. */
  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Does nothing: the registers show everything. */
  prepare(): void {}

  /**
   * Reads them; a call that would be continued or interrupted is set to start
   * again.
   */
  guard(tid: number): boolean {
    const { ptrace } = this.#libc.symbols;
    const words = this.#words;
    if (ptrace(PTRACE_GETREGS, tid, 0n, addressOf(words)) !== 0) {
      const errno = this.#libc.errno();
      throw refusal(this.#libc, tid, "ptrace(PTRACE_GETREGS)", errno);
    }
    // Stopped outside of a call: -1.
    if (this.#nr < 0) return false;
    this.#code = -Number(BigInt.asIntN(64, words[RAX] ?? 0n));
    if (this.#code === ERESTART_RESTARTBLOCK) {
      this.#setCode(tid, ERESTARTNOHAND);
    }
    return true;
  }

  /** Sets the code that `chooseCode` returns. */
  settle(tid: number, { filters, signal }: Course): number {
    const code = this.#code;
    const chosen = chooseCode({ code, call: this.#call(tid) }, filters);
    const current = code === ERESTART_RESTARTBLOCK ? ERESTARTNOHAND : code;
    if (chosen !== current) this.#setCode(tid, chosen);
    return signal;
  }

  /** Number of the call, as a signed one. */
  get #nr(): number {
    return Number(BigInt.asIntN(32, this.#words[ORIG_RAX] ?? 0n));
  }

  /** The call as seccomp saw it: populate_seccomp_data() of kernel/seccomp.c. */
  #call(tid: number): SeccompData | undefined {
    const info = this.#info;
    const size = this.#libc.symbols.ptrace(
      PTRACE_GET_SYSCALL_INFO,
      tid,
      BigInt(info.byteLength),
      addressOf(info),
    );
    // Before Linux 5.3 the kernel does not report how the call was made.
    if (size <= 0) return undefined;
    const arch = info[1] ?? 0;
    const bits = arch === AUDIT_ARCH_I386 ? 32 : 64;
    const words = this.#words;
    return {
      nr: this.#nr,
      arch,
      instructionPointer: words[RIP] ?? 0n,
      args: ARGUMENTS[bits].map((i) => BigInt.asUintN(bits, words[i] ?? 0n)),
    };
  }

  /** Sets the return register. */
  #setCode(tid: number, code: number): void {
    const value = BigInt.asUintN(64, BigInt(-code));
    const { ptrace } = this.#libc.symbols;
    if (ptrace(PTRACE_POKEUSER, tid, BigInt(8 * RAX), value) === 0) return;
    const errno = this.#libc.errno();
    throw refusal(this.#libc, tid, "ptrace(PTRACE_POKEUSER)", errno);
  }
}
