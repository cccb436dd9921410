/**
 * All mutants of Docker's default filter and of ten random ones,
 * `deno task mutation`.
 *
 * ```sh
 * deno task mutation --seed 123 --policies 10
 * ```
 *
 * @module
 */

import { type Given, type Manual, start } from "../../tools/arguments.ts";
import {
  dockerSubject,
  formatCounts,
  judgeMutants,
  noCounts,
  randomSubjects,
} from "./mutation_campaign.ts";

const MANUAL: Manual = {
  usage: "deno task mutation [OPTION...]",
  brief:
    "Judges every one-instruction mutant of Docker's default filter and of random\nfilters. Exits with 1 if the prover is wrong, or cannot tell.",
  options: {
    seed: { placeholder: "N", brief: "Seed of the policies (default: random)" },
    policies: {
      placeholder: "N",
      brief: "Number of random policies (default: 10)",
    },
  },
};

function main(given: Given): number {
  const seed = given.number("seed") ??
    crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const policies = given.number("policies") ?? 10;
  say(`seed ${seed}, ${policies} random policies`);
  const all = noCounts();
  for (const subject of [dockerSubject(), ...randomSubjects(seed, policies)]) {
    const counts = noCounts();
    judgeMutants(subject, counts);
    const size = `${subject.name}, ${subject.program.length} instructions`;
    say(formatCounts(size, counts));
    for (const wrong of counts.wrong) say(wrong);
    all.mutants += counts.mutants;
    all.refused += counts.refused;
    all.refuted += counts.refuted;
    all.equal += counts.equal;
    all.searched += counts.searched;
    all.cut += counts.cut;
    all.unproven += counts.unproven;
    all.wrong.push(...counts.wrong);
  }
  say(formatCounts("together", all));
  return all.wrong.length + all.cut + all.unproven === 0 ? 0 : 1;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
