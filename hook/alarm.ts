/**
 * The last resort against a computation that does not come back: the kernel
 * ends this process.
 *
 * @module
 */

import { openLibc } from "../ffi/libc.ts";
import { archByName } from "../tables/arch.ts";
import { mayCallLibraries } from "./environment.ts";

/** sys/time.h: real time, ended by SIGALRM, whose default is the end of the process. */
const ITIMER_REAL = 0n;

/**
 * Has the kernel end this process after a time.
 *
 * @param ms Milliseconds from now.
 * @returns Whether it will; false without `--allow-ffi`.
 */
export function armAlarm(ms: number): boolean {
  if (!mayCallLibraries()) return false;
  const nr = archByName(Deno.build.arch)?.syscalls.get("setitimer");
  if (nr === undefined) return false;
  // struct itimerval { struct timeval it_interval, it_value; }, four longs.
  const timer = new BigInt64Array([
    0n,
    0n,
    BigInt(Math.floor(ms / 1000)),
    BigInt(Math.floor(ms % 1000)) * 1000n,
  ]);
  const result = openLibc().symbols.syscall(
    BigInt(nr),
    ITIMER_REAL,
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(timer)),
    0n,
    0n,
    0n,
    0n,
  );
  return result === 0 && timer.length === 4;
}
