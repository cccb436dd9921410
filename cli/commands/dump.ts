/**
 * `dump`: writes the filters of a live process, or those that a command loads,
 * as files or text.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import { UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import {
  count,
  type Format,
  FORMATS,
  type OutFlags,
  OUTPUT_FLAG,
  TELL_FLAGS,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { quoteText } from "../../tables/printable.ts";
import { parsePid } from "../input/sources/pid.ts";
import { liveFilters, readProcess } from "../input/sources/process.ts";
import { filtersReport } from "../output/filters_report.ts";
import { checkOut } from "../output/write.ts";
import { writeFilters } from "../output/write_filters.ts";

/** Flags of `dump`. */
export interface DumpFlags extends OutFlags {
  readonly format?: Format;
  readonly output: "text" | "json";
  readonly thread: boolean;
  readonly index?: number;
  readonly limit?: number;
  readonly timeout?: number;
  readonly untilExec: boolean;
  readonly quiet: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  DumpFlags,
  string[]
>({
  usage: "[OPTION...] pid:N | -- COMMAND [ARG...]",
  examples: [
    "dump pid:1234 -f raw -O filter.bpf",
    "dump -O filters -- man -P cat ls",
  ],
  parameters: {
    flags: {
      format: {
        kind: "enum",
        values: FORMATS,
        optional: true,
        placeholder: "FORMAT",
        brief: "Output format (default: asm, raw in a folder)",
      },
      ...OUTPUT_FLAG,
      out: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "PATH",
        brief: "Output file; for a command, a new folder with an index",
      },
      index: {
        kind: "parsed",
        parse: count,
        optional: true,
        placeholder: "N",
        brief: "Write only filter N of the process; 0 is the oldest",
      },
      thread: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Treat N as a thread ID",
      },
      limit: {
        kind: "parsed",
        parse: positive,
        optional: true,
        placeholder: "N",
        brief: "Kill the command after it has loaded N filters",
      },
      timeout: {
        kind: "parsed",
        parse: positive,
        optional: true,
        placeholder: "N",
        brief: "Kill the command after N seconds",
      },
      untilExec: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Kill the command when it starts a program under a filter",
      },
      quiet: TELL_FLAGS.quiet,
    },
    aliases: { f: "format", O: "out", o: "output", q: "quiet" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "Process ID, or a command: writes the filters that it and its children load; exits with 1 if they load none",
        parse: (input: string): string => input,
        placeholder: "pid:N",
      },
    },
  },
  run: runDump,
});

/** Reads an integer from 1 up. */
function positive(input: string): number {
  const value = count(input);
  if (value === 0) throw new Error("not an integer from 1 to 999999");
  return value;
}

/** Writes the filters of a process, or of a command. */
export async function runDump(
  io: Io,
  flags: DumpFlags,
  ...words: readonly string[]
): Promise<number> {
  const [first, second, ...rest] = words;
  if (first === undefined || (first === "--" && second === undefined)) {
    throw new UsageError(
      "Missing argument: pid:N; write a process, or -- and a command",
    );
  }
  if (first !== "--") {
    if (second !== undefined) {
      throw new UsageError(
        `Too many arguments: ${quoteText(second)}; write -- before a command`,
      );
    }
    return await runDumpProcess(io, flags, first);
  }
  if (flags.index !== undefined || flags.thread) {
    throw new UsageError(
      `Cannot use --${
        flags.thread ? "thread" : "index"
      } with a command: it belongs to pid:N`,
    );
  }
  const { runDumpCommand } = await import("./dump_command.ts");
  return await runDumpCommand(io, flags, [second ?? "", ...rest]);
}

/** Writes the filters of a process, oldest first. */
async function runDumpProcess(
  io: Io,
  flags: DumpFlags,
  word: string,
): Promise<number> {
  const { format = "asm" } = flags;
  for (const name of ["limit", "timeout"] as const) {
    if (flags[name] !== undefined) throw forCommands(name);
  }
  if (flags.untilExec) throw forCommands("until-exec");
  const pid = parsePid(word);
  checkOut(flags.out);
  const all = liveFilters(pid, flags.thread);
  if (!flags.thread && !flags.quiet && readProcess(pid)?.mixed === true) {
    io.err(
      messageLine(
        io,
        "warning",
        "its threads have different filters, and these are the first thread's; use --thread for another",
        `pid:${pid}`,
      ),
    );
  }
  const chosen = choose(all, flags.index);
  if (flags.output === "json") {
    const logs = flags.index === undefined ? all.logs : [all.logs[flags.index]];
    io.out(filtersReport(`pid:${pid}`, chosen, { pid, logs }));
    if (flags.out === undefined) return EXIT.ok;
  }
  await writeFilters(io, chosen, { ...flags, format });
  return EXIT.ok;
}

function forCommands(name: string): UsageError {
  return new UsageError(
    `Cannot use --${name} with a process: it applies to -- COMMAND`,
  );
}

function choose(stack: FilterStack, index: number | undefined): FilterStack {
  if (index === undefined) return stack;
  const { programs } = stack;
  const one = programs[index];
  if (one === undefined) {
    throw new UsageError(
      `Cannot dump filter ${index}: the last one is ${
        programs.length - 1
      }; 0 is the oldest`,
    );
  }
  return { ...stack, programs: [one] };
}
