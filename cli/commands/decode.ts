/**
 * `decode`: names the calls in logs, and what a source says about them.
 *
 * @module
 */

import { guessInstant } from "../../logs/time.ts";
import { LogReader, type PlacedRecord } from "../../logs/reader.ts";
import type { LogRecord } from "../../logs/record.ts";
import { printable, quoteText } from "../../tables/printable.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import {
  answerLines,
  createJudge,
  jsonOfAnswer,
  type RecordJudge,
} from "../input/against.ts";
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
import {
  groupTable,
  jsonOfGroup,
  type RecordGroup,
  RecordGroups,
} from "../output/record_groups.ts";
import { jsonOfRun, recordLine, type RecordRun } from "../output/records.ts";
import { reportJson } from "../output/json.ts";

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
        brief: "Add this source's rule, and the entry it lacks",
      },
      group: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Count by call, architecture, program and action",
      },
      follow: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Wait for more, also after the file is rotated",
      },
      since: {
        kind: "parsed",
        parse: parseSince,
        optional: true,
        placeholder: "TIME",
        brief: "Omit older records: 2h, today, 2026-05-28",
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
      "Cannot use --group with --follow: the counts never end; omit one",
    );
  }
  const judge = flags.against === undefined ? undefined : createJudge(
    await readFilterSource(io, flags.against, flags, { native: false }),
  );
  const name = inputName(file);
  const tellBad = createBadTeller(io, name);
  const reader = new LogReader((bad) => tellBad(bad.line, bad.text));
  const writer = flags.group
    ? new GroupWriter(io, flags, judge)
    : new RunWriter(io, flags, judge);
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

/** Maximum number of messages about lines that cannot be read. */
const MOST_TOLD = 20;

/** Reports the first lines that cannot be read; all are counted. */
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

type Counts = LogReader["counts"];

function tellCounts(
  io: Io,
  name: string,
  { quiet, verbose }: DecodeFlags,
  { lines, records, twins, bad, lost }: Counts,
  written: number,
): void {
  const tell = (severity: "note" | "warning", text: string): void =>
    io.err(messageLine(io, severity, text, name));
  if (lost > 0) {
    tell("warning", `The kernel dropped ${lost} messages: records may lack`);
  }
  if (bad > 0) tell("warning", `${bad} lines cannot be read`);
  if (quiet) return;
  if (written === 0) {
    const older = records > 0 ? `; ${records} are older` : "";
    tell("note", `No record of seccomp in ${lines} lines${older}`);
  } else if (verbose || twins > 0) {
    tell("note", `${records} records, ${twins} repetitions omitted`);
  }
}

/** Takes records and writes results. */
interface RecordWriter {
  /** Number of records taken. */
  readonly written: number;
  /** Takes a record. */
  add(record: PlacedRecord): void;
  /** Writes what is complete; all if nothing may wait. */
  flush(all: boolean): void;
  /** Writes the rest; returns an exit code that the results require. */
  end(counts: Counts): number | undefined;
}

/** Number of characters of results to write at once. */
const BLOCK_LENGTH = 1 << 13;

/** Writes records in the order of the log; equal neighbors become one. */
class RunWriter implements RecordWriter {
  readonly #io: Io;
  readonly #flags: DecodeFlags;
  readonly #judge: RecordJudge | undefined;
  #run: RecordRun | undefined;
  #key = "";
  #text = "";
  #began = false;
  written = 0;

  constructor(io: Io, flags: DecodeFlags, judge: RecordJudge | undefined) {
    this.#io = io;
    this.#flags = flags;
    this.#judge = judge;
  }

  add({ line, ...record }: PlacedRecord): void {
    this.written++;
    const key = keyOf(record);
    if (this.#run !== undefined && key === this.#key) {
      this.#run = { ...this.#run, count: this.#run.count + 1, last: record };
      return;
    }
    this.#complete();
    this.#run = { record, line, count: 1, last: record };
    this.#key = key;
  }

  #complete(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const answer = this.#judge?.(run.record);
    const { output, follow } = this.#flags;
    if (output === "text") {
      this.#text += recordLine(run) +
        (answer === undefined ? "" : answerLines(answer, run.record));
      return;
    }
    const json = {
      ...jsonOfRun(run),
      ...(answer === undefined ? {} : { against: jsonOfAnswer(answer) }),
    };
    if (follow) this.#text += reportJson(json);
    else {
      const head = this.#began ? ",\n" : '{"schemaVersion":1,"records":[\n';
      this.#began = true;
      this.#text += head + printable(JSON.stringify(json));
    }
  }

  flush(all: boolean): void {
    if (all) this.#complete();
    if (!all && this.#text.length < BLOCK_LENGTH) return;
    if (this.#text !== "") this.#io.out(this.#text);
    this.#text = "";
  }

  end(counts: Counts): undefined {
    this.#complete();
    const { output, follow } = this.#flags;
    if (output === "json" && !follow) {
      const head = this.#began ? "" : '{"schemaVersion":1,"records":[';
      this.#text += `${head}\n],"counts":${JSON.stringify(counts)}}\n`;
    }
    if (this.#text !== "") this.#io.out(this.#text);
  }
}

/** All but the time and the place of a record. */
function keyOf(record: LogRecord): string {
  const { time: _, written: __, id: ___, ip: ____, ...rest } = record;
  return JSON.stringify(rest);
}

/** Counts records and writes the counts at the end. */
class GroupWriter implements RecordWriter {
  readonly #io: Io;
  readonly #flags: DecodeFlags;
  readonly #judge: RecordJudge | undefined;
  readonly #groups = new RecordGroups();
  written = 0;

  constructor(io: Io, flags: DecodeFlags, judge: RecordJudge | undefined) {
    this.#io = io;
    this.#flags = flags;
    this.#judge = judge;
  }

  add({ line: _, ...record }: PlacedRecord): void {
    this.written++;
    this.#groups.add(record);
  }

  flush(): void {}

  end(counts: Counts): number | undefined {
    const groups = this.#groups.list();
    const { dropped } = this.#groups;
    if (this.#flags.output === "json") {
      const json = groups.map((group) => this.#jsonOf(group));
      const omitted = dropped > 0 ? { omitted: dropped } : {};
      this.#io.out(reportJson({ groups: json, ...omitted, counts }));
    } else if (groups.length > 0) this.#io.out(this.#textOf(groups));
    if (dropped === 0) return undefined;
    const text =
      `${dropped} records are in no group: there are too many groups`;
    this.#io.err(messageLine(this.#io, "warning", text));
    return EXIT.unproven;
  }

  #jsonOf(group: RecordGroup): Readonly<Record<string, unknown>> {
    const answer = this.#judge?.(group.first);
    return {
      ...jsonOfGroup(group),
      ...(answer === undefined ? {} : { against: jsonOfAnswer(answer) }),
    };
  }

  /** A table; with a source, the answer is below each line. */
  #textOf(groups: readonly RecordGroup[]): string {
    const [head = "", ...rows] = groupTable(groups).split("\n");
    const lines = rows.filter((row) => row !== "").map((row, i) => {
      const first = groups[i]?.first;
      const answer = first && this.#judge?.(first);
      return `${row}\n${answer && first ? answerLines(answer, first) : ""}`;
    });
    return `${head}\n${lines.join("")}`;
  }
}
