/**
 * `deno task runtimes`: compares the filters that crun and runc of other
 * releases of Debian load, as live_test.ts does with this machine's.
 *
 * ```sh
 * deno task runtimes --count 50   # three releases
 * deno task runtimes trixie
 * ```
 *
 * Roots are built from packages of the mirror that apt uses, and removed.
 *
 * @module
 */

import { ask } from "../../host/command.ts";
import { describeSemantics } from "../../profile/semantics/quirks.ts";
import {
  parseSemantics,
  RUNTIME_NAMES,
} from "../../profile/semantics/versions.ts";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import { makeDebianRoot } from "../../tools/debian_root.ts";
import type { RuntimeCommand } from "./harness.ts";
import { compareAll } from "./live.ts";
import { drawLiveProfile, KNOWN_PROFILES } from "./live_profiles.ts";

/** The releases of Debian that roots are made of. */
const SUITES: readonly string[] = ["bullseye", "trixie", "sid"];

/** The runtimes. */
const PACKAGES: readonly string[] = ["crun", "runc"];

const MANUAL: Manual = {
  usage: "deno task runtimes [OPTION...] [SUITE...]",
  brief:
    "Compares the filters that crun and runc of other releases load with the\nreading of their versions. Requires root. Exits with 1 if one differs.",
  options: {
    seed: { placeholder: "N", brief: "Seed of the profiles (default: 1)" },
    count: { placeholder: "N", brief: "Random profiles each (default: 40)" },
  },
  words: 20,
};

async function main(given: Given): Promise<number> {
  const seed = given.number("seed") ?? 1;
  const count = given.number("count") ?? 40;
  if (Deno.uid() !== 0) {
    say("left out: all of it: this requires root");
    return 1;
  }
  const profiles = [
    ...KNOWN_PROFILES,
    ...Array.from({ length: count }, (_, i) => drawLiveProfile(seed + i)),
  ];
  let differences = 0;
  let compared = 0;
  for (const suite of given.words.length > 0 ? given.words : SUITES) {
    const root = await makeDebianRoot(suite, PACKAGES);
    if (typeof root === "string") {
      say(`left out: ${root}`);
      continue;
    }
    await using _ = root;
    for (const name of RUNTIME_NAMES) {
      const runtime = root.runtime(name);
      const semantics = await semanticsOf(runtime);
      if (semantics === undefined) {
        say(`left out: ${runtime.name}: it does not report its version`);
        continue;
      }
      const found = await compareAll(runtime, semantics, profiles);
      const counts = JSON.stringify(found.counts);
      say(`${describeSemantics(semantics)} of ${suite}: ${counts}`);
      for (const difference of found.differences) say(difference);
      differences += found.differences.length;
      compared++;
    }
  }
  say(`${compared} runtimes, ${differences} profiles differ`);
  say("left out: crun after 1.28 and runc after 1.3, which Debian has not");
  return differences === 0 && compared > 0 ? 0 : 1;
}

async function semanticsOf(
  { words }: RuntimeCommand,
): Promise<ReturnType<typeof parseSemantics>> {
  const shared = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  const command = ["env", `SHARED=${shared}`, ...words, "--version"];
  const { stdout } = await ask(command).finally(() => Deno.remove(shared));
  const [, name = "", version = ""] = /^(\S+) version (\S+)/m.exec(stdout) ??
    [];
  return parseSemantics(`${name}@${version}`);
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
