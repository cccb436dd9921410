/**
 * The processor's counter as a clock, and the processor itself: ticks per
 * nanosecond, and the processor that this thread runs on.
 *
 * @module
 */

import { openLibc } from "../../ffi/libc.ts";

const SYMBOLS = {
  // int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *mask)
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *mask)
  sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int getrusage(int who, struct rusage *usage)
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
  // int clock_gettime(clockid_t clock, struct timespec *time)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const;

/** rdtsc; shl $32, %rdx; or %rdx, %rax; ret */
const RDTSC = "0f3148c1e2204809d0c3";
const PAGE_SIZE = 4096;
const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** Size of a `cpu_set_t` in bytes. */
const CPU_SET_SIZE = 128;
/** Duration of calibration in milliseconds: the error is about 1 µs. */
const CALIBRATION_MS = 200;
const CLOCK_THREAD_CPUTIME_ID = 3;
const RUSAGE_CHILDREN = -1;
/** struct rusage: two timevals of 16 bytes come first; 144 bytes in all. */
const RUSAGE_SIZE = 144;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
let opened: Symbols | undefined;

function symbols(): Symbols {
  opened ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  return opened;
}

/**
 * Counts the ticks of rdtsc per nanosecond, by the system's clock.
 *
 * @returns Ticks per nanosecond; `undefined` if there is no such counter.
 */
export function ticksPerNanosecond(): number | undefined {
  const rdtsc = openRdtsc();
  if (rdtsc === undefined) return undefined;
  const read = (): { readonly ticks: bigint; readonly ms: number } => {
    const before = rdtsc();
    const ms = performance.now();
    return { ticks: (before + rdtsc()) / 2n, ms };
  };
  read();
  const start = read();
  while (performance.now() - start.ms < CALIBRATION_MS);
  const end = read();
  return Number(end.ticks - start.ticks) / ((end.ms - start.ms) * 1e6);
}

function openRdtsc(): (() => bigint) | undefined {
  if (Deno.build.arch !== "x86_64") return undefined;
  const libc = openLibc().symbols;
  const size = BigInt(PAGE_SIZE);
  const page = libc.mmap(
    null,
    size,
    PROT_READ_WRITE,
    MAP_PRIVATE_ANONYMOUS,
    -1,
    0n,
  );
  // MAP_FAILED is −1.
  if (
    page === null || BigInt.asIntN(64, Deno.UnsafePointer.value(page)) === -1n
  ) return undefined;
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(page, PAGE_SIZE))
    .set(Uint8Array.fromHex(RDTSC));
  if (libc.mprotect(page, size, PROT_READ_EXEC) !== 0) return undefined;
  const signature = { parameters: [], result: "u64" } as const;
  // The cast states the type of the code that was written there.
  const code = new Deno.UnsafeFnPointer(
    page as Deno.PointerObject<typeof signature>,
    signature,
  );
  return () => code.call();
}

/**
 * Keeps this thread, and the children that it clones, on one processor.
 *
 * @returns A function that restores its processors; `undefined` if pinning was
 * refused.
 */
export function pin(): Disposable | undefined {
  const old = new Uint8Array(CPU_SET_SIZE);
  const size = BigInt(CPU_SET_SIZE);
  if (symbols().sched_getaffinity(0, size, old) !== 0) return undefined;
  // The last processor, because the first handles most interrupts.
  const byte = old.findLastIndex((bits) => bits !== 0);
  const mask = new Uint8Array(CPU_SET_SIZE);
  mask[byte] = 1 << (31 - Math.clz32(old[byte] ?? 1));
  if (symbols().sched_setaffinity(0, size, mask) !== 0) return undefined;
  return {
    [Symbol.dispose](): void {
      symbols().sched_setaffinity(0, size, old);
    },
  };
}

/**
 * Returns the processor time of all children that have ended and were waited
 * for.
 *
 * @returns User and system time, in milliseconds.
 */
export function childrenCpuMs(): number {
  const usage = new DataView(new ArrayBuffer(RUSAGE_SIZE));
  if (symbols().getrusage(RUSAGE_CHILDREN, usage) !== 0) {
    throw new Error("Unreachable: getrusage of children failed");
  }
  const at = (offset: number): number =>
    Number(usage.getBigInt64(offset, true)) * 1e3 +
    Number(usage.getBigInt64(offset + 8, true)) / 1e3;
  return at(0) + at(16);
}

/**
 * Returns the processor time of this thread: unlike the time of day it stops
 * while others run.
 *
 * @returns Microseconds.
 */
export function threadCpuUs(): number {
  const time = new DataView(new ArrayBuffer(16));
  if (symbols().clock_gettime(CLOCK_THREAD_CPUTIME_ID, time) !== 0) {
    throw new Error("Unreachable: this thread has no clock");
  }
  return Number(time.getBigInt64(0, true)) * 1e6 +
    Number(time.getBigInt64(8, true)) / 1e3;
}
