/**
 * The last resort against a computation that never ends: the kernel terminates
 * this process.
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
 * Makes the kernel terminate this process after a time.
 *
 * @param ms Milliseconds from now.
 * @returns True if the timer is set; false without `--allow-ffi`.
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
  // Opens a single function, because opening all of ffi/libc.ts takes 5 ms.
  const { symbols } = Deno.dlopen("libc.so.6", {
    // int setitimer(int which, const struct itimerval *new, struct itimerval *old)
    setitimer: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
  });
  return symbols.setitimer(ITIMER_REAL, timer, null) === 0;
}
