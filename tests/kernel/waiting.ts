/**
 * Processes that wait, as tests see them.
 *
 * @module
 */

import type { Waited, Waiter } from "./waiter.ts";

/** Returns the number of the call in which a thread waits, undefined while it runs. */
export function waitsIn(tid: number): number | undefined {
  const text = Deno.readTextFileSync(`/proc/${tid}/syscall`);
  return /^\d/.test(text) ? parseInt(text) : undefined;
}

/** Returns the id of the calling thread, as TracerPid has it. */
export function ownThread(): string | undefined {
  return Deno.readLinkSync("/proc/thread-self").split("/").at(-1);
}

/** Waits until a condition is true. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A process whose first thread makes calls, one after the other. */
export interface Waiting extends AsyncDisposable {
  readonly pid: number;
  /** Lets the first thread continue with its next call. */
  next(): Promise<void>;
  /** Awaits the end. */
  end(): Promise<{ readonly status: Deno.CommandStatus; waited?: Waited }>;
}

/** Starts `waiter.ts`. */
export function startWaiter(waiter: Waiter): Waiting {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-lock"],
      new URL("waiter.ts", import.meta.url).href,
      JSON.stringify(waiter),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const output = new Response(child.stdout).text();
  return {
    pid: child.pid,
    // It may have ended.
    next: () => writer.write(new Uint8Array(1)).catch(() => {}),
    end: async () => {
      const last = (await output).trim();
      const status = await child.status;
      // The line comes from `waiter.ts`.
      return last === "" ? { status } : { status, waited: JSON.parse(last) };
    },
    [Symbol.asyncDispose]: async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await writer.abort().catch(() => {});
      await output;
      await child.status;
    },
  };
}
