/**
 * Times as logs write them.
 *
 * @module
 */

/** A time: an instant, or the text of one that is incomplete. */
export interface LogTime {
  /** Milliseconds since 1970. */
  readonly time?: number;
  /** As written, without a year or a time zone. */
  readonly written?: string;
}

/** Patterns of times at the beginning of a line, most specific first. */
const FORMS: readonly RegExp[] = [
  // Of ISO 8601: journalctl -o short-iso and short-full, rsyslog, dmesg.
  /\b(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)/,
  // dmesg -T: Fri May 28 15:24:32 2021
  /\b([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4})\b/,
  // syslog, journalctl
  /\b([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)\b/,
  // logcat -v threadtime
  /\b((?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,9})\b/,
  // journalctl -o short-unix, strace -ttt
  /^(?:\d+ +|\[pid +\d+\] )?(\d{9,10}\.\d{3,6}) /,
  // strace -t and -tt
  /^(?:\d+ +|\[pid +\d+\] )?(\d\d:\d\d:\d\d(?:\.\d{1,6})?) /,
];

/** Time since the start of the machine: dmesg, journalctl -o short-monotonic. */
const UPTIME = /^(?:<\d{1,3}>)?(?:\w+ +:\w+ +: )?\[ *(\d{1,10}\.\d{1,6})/;

/**
 * Finds the time in the text before a record.
 *
 * @param text The beginning of the line.
 * @returns An instant if the text has a time zone or counts seconds since 1970.
 */
export function readLineTime(text: string): LogTime {
  const head = text.slice(0, MAX_HEAD);
  for (const form of FORMS) {
    const found = form.exec(head)?.[1];
    if (found === undefined) continue;
    const time = instantOf(found);
    return time === undefined ? { written: found } : { time };
  }
  const uptime = UPTIME.exec(head)?.[1];
  return uptime === undefined ? {} : { written: `[${uptime}]` };
}

/** Number of characters at the start of a line that may contain its time. */
const MAX_HEAD = 256;

/** Reads a text that denotes one instant on every machine. */
function instantOf(text: string): number | undefined {
  if (/^\d{9,10}\./.test(text)) return Math.round(Number(text) * 1000);
  if (!/(?:Z|UTC|[+-]\d\d:?\d\d)$/.test(text.slice(19))) return undefined;
  const iso = text.replace(" ", "T").replace(",", ".").replace(/ ?UTC$/, "Z")
    .replace(/ (?=[+-])/, "").replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
  const time = Date.parse(iso);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Guesses the instant of an incomplete time: in this machine's time zone, and
 * in the latest year in which it is not in the future.
 *
 * @param written The text.
 * @param now Milliseconds since 1970.
 * @returns Milliseconds since 1970; `undefined` if the text shows no day.
 */
export function guessInstant(written: string, now: number): number | undefined {
  const text = written.replace(",", ".");
  if (/^\d{4}-/.test(text)) return finite(Date.parse(text.replace(" ", "T")));
  const [, month, day, clock] = /^(\d\d)[/-](\d\d)[ T](.*)$/.exec(text) ?? [];
  const [, words, at, ended] =
    /^(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2} +\d+) ([\d:.]+)(?: (\d{4}))?$/
      .exec(text) ?? [];
  const dated = /^(\d\d)([/.])(\d\d)[/.](\d{2}|\d{4}) (.*)$/.exec(text);
  if (dated !== null) {
    // ausearch -i: month first with slashes, day first with dots.
    const [, first, sign, second, year = "", rest] = dated;
    const [m, d] = sign === "/" ? [first, second] : [second, first];
    const full = year.length === 2 ? `20${year}` : year;
    return finite(Date.parse(`${full}-${m}-${d}T${rest}`));
  }
  if (ended !== undefined) return finite(Date.parse(`${words} ${ended} ${at}`));
  const inYear = (year: number): number | undefined =>
    month !== undefined
      ? finite(Date.parse(`${year}-${month}-${day}T${clock}`))
      : words === undefined
      ? undefined
      : finite(Date.parse(`${words} ${year} ${at}`));
  const year = new Date(now).getFullYear();
  const guess = inYear(year);
  return guess !== undefined && guess > now + DAY ? inYear(year - 1) : guess;
}

/** A day in milliseconds; clocks and time zones differ by less. */
const DAY = 86_400_000;

function finite(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}
