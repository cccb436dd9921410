/**
 * The program: reads the command line, runs a command, sets the exit code.
 *
 * ```sh
 * deno run -A cli/main.ts compile profile.json -f annotation
 * ```
 *
 * @module
 */

import { run, type StricliProcess } from "@stricli/core";
import { app, type AppContext } from "./app.ts";
import { EXAMPLES } from "./examples.ts";
import { EXIT, report } from "./exit.ts";
import { type Io, processIo } from "./io.ts";
import { ReportedError } from "./source.ts";

/**
 * Runs the command line.
 *
 * @param io Streams.
 * @param args Arguments without the program's name.
 * @returns The exit code.
 */
export async function main(io: Io, args: readonly string[]): Promise<number> {
  let code: number | undefined;
  const process: StricliProcess = {
    stdout: { write: (text) => io.out(text) },
    stderr: { write: (text) => io.err(text) },
    exitCode: null,
  };
  const settle: AppContext["settle"] = async (work) => {
    try {
      code = await work() ?? EXIT.ok;
    } catch (error) {
      code = error instanceof ReportedError ? EXIT.input : report(io, error);
    }
  };
  try {
    await run(app, args.length === 0 ? ["--help"] : args, {
      process,
      io,
      settle,
    });
    if (code === undefined) tellExamples(io, args);
  } catch (error) {
    return report(io, error);
  }
  if (code !== undefined) return code;
  const status = Number(process.exitCode ?? 0);
  // Below 0 are @stricli/core's own codes: −5 and −4 for what the user typed.
  if (status === 0) return EXIT.ok;
  return status === -4 || status === -5 ? EXIT.usage : EXIT.fault;
}

function tellExamples(io: Io, args: readonly string[]): void {
  const help = args.length === 0 ||
    args.some((arg) =>
      arg === "--help" || arg === "-h" || arg === "--help-all"
    );
  if (!help) return;
  const command = args.find((arg) => !arg.startsWith("-")) ?? "";
  const examples = EXAMPLES[command];
  if (examples === undefined) return;
  io.out(`\nEXAMPLES\n${examples.map((line) => `  ${line}\n`).join("")}`);
}

if (import.meta.main) {
  main(processIo(), Deno.args).then((code) => {
    Deno.exitCode = code;
  });
}
