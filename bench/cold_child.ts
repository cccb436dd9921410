/**
 * The passes of one compilation in a fresh process; prints the wall time of
 * each in milliseconds.
 *
 * @module
 */

import { compileParsed, type Pass } from "../pipeline/compile_profile.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { parseProfile } from "../profile/formats/parse.ts";

/** The passes in order. */
export const PASSES: readonly ("parse" | Pass)[] = [
  "parse",
  "resolve",
  "compile",
  "encode",
  "prove",
];

function main(): void {
  const times = [performance.now()];
  const profile = parseProfile(DEFAULT_PROFILE);
  times.push(performance.now());
  const { kind } = compileParsed(profile, {
    arch: ["x86_64", "x86", "x32"],
    kernel: { major: 6, minor: 1 },
    unknown: "warn",
  }, { onPass: () => times.push(performance.now()) });
  if (kind !== "proved") throw new Error(`Unreachable: ${kind}`);
  const text = PASSES.map((_, i) =>
    ((times[i + 1] ?? 0) - (times[i] ?? 0)).toFixed(3)
  ).join(" ");
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) main();
