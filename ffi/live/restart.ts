/**
 * Resumes a stopped thread as if it had not been stopped.
 *
 * A stop interrupts the call in which a thread waits. The kernel leaves one of
 * its internal codes in the return register and acts on it when the thread
 * continues (x86: arch_do_signal_or_restart(), Linux 6.1):
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
 * errno or kill. EINTR (epoll_wait, semop, sockets with a time limit) reaches a
 * program that handles no signal. Both become ERESTARTNOHAND, which treats a
 * signal that has arrived during the stop as they do. It is written as soon as
 * the thread has stopped, so a thread whose tracer dies later is safe. After
 * the filters are read, -516 is restored if they allow `restart_syscall`: only
 * that keeps the rest of a time limit.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import type { PreparedProgram } from "../../bpf/machine.ts";
import { prepare, run } from "../../bpf/run.ts";
import { precedence } from "../../tables/precedence.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import { abiOf, isWait } from "./waits.ts";

/** include/linux/errno.h: codes that no program sees, and EINTR. */
const ERESTARTSYS = 512;
const ERESTARTNOINTR = 513;
export const ERESTARTNOHAND = 514;
export const ERESTART_RESTARTBLOCK = 516;
export const EINTR = 4;

/** A stop. */
export interface Stop {
  /**
   * `trap`: requested; `signal`: about to take a signal; `group`: by job
   * control; `call`: at the entry of a call.
   */
  readonly kind: "trap" | "signal" | "group" | "call";
  /** The signal to pass on, 0 for none. */
  readonly signal: number;
}

/** Facts that are known when a thread is released. */
export interface Course {
  /** Its filters, oldest first. */
  readonly filters: readonly Uint8Array[];
  /** The signal to pass on, 0 for none. */
  readonly signal: number;
  /** Continues the thread with a signal until its next call or stop. */
  readonly proceed: (signal: number) => Stop;
}

/** The registers of a stopped thread, which decide how it continues. */
export interface Registers {
  /** Reads facts that the registers will not show, right before the stop. */
  prepare(tid: number): void;
  /**
   * Reads how the thread would continue, and makes that harmless at once.
   *
   * @returns True if it was stopped in a call.
   * @throws {SyscallError} if its registers cannot be accessed.
   */
  guard(tid: number): boolean;
  /**
   * Makes the thread continue as if it had not been stopped.
   *
   * @returns The signal to pass on, 0 for none.
   * @throws {SyscallError} if its registers cannot be accessed.
   */
  settle(tid: number, course: Course): number;
}

/** A thread whose call was interrupted by a stop. */
export interface Interrupted {
  /** The code that the kernel left, positive. */
  readonly code: number;
  /**
   * The call as its filters saw it; undefined if the kernel does not report how
   * it was made.
   */
  readonly call: SeccompData | undefined;
}

/**
 * Chooses the code with which a thread continues as if it had not been stopped.
 *
 * The call was allowed when it was made. If a later filter denies it, the last
 * resort is EINTR, which no filter judges and which a signal would also have
 * caused.
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
      // It writes a line to the log, and has no other effect.
      return other === SECCOMP_RET_LOG ? code : EINTR;
    }
    case EINTR:
      // A filter or supervisor may also answer with it.
      return MADE.has(action) && isWait(abi, call) ? ERESTARTNOHAND : code;
    default:
      return passes ? code : EINTR;
  }
}

/** Codes of an interrupted call. */
const CODES: ReadonlySet<number> = new Set([
  ...[EINTR, ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND],
  ERESTART_RESTARTBLOCK,
]);

/** Actions after which the kernel executes a call. */
const MADE: ReadonlySet<number> = new Set([SECCOMP_RET_ALLOW, SECCOMP_RET_LOG]);

/** The action of stacked filters: the strictest one. */
function judge(stack: readonly PreparedProgram[], data: SeccompData): number {
  const words = toWords(data, true);
  let action = SECCOMP_RET_ALLOW;
  for (const program of stack) {
    action = Math.min(action, precedence(run(program, words)));
  }
  return action >>> 0;
}
