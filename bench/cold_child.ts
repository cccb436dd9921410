/**
 * The passes of one compilation in a process that has done nothing before;
 * prints what each took, in milliseconds of wall time.
 *
 * @module
 */

import { encode } from "../bpf/encode.ts";
import { resolveProfile } from "../cli/input/target.ts";
import { compile } from "../compiler/compile.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import { proveEquivalent } from "../verify/equivalence.ts";

/** The passes in order. */
export const PASSES: readonly string[] = [
  "parse",
  "resolve",
  "compile",
  "prove",
  "encode",
];

async function main(): Promise<void> {
  const times = [performance.now()];
  const lap = (): number => times.push(performance.now());
  const profile = parseProfile(DEFAULT_PROFILE);
  lap();
  const { policy } = await resolveProfile(profile, {
    arch: ["x86_64", "x86", "x32"],
    semantics: "crun",
    names: "builtin",
    unknown: "warn",
    strict: false,
  });
  lap();
  const { program } = compile(policy);
  lap();
  const { kind } = proveEquivalent(
    { kind: "program", program },
    { kind: "policy", policy },
  );
  if (kind !== "equal") throw new Error(`Unreachable: ${kind}`);
  lap();
  encode(program);
  lap();
  const text = PASSES.map((_, i) =>
    ((times[i + 1] ?? 0) - (times[i] ?? 0)).toFixed(3)
  ).join(" ");
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) main();
