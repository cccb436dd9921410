/**
 * Reports for machines.
 *
 * @module
 */

import { printable } from "../../tables/printable.ts";

/**
 * Writes a report as one line of JSON. Names from outside, such as those of
 * processes, may hold any character; a terminal shows them as escapes, and
 * `JSON.parse` gives them back.
 *
 * @param fields The report.
 * @returns One document, with its version in front.
 */
export function reportJson(fields: Readonly<Record<string, unknown>>): string {
  return `${printable(JSON.stringify({ schemaVersion: 1, ...fields }))}\n`;
}
