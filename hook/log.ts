/**
 * The hook's own log: container managers discard what it writes to standard
 * error.
 *
 * Every line is one JSON object, whatever a message quotes from a
 * configuration. It contains no line break, no control character and nothing
 * that changes the direction of text, so annotations cannot forge log lines.
 *
 * @module
 */

import { printable } from "../tables/printable.ts";
import { type LogLevel, sendToSyslog } from "./syslog.ts";

/**
 * Destination of lines besides standard error: the system log, a file, or none.
 *
 * @category Containers
 */
export type LogTarget = "syslog" | "stderr" | { readonly file: string };

/**
 * A log of messages.
 *
 * @category Containers
 */
export interface Log {
  /**
   * Writes one line. It never throws: a log that fails must not affect a
   * container.
   *
   * @param level Severity.
   * @param message The event, without a final period.
   * @param fields Context, such as the container's id.
   */
  write(
    level: LogLevel,
    message: string,
    fields?: Readonly<Record<string, string>>,
  ): void;
}

/**
 * Maximum length of a line in UTF-16 units: a syslog datagram holds a few KiB.
 */
const MAX_LINE = 4000;

/**
 * Writes a line of the log.
 *
 * @example Nothing breaks out of its line
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatLine } from "./log.ts";
 *
 * assertEquals(
 *   formatLine("error", "a\n\u009bb", "2026-01-02T03:04:05Z"),
 *   '{"level":"error","msg":"a\\n\\u009bb","time":"2026-01-02T03:04:05Z"}',
 * );
 * ```
 *
 * @param level Severity.
 * @param message The event.
 * @param time A time such as `2026-01-02T03:04:05Z`.
 * @param fields Further members.
 * @returns One JSON object without a line break.
 */
export function formatLine(
  level: LogLevel,
  message: string,
  time: string,
  fields: Readonly<Record<string, string>> = {},
): string {
  const members = Object.entries(fields).map(([k, v]) => [k, short(v)]);
  return printable(JSON.stringify({
    level,
    msg: short(message),
    time,
    ...Object.fromEntries(members),
  }));
}

/**
 * Truncates a text to the space in a line.
 *
 * @param text Any text.
 * @returns A text that fits in a line, with a mark if it was truncated.
 */
export function short(text: string): string {
  return text.length <= MAX_LINE ? text : `${text.slice(0, MAX_LINE)}…`;
}

/**
 * Opens a log. Lines go to its target, and errors to standard error as well; if
 * the target fails, everything goes there.
 *
 * @param target Destination of lines.
 * @returns The log.
 * @category Containers
 */
export function openLog(target: LogTarget): Log {
  return {
    write(level, message, fields): void {
      const line = formatLine(
        level,
        message,
        new Date().toISOString(),
        fields,
      );
      const written = deliver(target, level, line);
      if (!written || level === "error") toStderr(`seccomp-tree: ${line}\n`);
    },
  };
}

function deliver(target: LogTarget, level: LogLevel, line: string): boolean {
  if (target === "stderr") return false;
  if (target === "syslog") return sendToSyslog(level, line);
  try {
    appendLine(target.file, line);
    return true;
  } catch {
    return false;
  }
}

/**
 * Appends a line to a file in one write, so that lines of several processes do
 * not mix.
 *
 * @param path The file; created with mode 0600.
 * @param line The line without its break.
 */
export function appendLine(path: string, line: string): void {
  using file = Deno.openSync(path, {
    append: true,
    create: true,
    mode: 0o600,
  });
  file.writeSync(new TextEncoder().encode(`${line}\n`));
}

function toStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Standard error is closed.
  }
}
