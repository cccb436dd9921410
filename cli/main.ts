/**
 * The program: reads the command line, runs a command, sets the exit code.
 *
 * ```sh
 * deno run -A cli/main.ts compile profile.json -f annotation
 * ```
 *
 * @module
 */

import { runCommandLine } from "./command_line.ts";
import { processIo } from "./io.ts";

/** Runs the command line of this process and sets its exit code. */
export async function start(): Promise<void> {
  Deno.exitCode = await runCommandLine(processIo(), Deno.args);
}

if (import.meta.main) start();
