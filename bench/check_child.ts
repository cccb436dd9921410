/**
 * Checks the certificate of Docker's default in a fresh process, after reading
 * the profile as `check` does; prints the wall times of the first and second
 * checks in milliseconds.
 *
 * Arguments: the certificate and its program.
 *
 * @module
 */

import { parseProfile } from "../profile/formats/parse.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { resolveParsed } from "../pipeline/resolve_profile.ts";
import { checkCertificate } from "../verify/certificate/check.ts";
import { listRules } from "../verify/certificate/rules.ts";

/** The target of the profile. */
export const TARGET = {
  arch: ["x86_64", "x86", "x32"],
  kernel: { major: 6, minor: 1 },
  unknown: "warn",
} as const;

async function main(certificate = "", program = ""): Promise<void> {
  const text = await Deno.readTextFile(certificate);
  const bytes = await Deno.readFile(program);
  const { policy } = resolveParsed(parseProfile(DEFAULT_PROFILE), TARGET);
  const times = [performance.now()];
  for (let i = 0; i < 2; i++) {
    await checkCertificate(text, [bytes, listRules(policy)]);
    times.push(performance.now());
  }
  const [start = 0, first = 0, second = 0] = times;
  const words = [first - start, second - first].map((ms) => ms.toFixed(3));
  Deno.stdout.writeSync(new TextEncoder().encode(words.join(" ")));
}

if (import.meta.main) main(...Deno.args);
