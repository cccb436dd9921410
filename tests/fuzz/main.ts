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

import { type Findings, runAny, runContract } from "../oracle/campaign.ts";

async function main(args: readonly string[]): Promise<number> {
  const seed = option(args, "--seed") ??
    crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const count = option(args, "--count") ?? 20_000;
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

if (import.meta.main) {
  main(Deno.args).then((code) => Deno.exit(code));
}
