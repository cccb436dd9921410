/**
 * Tables of profiles and their diagnostics.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Diagnostic, ProfileError } from "../../../profile/diagnostic.ts";
import {
  type ParseOptions,
  parseProfile,
} from "../../../profile/formats/parse.ts";

/** One diagnostic as the command line shows it, without the file name. */
function show(d: Diagnostic): string {
  const path = d.path === "" ? "" : `${d.path}: `;
  const fix = d.fix === undefined ? "" : `: ${d.fix}`;
  return `${d.line}:${d.column}: ${d.severity}: ${path}${d.message}${fix}`;
}

/** All diagnostics of a profile, whether it is accepted or not. */
export function findings(
  source: string | Uint8Array,
  options: ParseOptions = {},
): readonly string[] {
  try {
    return parseProfile(source, options).diagnostics.map(show);
  } catch (error) {
    if (error instanceof ProfileError) return error.diagnostics.map(show);
    throw error;
  }
}

/** A profile with one rule that has these further fields. */
export function withRule(fields: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[\n{"names":["read"],"action":"SCMP_ACT_ALLOW"${fields}}]}`;
}

/** A profile with one comparison. */
export function withArg(arg: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[\n${arg}]}]}`;
}

/** A profile with these further fields, on a second line. */
export function withField(fields: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO",\n${fields}}`;
}

/** Checks a table: input to all diagnostics; an ending in … is a prefix. */
export function checkTable(
  table: readonly (readonly [string | Uint8Array, readonly string[]])[],
  options: ParseOptions = {},
): void {
  for (const [source, expected] of table) {
    const seen = findings(source, options);
    const name = String(source).slice(0, 300);
    assertEquals(seen.length, expected.length, `${name}\n${seen.join("\n")}`);
    for (const [i, line] of expected.entries()) {
      const cut = line.endsWith("…") ? line.length - 1 : undefined;
      assertEquals(
        seen[i]?.slice(0, cut),
        line.slice(0, cut),
        `${name}\n${seen[i]}`,
      );
    }
  }
}
