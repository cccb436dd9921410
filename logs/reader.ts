/**
 * Reads a log line by line, in memory that does not grow with its length.
 *
 * @module
 */

import { PrettyObjects, readJsonMessages } from "./json_lines.ts";
import { type LineContext, readLogLine } from "./line.ts";
import type { LogRecord } from "./record.ts";
import { TwinWindow } from "./twins.ts";

/** A record and its place. */
export interface PlacedRecord extends LogRecord {
  /** Number of its line, from 1. */
  readonly line: number;
}

/** A record that cannot be read. */
export interface BadLine {
  /** Number of the line, from 1. */
  readonly line: number;
  /** Its first 200 characters; absent if it is too long to be kept. */
  readonly text?: string;
}

/** Numbers of lines and records. */
export interface LogCounts {
  /** Lines read. */
  readonly lines: number;
  /** Records, counting each event once. */
  readonly records: number;
  /** Records that repeat another one. */
  readonly twins: number;
  /** Records that cannot be read. */
  readonly bad: number;
  /** Records that the kernel reports as dropped. */
  readonly lost: number;
}

/** Number of characters to keep of a bad line. */
const KEPT = 200;

/** RS of ASCII; RFC 7464. */
const RECORD_SEPARATOR = 0x1e;

/** Lines of an object that spans several lines. */
const PRETTY_LINE =
  /^\s*(?:$|"|[{}]|\[\]?,?$|\],?$|-?\d[\d.eE+-]*,?$|(?:true|false|null),?$)/;

/** Number of lines for which a context applies. */
const CONTEXT_LINES = 64;

/** Reader of one log. */
export class LogReader {
  readonly #counts = { lines: 0, records: 0, twins: 0, bad: 0, lost: 0 };
  readonly #twins = new TwinWindow();
  readonly #pretty = new PrettyObjects();
  readonly #onBad: (line: BadLine) => void;
  #context: LineContext = {};
  #contextLine = 0;

  /**
   * Begins.
   *
   * @param onBad Called for each record that cannot be read.
   */
  constructor(onBad: (line: BadLine) => void) {
    this.#onBad = onBad;
  }

  /** The counts so far. */
  get counts(): LogCounts {
    return { ...this.#counts };
  }

  /**
   * Reads a line.
   *
   * @param line The line; `undefined` if it is too long.
   * @returns Its records: at most one, except for JSON.
   */
  read(line: string | undefined): readonly PlacedRecord[] {
    this.#counts.lines++;
    if (line === undefined) {
      this.#reject(undefined);
      return [];
    }
    // json-seq begins each object with RS, json-sse with "data: ".
    const text =
      (line.charCodeAt(0) === RECORD_SEPARATOR ? line.slice(1) : line)
        .replace(/^data: (?=\{)/, "").replace(/\r$/, "");
    if (this.#pretty.inside) {
      if (PRETTY_LINE.test(text)) return this.#readPretty(text);
      this.#pretty.clear();
    }
    if (/^\s*\[?\{$/.test(text)) return this.#readPretty(text);
    if (/^\s*\{/.test(text)) {
      const found = readJsonMessages(text.replace(/,\s*$/, ""));
      if (found !== undefined) {
        return found.lines.flatMap((each) =>
          this.#readText(each, found.context)
        );
      }
    }
    return this.#readText(text, {});
  }

  #readPretty(text: string): readonly PlacedRecord[] {
    const ended = this.#pretty.push(text);
    if (ended === undefined) return [];
    const found = readJsonMessages(ended.replace(/,\s*\}$/, "}"));
    return found?.lines.flatMap((each) =>
      this.#readText(each, found.context)
    ) ?? [];
  }

  #readText(text: string, given: LineContext): readonly PlacedRecord[] {
    const { lines } = this.#counts;
    const fresh = lines - this.#contextLine <= CONTEXT_LINES;
    const content = readLogLine(text, {
      ...(fresh ? this.#context : {}),
      ...given,
    });
    switch (content.kind) {
      case "record":
        if (this.#twins.repeats(content.record)) {
          this.#counts.twins++;
          return [];
        }
        this.#counts.records++;
        return [{ ...content.record, line: lines }];
      case "bad":
        this.#reject(text);
        return [];
      case "lost":
        this.#counts.lost += content.count;
        return [];
      case "context":
        this.#context = content.context;
        this.#contextLine = lines;
        return [];
      case "other":
        return [];
      default:
        return content satisfies never;
    }
  }

  #reject(text: string | undefined): void {
    this.#counts.bad++;
    this.#onBad({
      line: this.#counts.lines,
      ...(text === undefined ? {} : { text: text.slice(0, KEPT) }),
    });
  }
}
