/**
 * Signals of the terminal while a command is traced.
 *
 * @module
 */

import { type Libc, openLibc } from "../libc.ts";

const SIGINT = 2;
const SIGQUIT = 3;
const SIGTSTP = 20;
const SIGTTIN = 21;
const SIGTTOU = 22;
/** `SIG_IGN`. */
const IGNORE = 1n;

/**
 * Leaves the signals of the terminal to the command: this process ignores them,
 * except that SIGINT ends a wait.
 *
 * @returns A function that undoes it.
 */
export function leaveTerminal(libc: Libc): () => void {
  const { signal, siginterrupt, absFunction } = libc.symbols;
  const ignore = Deno.UnsafePointer.create(IGNORE);
  const signals = [SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU];
  const before = signals.map((number) => signal(number, ignore));
  siginterrupt(SIGINT, 1);
  // A handler without effect: abs(2).
  const old = signal(SIGINT, absFunction as Deno.PointerValue);
  const isIgnored = old !== null && Deno.UnsafePointer.value(old) === IGNORE;
  if (isIgnored) signal(SIGINT, ignore);
  return () => {
    signal(SIGINT, old);
    for (const [i, number] of signals.entries()) {
      signal(number, before[i] ?? null);
    }
  };
}

const SIGCHLD = 17;
const RLIMIT_CORE = 4;

/**
 * Ends this process by a signal, as a command that it ran has ended; without a
 * core dump. It returns if the signal does not end a process.
 *
 * @param number The signal.
 */
export function endBySignal(number: number): void {
  const { prlimit, signal, kill } = openLibc().symbols;
  prlimit(0, RLIMIT_CORE, new BigUint64Array([0n, 0n]), null);
  signal(number, null);
  kill(Deno.pid, number);
}

/**
 * Makes signals of children end a wait for something else, and leaves SIGINT and
 * SIGQUIT to the command. Job control stops this process with it.
 *
 * @returns A function that undoes it.
 */
export function wakeOnSignals(libc: Libc): () => void {
  const { signal, siginterrupt, absFunction } = libc.symbols;
  const ignore = Deno.UnsafePointer.create(IGNORE);
  siginterrupt(SIGCHLD, 1);
  const child = signal(SIGCHLD, absFunction as Deno.PointerValue);
  // A command inherits what is ignored, so these have a handler without effect.
  const keys = [SIGINT, SIGQUIT];
  const before = keys.map((number) => {
    const old = signal(number, absFunction as Deno.PointerValue);
    const isIgnored = old !== null && Deno.UnsafePointer.value(old) === IGNORE;
    if (isIgnored) signal(number, ignore);
    return old;
  });
  return () => {
    signal(SIGCHLD, child);
    for (const [i, number] of keys.entries()) signal(number, before[i] ?? null);
  };
}
