/**
 * The fuzzer, `deno task fuzz`: random profiles of both families, compared as
 * in `tests/differential/`, from a new seed each time.
 *
 * ```sh
 * deno task fuzz --seed 123 --count 20000
 * ```
 *
 * @module
 */

import { type Given, type Manual, start } from "../../tools/arguments.ts";
import { type Findings, runAny, runContract } from "../oracle/campaign.ts";

const MANUAL: Manual = {
  usage: "deno task fuzz [OPTION...]",
  brief:
    "Compares random profiles of both families with libseccomp and a second\ninterpreter. Exits with 1 if a verdict differs.",
  options: {
    seed: { placeholder: "N", brief: "Seed of the profiles (default: random)" },
    count: { placeholder: "N", brief: "Number of profiles (default: 20000)" },
  },
};

async function main(given: Given): Promise<number> {
  const seed = given.number("seed") ??
    crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const count = given.number("count") ?? 20_000;
  const half = Math.ceil(count / 2);
  say(`seed ${seed}, ${half} profiles of each family`);
  const contract = await runContract({ seed, count: half });
  if (contract === undefined) say("family A: no libseccomp for x86_64 here");
  const reports: [string, Findings | undefined][] = [
    ["A", contract],
    ["B", await runAny({ seed, count: half })],
  ];
  let differences = 0;
  for (const [family, found] of reports) {
    if (found === undefined) continue;
    say(`family ${family}: ${JSON.stringify(found.outcomes)}`);
    say(`family ${family}: ${found.verdicts} equal verdicts`);
    for (const difference of found.differences) say(difference);
    for (const oddity of found.oddities) {
      say(`the library alone differs, to be judged by hand: ${oddity}`);
    }
    differences += found.differences.length;
  }
  return differences === 0 ? 0 : 1;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
