/**
 * Reports in JSON.
 *
 * @module
 */

import { printable } from "../../tables/printable.ts";

/**
 * Writes a report as one line of JSON. Names from outside, such as those of
 * processes, may contain any character; a terminal shows them as escapes, and
 * `JSON.parse` restores them.
 *
 * @param fields The report.
 * @returns One document, which begins with its version.
 */
export function reportJson(fields: Readonly<Record<string, unknown>>): string {
  return `${printable(JSON.stringify({ schemaVersion: 1, ...fields }))}\n`;
}
