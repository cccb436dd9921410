/**
 * Colors of verdicts in reports on a terminal.
 *
 * @module
 */

import type { Io } from "../io.ts";

/** Parameters of the sequences (ECMA-48, SGR) by action. */
const COLORS: readonly (readonly [words: RegExp, color: string])[] = [
  [/^ALLOW/, "32"],
  [/^LOG/, "36"],
  [/^ERRNO/, "33"],
  [/^KILL/, "1;31"],
  [/^TRAP/, "31"],
  [/^(?:TRACE|USER_NOTIF)/, "35"],
  [/^looser/, "1;31"],
  [/^tighter/, "1;32"],
  [/^changed/, "1;33"],
];

/** Verdicts, and the directions with which lines of `diff` begin. */
const WORDS =
  /(?<![\w/.-])(?:ALLOW|LOG|KILL_PROCESS|KILL_THREAD|USER_NOTIF|(?:ERRNO|TRAP|TRACE)(?:\(\w+\))?)(?![\w/.-])|^(?:looser|tighter|changed)(?=: )/gm;

/**
 * Colors the verdicts of a report, if results have color.
 *
 * @param io Its setting is used.
 * @param text Text of a report; not JSON, not an artifact.
 */
export function paintVerdicts(io: Pick<Io, "outColor">, text: string): string {
  if (!io.outColor) return text;
  return text.replace(WORDS, (word) => {
    const color = COLORS.find(([words]) => words.test(word))?.[1] ?? "0";
    return `\x1b[${color}m${word}\x1b[0m`;
  });
}
