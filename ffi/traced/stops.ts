/**
 * Stops of traced threads, and the kernel's data about them.
 *
 * @module
 */

import { SyscallError } from "../error.ts";
import { addressOf, type Libc } from "../libc.ts";

/** linux/ptrace.h. */
const PTRACE_CONT = 7;
const PTRACE_SYSCALL = 24;
const PTRACE_GETEVENTMSG = 0x4201;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_LISTEN = 0x4208;
const PTRACE_GET_SYSCALL_INFO = 0x420e;

/**
 * PTRACE_O_TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, TRACEEXEC and
 * EXITKILL: children are traced from their first instruction, and nothing that
 * is traced outlives the tracer.
 */
const OPTIONS = 0x1n | 0x2n | 0x4n | 0x8n | 0x10n | 0x10_0000n;
/** PTRACE_O_TRACEEXIT: a thread stops when it is about to end. */
const TRACEEXIT = 0x40n;

/** linux/wait.h. */
const WNOHANG = 1;
const WALL = 0x4000_0000;
/** Leaves children of other threads to the threads that wait for them. */
const WNOTHREAD = 0x2000_0000;

/** Bytes of `struct ptrace_syscall_info`, and offsets in it. */
const INFO_BYTES = 88;
const INFO = { op: 0, arch: 4, nr: 24, args: 32, value: 24, failed: 32 };

/** A change of a thread. */
export interface StopStatus {
  readonly tid: number;
  /** The status of wait(2). */
  readonly status: number;
}

/** The entry of a call or its end. */
export type CallStop =
  | { readonly op: "none" }
  | {
    readonly op: "entry";
    /** `AUDIT_ARCH_*`, a u32. */
    readonly arch: number;
    /** Number as in `seccomp_data.nr`, a u32. */
    readonly nr: number;
    readonly args: readonly bigint[];
  }
  | {
    readonly op: "exit";
    /** Return value; negative errno if it failed. */
    readonly value: bigint;
  };

/** Requests to the kernel about threads that the calling thread traces. */
export class Stops {
  readonly #libc: Libc;
  readonly #status: Int32Array<ArrayBuffer> = new Int32Array(1);
  readonly #info: DataView<ArrayBuffer> = new DataView(
    new ArrayBuffer(INFO_BYTES),
  );
  readonly #infoAddress: bigint;
  readonly #message: BigUint64Array<ArrayBuffer> = new BigUint64Array(1);

  /** Allocates memory for answers. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#infoAddress = addressOf(this.#info);
  }

  /**
   * Becomes the tracer of a thread and requests a stop.
   *
   * @param ends True to stop the thread and its descendants when they end, too.
   * @throws {SyscallError} if the kernel refuses.
   */
  seize(tid: number, { ends = false }: { readonly ends?: boolean } = {}): void {
    const { ptrace } = this.#libc.symbols;
    const options = ends ? OPTIONS | TRACEEXIT : OPTIONS;
    if (ptrace(PTRACE_SEIZE, tid, 0n, options) !== 0) {
      throw new SyscallError("Cannot trace a command", {
        syscall: "ptrace(PTRACE_SEIZE)",
        errno: this.#libc.errno(),
        hint:
          "kernel.yama.ptrace_scope, a security module or a filter of this process forbids it",
      });
    }
    ptrace(PTRACE_INTERRUPT, tid, 0n, 0n);
  }

  /**
   * Waits for a change of one thread, or of any that this thread traces or has
   * started.
   *
   * @returns The change; an errno if none comes.
   */
  wait(tid = -1): StopStatus | number {
    const found = this.#libc.symbols.waitpid(
      tid,
      this.#status,
      WALL | WNOTHREAD,
    );
    if (found < 0) return this.#libc.errno();
    return { tid: found, status: this.#status[0] ?? 0 };
  }

  /**
   * Looks for a change without waiting.
   *
   * @returns The change; `undefined` if none has come yet, an errno if
   * nothing is left to wait for.
   */
  look(): StopStatus | number | undefined {
    const options = WALL | WNOTHREAD | WNOHANG;
    const found = this.#libc.symbols.waitpid(-1, this.#status, options);
    if (found < 0) return this.#libc.errno();
    return found === 0
      ? undefined
      : { tid: found, status: this.#status[0] ?? 0 };
  }

  /** Lets a thread run to its next event or signal, past its calls. */
  proceed(tid: number, signal = 0): void {
    this.#libc.symbols.ptrace(PTRACE_CONT, tid, 0n, BigInt(signal));
  }

  /** Lets a thread run to its next stop; one that was killed needs nothing. */
  resume(tid: number, signal = 0): void {
    this.#libc.symbols.ptrace(PTRACE_SYSCALL, tid, 0n, BigInt(signal));
  }

  /** Leaves a thread stopped by job control until it is continued. */
  listen(tid: number): void {
    this.#libc.symbols.ptrace(PTRACE_LISTEN, tid, 0n, 0n);
  }

  /** Reads the call at whose entry or end a thread is stopped. */
  call(tid: number): CallStop {
    const info = this.#info;
    const size = this.#libc.symbols.ptrace(
      PTRACE_GET_SYSCALL_INFO,
      tid,
      BigInt(INFO_BYTES),
      this.#infoAddress,
    );
    if (size <= 0) return { op: "none" };
    switch (info.getUint8(INFO.op)) {
      case 1:
        return {
          op: "entry",
          arch: info.getUint32(INFO.arch, true),
          nr: info.getUint32(INFO.nr, true),
          args: [0, 1, 2, 3, 4, 5].map((i) =>
            info.getBigUint64(INFO.args + 8 * i, true)
          ),
        };
      case 2:
        return { op: "exit", value: info.getBigInt64(INFO.value, true) };
      default:
        return { op: "none" };
    }
  }

  /**
   * Reads the id that belongs to an event: that of a child, or the one before
   * an exec.
   */
  message(tid: number): number {
    this.#message[0] = 0n;
    this.#libc.symbols.ptrace(
      PTRACE_GETEVENTMSG,
      tid,
      0n,
      addressOf(this.#message),
    );
    return Number(this.#message[0]);
  }
}
