/**
 * `dump`: writes the filters of a live process, as files or text.
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
  FORMAT_FLAG,
  OUT_FLAG,
  type OutFlags,
  TELL_FLAGS,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { parsePid } from "../input/pid.ts";
import { liveFilters, readProcess } from "../input/process.ts";
import { checkOut } from "../output/write.ts";
import { writeFilters } from "../output/write_filters.ts";

/** Flags of `dump`. */
export interface DumpFlags extends OutFlags {
  readonly format: Format;
  readonly thread: boolean;
  readonly index?: number;
  readonly quiet: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  DumpFlags,
  [process: string]
>({
  usage: "[OPTION...] pid:N",
  examples: ["dump pid:1234", "dump pid:1234 -f raw -O filter.bpf"],
  parameters: {
    flags: {
      format: { ...FORMAT_FLAG.format, default: "asm" },
      ...OUT_FLAG,
      index: {
        kind: "parsed",
        parse: count,
        optional: true,
        placeholder: "N",
        brief: "Write only filter N; 0 is the oldest",
      },
      thread: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Treat N as a thread id",
      },
      quiet: TELL_FLAGS.quiet,
    },
    aliases: { f: "format", O: "out", q: "quiet" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Process id",
        parse: word,
        placeholder: "pid:N",
      }],
    },
  },
  run: runDump,
});

/** Writes the filters of a process, oldest first. */
export async function runDump(
  io: Io,
  flags: DumpFlags,
  word: string,
): Promise<number> {
  const pid = parsePid(word);
  checkOut(flags.out);
  const all = liveFilters(pid, flags.thread);
  if (!flags.thread && !flags.quiet && readProcess(pid)?.mixed === true) {
    io.err(
      messageLine(
        io,
        "warning",
        "its threads have different filters; these are those of the first thread; name another with --thread",
        `pid:${pid}`,
      ),
    );
  }
  await writeFilters(io, choose(all, flags.index), flags);
  return EXIT.ok;
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
