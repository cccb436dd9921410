/**
 * Runs one command line in the current process and returns its exit code.
 *
 * @module
 */

import { run, type StricliProcess } from "@stricli/core";
import { createApp } from "./app.ts";
import { didYouMean } from "../tables/suggest.ts";
import { printable } from "../tables/printable.ts";
import { CHILD_COMMAND } from "../host/child.ts";
import { UsageError } from "./error.ts";
import { EXIT, report } from "./exit.ts";
import type { Io } from "./io.ts";
import type { AppContext } from "./command.ts";
import {
  type CommandLine,
  readCommandLine,
  separateOptions,
} from "./input/line.ts";
import { commandsOf } from "./output/reflect.ts";
import { NAME } from "./command.ts";
import { findCommand } from "./registry.ts";

/**
 * Runs a command line.
 *
 * @param io Streams.
 * @param args Arguments without the program's name.
 * @returns The exit code.
 */
export async function runCommandLine(
  io: Io,
  args: readonly string[],
): Promise<number> {
  try {
    if (args[0] === "__complete") {
      const { complete, formatCompletion } = await import(
        "./completions/complete.ts" as string
      );
      io.out(formatCompletion(await complete(args.slice(1))));
      return EXIT.ok;
    }
    if (args[0] === CHILD_COMMAND) {
      const { runChild } = await import("./children.ts" as string);
      await runChild(args.slice(1));
      return EXIT.ok;
    }
    const line = readCommandLine(args);
    if (
      line.help === undefined &&
      findCommand(args[0] ?? "")?.isEntryPoint === true
    ) {
      const { serve } = await import("../hook/main.ts" as string);
      return await serve(args);
    }
    const colored = {
      ...io,
      color: line.color ?? io.color,
      outColor: line.color ?? io.outColor,
    };
    if (line.help !== undefined) {
      const { helpText }: typeof import("./output/help.ts") = await import(
        "./output/help.ts" as string
      );
      const text = await helpText(line.help);
      if (text !== undefined) {
        io.out(text);
        return EXIT.ok;
      }
    } else if (line.version) {
      const { default: config } = await import("../deno.json", {
        with: { type: "json" },
      });
      io.out(`${NAME} ${config.version}\n`);
      return EXIT.ok;
    }
    return await runCommand(colored, line);
  } catch (error) {
    return report(io, error);
  }
}

async function runCommand(io: Io, { words }: CommandLine): Promise<number> {
  let code: number | undefined;
  const process: StricliProcess = {
    stdout: { write: (text) => io.out(text) },
    stderr: { write: (text) => io.err(`${text.trimEnd()}\n`) },
    exitCode: null,
  };
  const settle: AppContext["settle"] = async (work) => {
    try {
      code = await work() ?? EXIT.ok;
    } catch (error) {
      code = report(io, error);
    }
  };
  const [name, ...rest] = words;
  if (name?.startsWith("-") && name !== "--") {
    const near = didYouMean(name, ["--help", "--version", "--color"]);
    throw new UsageError(
      `Unknown option ${printable(name)}; ${
        near === undefined ? `see "${NAME} --help"` : `did you mean ${near}`
      }`,
    );
  }
  const app = await createApp(name);
  const command = commandsOf(app).find((known) => known.name === name);
  const given = name === undefined || command === undefined
    ? words
    : [name, ...separateOptions(rest, command)];
  const options = given.includes("--")
    ? given.slice(0, given.indexOf("--"))
    : given;
  if (options.includes("--help")) {
    const { helpText }: typeof import("./output/help.ts") = await import(
      "./output/help.ts" as string
    );
    io.out(await helpText(name ?? "") ?? "");
    return EXIT.ok;
  }
  // The first -- ends the options, the second one reaches the command.
  const separator = given.indexOf("--");
  const passed =
    findCommand(name ?? "")?.takesCommand === true && separator >= 0
      ? given.toSpliced(separator, 0, "--")
      : given;
  await run(app, passed, { process, io, settle });
  if (code !== undefined) return code;
  const status = Number(process.exitCode ?? 0);
  if (status === 0) return EXIT.ok;
  // @stricli/core's exit codes for wrong usage; its codes for faults differ.
  return status === -4 || status === -5 ? EXIT.usage : EXIT.fault;
}
