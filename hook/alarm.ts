/**
 * The last resort against a computation that never ends: the kernel ends this
 * process.
 *
 * @module
 */

import { mayCallLibraries } from "./environment.ts";

/**
 * sys/time.h: timer of real time; its signal, SIGALRM, ends the process by
 * default.
 */
const ITIMER_REAL = 0;

/**
 * Makes the kernel end this process after a time.
 *
 * @param ms Milliseconds from now.
 * @returns True if it will; false without `--allow-ffi`.
 */
export function armAlarm(ms: number): boolean {
  if (!mayCallLibraries()) return false;
  // struct itimerval { struct timeval it_interval, it_value; }, four longs.
  const timer = new BigInt64Array([
    0n,
    0n,
    BigInt(Math.floor(ms / 1000)),
    BigInt(Math.floor(ms % 1000)) * 1000n,
  ]);
  // Only one function, because ffi/libc.ts with all of its functions takes 5 ms
  // to open.
  const { symbols } = Deno.dlopen("libc.so.6", {
    // int setitimer(int which, const struct itimerval *new, struct itimerval *old)
    setitimer: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
  });
  return symbols.setitimer(ITIMER_REAL, timer, null) === 0;
}
