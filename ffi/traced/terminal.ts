/**
 * Signals of the terminal while a command is traced.
 *
 * @module
 */

import type { Libc } from "../libc.ts";

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
 * @returns Function that undoes it.
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
