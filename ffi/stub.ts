/**
 * Makes system calls under a filter in a child that shares this process's
 * memory: this process stays unfiltered and keeps its privileges.
 *
 * x86_64 only. On other machines, and if the system forbids a process to run
 * code that it has written, there is no stub.
 *
 * @module
 */

import { SyscallError } from "./error.ts";
import { addressOf, openLibc } from "./libc.ts";
import { AFTER_INT80, AFTER_SYSCALL, CONTEXT, STUB_CODE } from "./stub_code.ts";

/** asm-generic/mman-common.h. */
const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** linux/sched.h. */
const CLONE_VM = 0x100n;
const PAGE_SIZE = 4096;
const STACK_SIZE = 16384;
const ROW_WORDS = 7;
/** Maximum number of calls in one child. */
const MAX_ROWS = 8192;
const MAX_PROGRAM = 0xffff * 8;
/** `getpid` of i386. */
const I386_GETPID = 20;
/** A result that no system call has: the row was not reached. */
const UNREACHED = 0x7fff_ffff_ffff_ffffn;

/**
 * One system call.
 *
 * @category Kernel
 */
export interface StubCall {
  /** Its number, a u32. */
  readonly nr: number;
  /** Six arguments, u64; u32 for `int80`. */
  readonly args: readonly bigint[];
}

/**
 * Task of the child.
 *
 * @category Kernel
 */
export interface StubJob {
  /** `struct sock_filter[]`; empty for calls without a filter. */
  readonly filter?: Uint8Array;
  /** `SECCOMP_FILTER_FLAG_*`, 0 by default. */
  readonly flags?: number;
  /**
   * How the calls are made, which decides the value of `seccomp_data.arch`;
   * `syscall` by default.
   */
  readonly entry?: "syscall" | "int80";
  /**
   * True (the default) if the child shares this process's memory. One that may
   * die with a core dump must not, and then returns no results.
   */
  readonly shared?: boolean;
  /** The calls, at most 8192. */
  readonly calls: readonly StubCall[];
}

/**
 * Result of the child.
 *
 * @category Kernel
 */
export interface StubOutcome {
  /** 0, or the errno of seccomp, in which case no call was made. */
  readonly loadErrno: number;
  /** Signal that ended the child, 0 for none. */
  readonly signal: number;
  /**
   * Return values of the calls, −errno for an error; undefined for one that was
   * not reached.
   */
  readonly results: readonly (number | undefined)[];
  /** Ticks of rdtsc for loading the filter. */
  readonly loadTicks: number;
  /** Ticks of rdtsc for all calls. */
  readonly callTicks: number;
}

/**
 * The stub.
 *
 * @category Kernel
 */
export interface Stub {
  /** Instruction pointer that a filter sees, by kind of entry. */
  readonly instructionPointer: Readonly<Record<"syscall" | "int80", bigint>>;
  /**
   * Runs a child to its end.
   *
   * @param job Its task.
   * @returns Its result.
   */
  run(job: StubJob): StubOutcome;
  /**
   * Reports whether the kernel serves i386 calls, by one trial: without
   * `CONFIG_IA32_EMULATION`, under `ia32_emulation=0` and in PVM guests,
   * SIGSEGV ends the child at `int $0x80`.
   */
  servesI386(): boolean;
}

// void stub(struct context *context)
const SIGNATURE = { parameters: ["buffer"], result: "void" } as const;

let opened: { readonly stub: Stub | undefined } | undefined;

/**
 * Opens the stub, once.
 *
 * @returns The stub; undefined if this machine cannot have one; needs
 * `--allow-ffi`.
 * @category Kernel
 */
export function openStub(): Stub | undefined {
  opened ??= { stub: open() };
  return opened.stub;
}

function open(): Stub | undefined {
  if (Deno.build.arch !== "x86_64") return undefined;
  const { symbols } = openLibc();
  const page = symbols.mmap(
    null,
    BigInt(PAGE_SIZE),
    PROT_READ_WRITE,
    MAP_PRIVATE_ANONYMOUS,
    -1,
    0n,
  );
  const base = Deno.UnsafePointer.value(page);
  // MAP_FAILED is −1.
  if (page === null || BigInt.asIntN(64, base) === -1n) return undefined;
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(page, PAGE_SIZE))
    .set(Uint8Array.fromHex(STUB_CODE));
  if (symbols.mprotect(page, BigInt(PAGE_SIZE), PROT_READ_EXEC) !== 0) {
    // PR_SET_MDWE or SELinux execmem: only the portable engine remains.
    symbols.munmap(page, BigInt(PAGE_SIZE));
    return undefined;
  }
  // The cast states the type of the code that was written there.
  const code = new Deno.UnsafeFnPointer(
    page as Deno.PointerObject<typeof SIGNATURE>,
    SIGNATURE,
  );
  const memory = createMemory();
  const run = (job: StubJob): StubOutcome => {
    fill(memory, job);
    code.call(memory.context);
    return read(memory, job.calls.length);
  };
  let served: boolean | undefined;
  return {
    instructionPointer: {
      syscall: base + BigInt(AFTER_SYSCALL),
      int80: base + BigInt(AFTER_INT80),
    },
    run,
    servesI386: () => served ??= tryI386(run),
  };
}

