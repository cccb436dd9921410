/**
 * Writers of records: one by one, or as counts.
 *
 * @module
 */

import type { LogCounts, PlacedRecord } from "../../../logs/reader.ts";
import type { LogRecord } from "../../../logs/record.ts";
import { printable } from "../../../tables/printable.ts";
import { EXIT, messageLine } from "../../exit.ts";
import {
  answerLines,
  jsonOfAnswer,
  type RecordJudge,
} from "../../input/against.ts";
import type { Io } from "../../io.ts";
import { reportJson } from "../json.ts";
import {
  groupTable,
  jsonOfGroup,
  type RecordGroup,
  RecordGroups,
} from "./groups.ts";
import { jsonOfRun, recordLine, type RecordRun } from "./format.ts";

/** The form of results. */
export interface RecordWriterOptions {
  readonly output: "text" | "json";
  /** True to count records. */
  readonly group: boolean;
  /** True for an endless input, for which JSON is one document per line. */
  readonly follow: boolean;
}

/** Takes records and writes results. */
export interface RecordWriter {
  /** Number of records taken. */
  readonly written: number;
  /** Takes a record. */
  add(record: PlacedRecord): void;
  /** Writes complete results, or all of them if none may wait. */
  flush(all: boolean): void;
  /** Writes the rest; returns an exit code that the results require. */
  end(counts: LogCounts): number | undefined;
}

/**
 * Makes a writer.
 *
 * @param options The form of results.
 * @param judge Adds a source's answers.
 */
export function createRecordWriter(
  io: Io,
  options: RecordWriterOptions,
  judge: RecordJudge | undefined,
): RecordWriter {
  return options.group
    ? new GroupWriter(io, options, judge)
    : new RunWriter(io, options, judge);
}

/** Number of characters of results to write at once. */
const BLOCK_LENGTH = 1 << 13;

/** Writes records in the order of the log; equal neighbors become one. */
class RunWriter implements RecordWriter {
  readonly #io: Io;
  readonly #options: RecordWriterOptions;
  readonly #judge: RecordJudge | undefined;
  #run: RecordRun | undefined;
  #key = "";
  #text = "";
  #began = false;
  written = 0;

  constructor(
    io: Io,
    options: RecordWriterOptions,
    judge: RecordJudge | undefined,
  ) {
    this.#io = io;
    this.#options = options;
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
    const { output, follow } = this.#options;
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

  end(counts: LogCounts): undefined {
    this.#complete();
    const { output, follow } = this.#options;
    if (output === "json" && !follow) {
      const head = this.#began ? "" : '{"schemaVersion":1,"records":[';
      this.#text += `${head}\n],"counts":${JSON.stringify(counts)}}\n`;
    }
    if (this.#text !== "") this.#io.out(this.#text);
  }
}

/** A record without its time and place. */
function keyOf(record: LogRecord): string {
  const { time: _, written: __, id: ___, ip: ____, ...rest } = record;
  return JSON.stringify(rest);
}

/** Counts records and writes the counts at the end. */
class GroupWriter implements RecordWriter {
  readonly #io: Io;
  readonly #options: RecordWriterOptions;
  readonly #judge: RecordJudge | undefined;
  readonly #groups = new RecordGroups();
  written = 0;

  constructor(
    io: Io,
    options: RecordWriterOptions,
    judge: RecordJudge | undefined,
  ) {
    this.#io = io;
    this.#options = options;
    this.#judge = judge;
  }

  add({ line: _, ...record }: PlacedRecord): void {
    this.written++;
    this.#groups.add(record);
  }

  flush(): void {}

  end(counts: LogCounts): number | undefined {
    const groups = this.#groups.list();
    const { dropped } = this.#groups;
    if (this.#options.output === "json") {
      const json = groups.map((group) => this.#jsonOf(group));
      const omitted = dropped > 0 ? { omitted: dropped } : {};
      this.#io.out(reportJson({ groups: json, ...omitted, counts }));
    } else if (groups.length > 0) this.#io.out(this.#textOf(groups));
    if (dropped === 0) return undefined;
    const text =
      `${dropped} records were not counted: there are too many groups`;
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

  /** A table; with a source, each answer follows its line. */
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
