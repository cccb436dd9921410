/**
 * How a stopped thread goes on: as if nobody had stopped it.
 *
 * A stop interrupts the call that a thread waits in. The kernel leaves one of
 * its internal codes in the return register and acts on it when the thread
 * goes on (x86: arch_do_signal_or_restart(), Linux 6.1):
 *
 * ```text
 *   code                      no handler runs            a handler runs
 *   -516 ERESTART_RESTARTBLOCK  restart_syscall            EINTR
 *   -514 ERESTARTNOHAND         the same call again        EINTR
 *   -513 ERESTARTNOINTR         the same call again        the same call again
 *   -512 ERESTARTSYS            the same call again        by SA_RESTART
 *     -4 EINTR                  EINTR                      EINTR
 * ```
 *
 * Two rows are harmful. `restart_syscall` (calls with a time limit: nanosleep,
 * poll, futex) is judged by the target's own filter, which may answer with an
 * errno or death. EINTR (epoll_wait, semop, sockets with a time limit) reaches a
 * program that handles no signal. Both become ERESTARTNOHAND, which treats a
 * signal that has arrived meanwhile as they do. It is written as soon as the
 * thread has stopped, so that one whose tracer dies later is safe. After the
 * filters are read, -516 is put back if they allow `restart_syscall`: only that
 * keeps what is left of a time limit.
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import type { PreparedProgram } from "../bpf/machine.ts";
import { prepare, run } from "../bpf/run.ts";
import { precedence } from "../tables/precedence.ts";
import { type SeccompData, toWords } from "../bpf/seccomp_data.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_USER_NOTIF,
} from "../tables/uapi.ts";
import { refusal } from "./attach.ts";
import { addressOf, type Libc } from "./libc.ts";
import { abiOf, isWait } from "./waits.ts";

/** include/linux/errno.h: codes that no program sees, and EINTR. */
const ERESTARTSYS = 512;
const ERESTARTNOINTR = 513;
const ERESTARTNOHAND = 514;
const ERESTART_RESTARTBLOCK = 516;
const EINTR = 4;

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
/** Where the arguments of a call are, by the width of its ABI. */
const ARGUMENTS: Readonly<Record<32 | 64, readonly number[]>> = {
  // rdi rsi rdx r10 r8 r9
  64: [14, 13, 12, 7, 9, 8],
  // ebx ecx edx esi edi ebp
  32: [5, 11, 12, 13, 14, 4],
};
const AUDIT_ARCH_I386 = 0x4000_0003;

/** A thread that a stop has called out of a call. */
export interface Interrupted {
  /** The code that the kernel left, positive. */
  readonly code: number;
  /** The call as its filters saw it; undefined when the kernel does not say how it was made. */
  readonly call: SeccompData | undefined;
}

/** What the kernel writes to, made before the stop so that little is left to do after it. */
export interface Registers {
  readonly words: BigUint64Array<ArrayBuffer>;
  readonly info: Uint32Array<ArrayBuffer>;
}

/** Makes room for the registers of a thread. */
export function makeRegisters(): Registers {
  return {
    words: new BigUint64Array(REGISTERS),
    info: new Uint32Array(SYSCALL_INFO_WORDS),
  };
}

/**
 * Reads how a stopped thread would go on, and makes it harmless.
 *
 * @param tid A thread of x86_64 in a stop that is not a group stop.
 * @param registers Room for its registers.
 * @returns What was interrupted; undefined when no call was.
 * @throws {SyscallError} if its registers are refused.
 */
export function guard(
  libc: Libc,
  tid: number,
  { words, info }: Registers,
): Interrupted | undefined {
  const { ptrace } = libc.symbols;
  if (ptrace(PTRACE_GETREGS, tid, 0n, addressOf(words)) !== 0) {
    throw refusal(libc, tid, "ptrace(PTRACE_GETREGS)", libc.errno());
  }
  const nr = Number(BigInt.asIntN(32, words[ORIG_RAX] ?? 0n));
  // Stopped outside of a call: -1.
  if (nr < 0) return undefined;
  const code = -Number(BigInt.asIntN(64, words[RAX] ?? 0n));
  if (code === ERESTART_RESTARTBLOCK) setCode(libc, tid, ERESTARTNOHAND);
  const size = BigInt(info.byteLength);
  // Since Linux 5.3.
  const known = ptrace(PTRACE_GET_SYSCALL_INFO, tid, size, addressOf(info)) > 0;
  return { code, call: known ? callOf(nr, words, info[1] ?? 0) : undefined };
}