/**
 * The child has separate memory, because on old kernels its core dump ends all
 * processes that share its memory.
 */
function tryI386(run: Stub["run"]): boolean {
  const calls = [{ nr: I386_GETPID, args: [] }];
  return run({ entry: "int80", shared: false, calls }).signal === 0;
}

/** Memory of the child; it lives as long as the stub. */
interface Memory {
  readonly context: Uint8Array<ArrayBuffer>;
  readonly fields: DataView<ArrayBuffer>;
  readonly stack: Uint8Array<ArrayBuffer>;
  readonly rows: BigUint64Array<ArrayBuffer>;
  readonly results: BigInt64Array<ArrayBuffer>;
  readonly fprog: DataView<ArrayBuffer>;
  readonly program: Uint8Array<ArrayBuffer>;
}

function createMemory(): Memory {
  const context = new Uint8Array(CONTEXT.size);
  return {
    context,
    fields: new DataView(context.buffer),
    stack: new Uint8Array(STACK_SIZE),
    rows: new BigUint64Array(MAX_ROWS * ROW_WORDS),
    results: new BigInt64Array(MAX_ROWS),
    fprog: new DataView(new ArrayBuffer(16)),
    program: new Uint8Array(MAX_PROGRAM),
  };
}

function fill(memory: Memory, job: StubJob): void {
  const { calls, filter } = job;
  if (calls.length > MAX_ROWS) {
    throw new RangeError(
      `Cannot make system calls: ${calls.length} of them; make at most ${MAX_ROWS} at a time`,
    );
  }
  for (const [i, { nr, args }] of calls.entries()) {
    memory.rows[i * ROW_WORDS] = BigInt(nr);
    for (let j = 0; j < ROW_WORDS - 1; j++) {
      memory.rows[i * ROW_WORDS + 1 + j] = args[j] ?? 0n;
    }
  }
  memory.results.fill(UNREACHED);
  const put = (at: number, value: bigint): void =>
    memory.fields.setBigUint64(at, value, true);
  put(CONTEXT.rows, addressOf(memory.rows));
  put(CONTEXT.count, BigInt(calls.length));
  put(CONTEXT.results, addressOf(memory.results));
  put(CONTEXT.fprog, 0n);
  if (filter !== undefined) {
    memory.program.set(filter);
    memory.fprog.setUint16(0, filter.length / 8, true);
    memory.fprog.setBigUint64(8, addressOf(memory.program), true);
    put(CONTEXT.fprog, addressOf(memory.fprog));
  }
  put(CONTEXT.stack, addressOf(memory.stack) + BigInt(STACK_SIZE));
  put(CONTEXT.flags, BigInt(job.flags ?? 0));
  put(CONTEXT.blocked, 0xffff_ffff_ffff_ffffn);
  put(CONTEXT.compat, job.entry === "int80" ? 1n : 0n);
  put(CONTEXT.cloneFlags, job.shared === false ? 0n : CLONE_VM);
  put(CONTEXT.finished, 0n);
  put(CONTEXT.afterLoad, 0n);
  put(CONTEXT.end, 0n);
}

function read(memory: Memory, count: number): StubOutcome {
  const get = (at: number): bigint => memory.fields.getBigInt64(at, true);
  const child = get(CONTEXT.child);
  if (child < 0n) {
    throw new SyscallError("Cannot clone a child for a test", {
      syscall: "clone",
      errno: Number(-child),
      hint: "check the limit on processes",
    });
  }
  const results: (number | undefined)[] = [];
  for (const result of memory.results.subarray(0, count)) {
    results.push(result === UNREACHED ? undefined : Number(result));
  }
  return {
    loadErrno: Number(-get(CONTEXT.loadResult)),
    signal: Number(get(CONTEXT.waitStatus) & 0x7fn),
    results,
    loadTicks: Number(get(CONTEXT.afterLoad) - get(CONTEXT.beforeLoad)),
    callTicks: count === 0
      ? 0
      : Number(get(CONTEXT.end) - get(CONTEXT.afterLoad)),
  };
}
