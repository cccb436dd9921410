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

import {
  dockerSubject,
  formatCounts,
  judgeMutants,
  noCounts,
  randomSubjects,
} from "./mutation_campaign.ts";

function main(args: readonly string[]): number {
  const seed = option(args, "--seed") ??
    crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const policies = option(args, "--policies") ?? 10;
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

function option(args: readonly string[], name: string): number | undefined {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const value = Number(args[at + 1]);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(`Cannot read ${name}: not a u32: give a number`);
  }
  return value;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) Deno.exit(main(Deno.args));