/** The call as seccomp saw it: populate_seccomp_data() of kernel/seccomp.c. */
function callOf(
  nr: number,
  words: BigUint64Array<ArrayBuffer>,
  arch: number,
): SeccompData {
  const bits = arch === AUDIT_ARCH_I386 ? 32 : 64;
  return {
    nr,
    arch,
    instructionPointer: words[RIP] ?? 0n,
    args: ARGUMENTS[bits].map((i) => BigInt.asUintN(bits, words[i] ?? 0n)),
  };
}

/**
 * Chooses how a thread goes on that `guard` has read.
 *
 * @param interrupted What `guard` returned.
 * @param filters Its filters.
 * @throws {SyscallError} if its registers are refused.
 */
export function chooseResumption(
  libc: Libc,
  tid: number,
  interrupted: Interrupted,
  filters: readonly Uint8Array[],
): void {
  const { code } = interrupted;
  const chosen = chooseCode(interrupted, filters);
  const current = code === ERESTART_RESTARTBLOCK ? ERESTARTNOHAND : code;
  if (chosen !== current) setCode(libc, tid, chosen);
}

/**
 * Chooses the code with which a thread goes on as if it had not been stopped.
 *
 * The call was allowed when it was made. When a filter that came later denies
 * it, the last resort is EINTR, which no filter judges and which a signal
 * would have given.
 *
 * @param interrupted The code that the kernel left, and the call.
 * @param filters The filters of the thread, oldest first.
 * @returns A code, positive.
 */
export function chooseCode(
  { code, call }: Interrupted,
  filters: readonly Uint8Array[],
): number {
  const abi = call && abiOf(call.arch, call.nr);
  const restart = abi?.syscalls.get("restart_syscall");
  if (call === undefined || abi === undefined || restart === undefined) {
    return code === ERESTART_RESTARTBLOCK ? ERESTARTNOHAND : code;
  }
  // The call has ended.
  if (!CODES.has(code)) return code;
  const stack = filters.map((bytes) => prepare(decode(bytes)));
  const action = judge(stack, call);
  const passes = MADE.has(action) || action === SECCOMP_RET_USER_NOTIF;
  switch (code) {
    case ERESTART_RESTARTBLOCK: {
      const other = judge(stack, { ...call, nr: restart });
      if (other === SECCOMP_RET_ALLOW) return code;
      if (passes) return ERESTARTNOHAND;
      // It leaves a line in the log, and else nothing.
      return other === SECCOMP_RET_LOG ? code : EINTR;
    }
    case EINTR:
      // Filter and supervisor may answer with it, too.
      return MADE.has(action) && isWait(abi, call) ? ERESTARTNOHAND : code;
    default:
      return passes ? code : EINTR;
  }
}

/** Codes of a call that was interrupted. */
const CODES: ReadonlySet<number> = new Set([
  ...[EINTR, ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND],
  ERESTART_RESTARTBLOCK,
]);

/** Actions after which the kernel makes a call. */
const MADE: ReadonlySet<number> = new Set([SECCOMP_RET_ALLOW, SECCOMP_RET_LOG]);

/** The action of stacked filters, that of the strictest. */
function judge(stack: readonly PreparedProgram[], data: SeccompData): number {
  const words = toWords(data, true);
  let action = SECCOMP_RET_ALLOW;
  for (const program of stack) {
    action = Math.min(action, precedence(run(program, words)));
  }
  return action >>> 0;
}

/** Sets the return register. */
function setCode(libc: Libc, tid: number, code: number): void {
  const value = BigInt.asUintN(64, BigInt(-code));
  const result = libc.symbols.ptrace(
    PTRACE_POKEUSER,
    tid,
    BigInt(8 * RAX),
    value,
  );
  if (result === 0) return;
  throw refusal(libc, tid, "ptrace(PTRACE_POKEUSER)", libc.errno());
}
