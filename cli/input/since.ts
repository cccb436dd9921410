/**
 * Points in time as users write them.
 *
 * @module
 */

/** Milliseconds of the units of a time ago. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Reads `2h`, `30m ago`, `today`, `yesterday`, `@1622229872`, or a date with or
 * without a time; in this machine's time zone unless the text names one.
 *
 * @param text Text of the user.
 * @throws {Error} if the text is not a time.
 * @returns Milliseconds since 1970.
 */
export function parseSince(text: string): number {
  const now = Date.now();
  const [, amount, unit = ""] = /^-?(\d{1,9}) ?(s|min|m|h|d|w)(?: ago)?$/
    .exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS[unit] ?? 0);
  const seconds = /^@(\d{1,11}(?:\.\d{1,9})?)$/.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  if (text === "now") return now;
  if (text === "today") return new Date(now).setHours(0, 0, 0, 0);
  if (text === "yesterday") {
    const day = new Date(now);
    day.setDate(day.getDate() - 1);
    return day.setHours(0, 0, 0, 0);
  }
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const time = Date.parse(`${text}T00:00:00`);
    if (!Number.isNaN(time)) return time;
  } else if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) {
    const time = Date.parse(text.replace(" ", "T"));
    if (!Number.isNaN(time)) return time;
  }
  throw new Error(
    'not a time; write 2h, today, "2026-05-28 15:24", or @ and seconds since 1970',
  );
}
