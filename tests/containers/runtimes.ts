/**
 * `deno task runtimes`: compares the filters that crun and runc of other
 * releases of Debian load, as live_test.ts does with this machine's.
 *
 * ```sh
 * deno task runtimes --count 50          # makes the roots of three releases
 * deno task runtimes /srv/roots/trixie   # takes a root that is there
 * ```
 *
 * Roots are made, and entered, by the tool beside the repository,
 * `../shared/tools/deb_root.sh`; Debian's mirror has to be reachable.
 *
 * @module
 */

import { basename, fromFileUrl } from "@std/path";
import { ask } from "../../host/command.ts";
import { describeSemantics } from "../../profile/semantics/quirks.ts";
import {
  parseSemantics,
  RUNTIME_NAMES,
  type RuntimeName,
} from "../../profile/semantics/versions.ts";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import type { RuntimeCommand } from "./harness.ts";
import { compareAll } from "./live.ts";
import { drawLiveProfile, KNOWN_PROFILES } from "./live_profiles.ts";

/** Makes and enters roots. */
const TOOL = new URL("../../../shared/tools/deb_root.sh", import.meta.url);

/** The releases of Debian that roots are made of. */
const SUITES: readonly string[] = ["bullseye", "trixie", "sid"];

/** Requirements of a root for starting containers in it. */
const PACKAGES: readonly string[] = [
  ...["crun", "runc", "bash", "coreutils", "mount", "util-linux", "libc-bin"],
];

const MANUAL: Manual = {
  usage: "deno task runtimes [OPTION...] [ROOT...]",
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
  const tool = fromFileUrl(TOOL);
  const isThere = await Deno.stat(tool).then(() => true, () => false);
  if (!isThere || Deno.uid() !== 0) {
    const reason = isThere ? "this requires root" : `"${tool}" is not there`;
    say(`left out: all of it: ${reason}`);
    return 1;
  }
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-roots-" });
  let differences = 0;
  let compared = 0;
  try {
    const roots = given.words.length > 0
      ? given.words
      : await makeRoots(tool, folder);
    const profiles = [
      ...KNOWN_PROFILES,
      ...Array.from({ length: count }, (_, i) => drawLiveProfile(seed + i)),
    ];
    for (const root of roots) {
      for (const name of RUNTIME_NAMES) {
        const runtime = runtimeIn(tool, root, name);
        const semantics = await semanticsOf(runtime, name);
        if (semantics === undefined) {
          say(`left out: ${name} of ${root}: it does not say its version`);
          continue;
        }
        const found = await compareAll(runtime, semantics, profiles);
        say(
          `${describeSemantics(semantics)} of ${basename(root)}: ${
            JSON.stringify(found.counts)
          }`,
        );
        for (const difference of found.differences) say(difference);
        differences += found.differences.length;
        compared++;
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  say(`${compared} runtimes, ${differences} profiles differ`);
  say("left out: crun after 1.28 and runc after 1.3, which Debian has not");
  return differences === 0 && compared > 0 ? 0 : 1;
}

async function makeRoots(
  tool: string,
  folder: string,
): Promise<readonly string[]> {
  const roots: string[] = [];
  for (const suite of SUITES) {
    const root = `${folder}/${suite}`;
    const made = await ask(
      ["bash", tool, "make", root, suite, ...PACKAGES],
      { limitMs: 600_000 },
    );
    if (made.code === 0) roots.push(root);
    else say(`left out: ${suite}: ${made.stderr.trim().split("\n").at(-1)}`);
  }
  return roots;
}

function runtimeIn(
  tool: string,
  root: string,
  name: RuntimeName,
): RuntimeCommand {
  return {
    name: `${name}-${basename(root)}`,
    words: ["bash", tool, "run", root, name],
    bundleVariable: "BIND",
  };
}

async function semanticsOf(
  { words }: RuntimeCommand,
  name: RuntimeName,
): Promise<ReturnType<typeof parseSemantics>> {
  const { stdout } = await ask([...words, "--version"]);
  const version = /^\S+ version (\S+)/m.exec(stdout)?.[1] ?? "";
  return parseSemantics(`${name}@${version}`);
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
