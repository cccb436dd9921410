/**
 * A process that sleeps under filters.
 *
 * @module
 */

import { MAIN } from "./harness.ts";

/** A process that sleeps under filters, until it is disposed of. */
export interface Sleeper extends AsyncDisposable {
  /** Its id. */
  readonly pid: number;
}

/** Starts a sleeping process under each of some sources, the first one first. */
export async function sleepUnder(
  sources: readonly string[],
  flags: readonly string[] = [],
): Promise<Sleeper> {
  const prefix = sources.flatMap((source) => [
    ...[Deno.execPath(), "run", "-A", MAIN, "run", ...flags, source, "--"],
  ]);
  const [program = "sleep", ...args] = [...prefix, "sleep", "100000"];
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const status = child.status;
  let ended = false;
  status.then(() => ended = true);
  while (!ended && nameOf(child.pid) !== "sleep") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    pid: child.pid,
    async [Symbol.asyncDispose](): Promise<void> {
      if (!ended) child.kill("SIGKILL");
      await child.stderr.cancel();
      await status;
    },
  };
}

/**
 * Name of the program that a process runs; empty if there is no such process.
 */
export function nameOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  } catch {
    return "";
  }
}
