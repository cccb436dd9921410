/**
 * `decode`: names the calls in logs, and a source's answers to them.
 *
 * @module
 */

import { guessInstant } from "../../logs/time.ts";
import { type LogCounts, LogReader } from "../../logs/reader.ts";
import type { LogRecord } from "../../logs/record.ts";
import { quoteText } from "../../tables/printable.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import { createJudge } from "../input/against.ts";
import { readFilterSource } from "../input/filter.ts";
import {
  OUTPUT_FLAG,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { followFile } from "../input/follow.ts";
import { parseSince } from "../input/since.ts";
import { refuseTwoStdins } from "../input/source.ts";
import { inputName, type Io, readLines, splitLines } from "../io.ts";
import { createRecordWriter } from "../output/records/writers.ts";

/** Flags of `decode`. */
export interface DecodeFlags extends SourceFlags {
  readonly output: "text" | "json";
  readonly against?: string;
  readonly group: boolean;
  readonly follow: boolean;
  readonly since?: number;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  DecodeFlags,
  [file?: string]
>({
  usage: "[OPTION...] [FILE|-]",
  examples: [
    "decode /var/log/audit/audit.log --group",
    "decode --against default:docker --follow /var/log/kern.log",
  ],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      against: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "SOURCE",
        brief: "Add the deciding rule of SOURCE, and the missing entry",
      },
      group: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Count records by call, architecture, program and action",
      },
      follow: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Keep reading as the file grows, even after rotation",
      },
      since: {
        kind: "parsed",
        parse: parseSince,
        optional: true,
        placeholder: "TIME",
        brief: "Omit records older than TIME: 2h, today, 2026-05-28",
      },
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Log (default: standard input)",
        parse: word,
        placeholder: "FILE",
        optional: true,
      }],
    },
  },
  run: runDecode,
});

/** Decodes a log, one line at a time. */
export async function runDecode(
  io: Io,
  flags: DecodeFlags,
  file = "-",
): Promise<number> {
  refuseTwoStdins(file, flags.against);
  if (flags.group && flags.follow) {
    throw new UsageError(
      "Cannot use --group with --follow: the counts would never be complete; omit one",
    );
  }
  const judge = flags.against === undefined ? undefined : createJudge(
    await readFilterSource(io, flags.against, flags, { native: false }),
  );
  const name = inputName(file);
  const tellBad = createBadTeller(io, name);
  const reader = new LogReader((bad) => tellBad(bad.line, bad.text));
  const writer = createRecordWriter(io, flags, judge);
  const lines = flags.follow && file !== "-"
    ? splitLines(followFile(file, {
      notice: (text) => io.err(messageLine(io, "note", text)),
    }))
    : readLines(io, file);
  const now = Date.now();
  let unknownTimes = 0;
  for await (const chunk of lines) {
    for (const line of chunk) {
      for (const record of reader.read(line)) {
        if (flags.since !== undefined) {
          const time = instantOf(record, now);
          if (time === undefined) unknownTimes++;
          else if (time < flags.since) continue;
        }
        writer.add(record);
      }
    }
    writer.flush(flags.follow || file === "-");
  }
  const { counts } = reader;
  const code = writer.end(counts);
  if (unknownTimes > 0 && !flags.quiet) {
    const text =
      `${unknownTimes} records have no time, so --since does not omit them`;
    io.err(messageLine(io, "note", text, name));
  }
  tellCounts(io, name, flags, counts, writer.written);
  return code ??
    (writer.written > 0 ? EXIT.ok : counts.bad > 0 ? EXIT.input : EXIT.no);
}

function instantOf(record: LogRecord, now: number): number | undefined {
  const { time, written } = record;
  return time ??
    (written === undefined ? undefined : guessInstant(written, now));
}

/** Maximum number of reported lines that cannot be read. */
const MOST_TOLD = 20;

/** Reports the first lines that cannot be read, and counts all. */
function createBadTeller(
  io: Io,
  name: string,
): (line: number, text: string | undefined) => void {
  let told = 0;
  return (line, text) => {
    if (told++ >= MOST_TOLD) return;
    const why = text === undefined
      ? "Cannot read line: too long"
      : `Cannot read record ${quoteText(text)}: the call is missing`;
    io.err(messageLine(io, "warning", why, `${name}:${line}`));
  };
}

function tellCounts(
  io: Io,
  name: string,
  { quiet, verbose }: DecodeFlags,
  { lines, records, twins, bad, lost }: LogCounts,
  written: number,
): void {
  const tell = (severity: "note" | "warning", text: string): void =>
    io.err(messageLine(io, severity, text, name));
  if (lost > 0) {
    tell(
      "warning",
      `The kernel dropped ${lost} messages: records may be missing`,
    );
  }
  if (bad > 0) {
    tell("warning", `${bad} ${bad === 1 ? "line" : "lines"} cannot be read`);
  }
  if (quiet) return;
  if (written === 0) {
    const older = records > 0 ? `; ${records} are older` : "";
    tell("note", `No seccomp records in ${lines} lines${older}`);
  } else if (verbose || twins > 0) {
    tell("note", `${records} records, ${twins} repetitions omitted`);
  }
}
