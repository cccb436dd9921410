/**
 * The fuzzer, `deno task fuzz`: random profiles of both families, compared as
 * in `tests/differential/`, from a new seed each time; or one of the campaigns
 * of `digest`, `optimize` and `explain`.
 *
 * ```sh
 * deno task fuzz --seed 123 --count 20000
 * deno task fuzz --of filters --seed 123
 * ```
 *
 * @module
 */

import {
  ArgumentError,
  type Given,
  type Manual,
  start,
} from "../../tools/arguments.ts";
import { type Findings, runAny, runContract } from "../oracle/campaign.ts";
import { createRandom } from "../verify/programs.ts";
import { judgeCombinations } from "./combine_campaign.ts";
import { judgeConversions } from "./convert_campaign.ts";
import { judgeEntries } from "./entry_campaign.ts";
import { judgeExplanations } from "./explain_campaign.ts";
import { availableCheckers } from "../checkers/checkers.ts";
import { runCertificates } from "./certificate_campaign.ts";
import { runDigests } from "./digest_campaign.ts";
import {
  judgeOutlineFaults,
  judgeProgramFaults,
  noFaults,
} from "./fault_campaign.ts";
import { runLarge } from "./large_campaign.ts";
import {
  judgeLint,
  judgeRealFilters,
  judgeRealProfiles,
} from "./lint_campaign.ts";
import { judgePrograms, judgeReal, realStacks } from "./optimize_campaign.ts";

const MANUAL: Manual = {
  usage: "deno task fuzz [OPTION...]",
  brief:
    "Compares random profiles of both families with libseccomp and a second\ninterpreter, or runs a campaign of digest, optimize, explain or certificates:\n\n  digests   pairs that are equal, and as many that are different\n  filters   inputs for each filter of a real program, by interpreter and kernel\n  programs  random programs with arithmetic, and stacks of them\n  explanations  the text of explain, read back and proved equal\n  entries   what explain adds to allow a denied call, proved to allow only that\n  combine   random pairs of profiles, combined and proved against both stacked\n  convert   random profiles in every format, each difference a loss\n  certificates  certificates of random filters, and faults in them\n  faults    faults between the meaning of a filter and its optimized one\n  lint      findings about random and real profiles, and real filters, each\n            checked by another way\n  large     profiles that libseccomp just fits into the kernel's limit\n\nExits with 1 if a verdict differs.",
  options: {
    of: {
      placeholder: "WHAT",
      brief:
        "profiles (default), digests, filters, programs, faults, explanations, entries, combine, convert, certificates, lint or large",
    },
    seed: { placeholder: "N", brief: "Seed (default: random)" },
    count: {
      placeholder: "N",
      brief:
        "Number of cases (default: 20000 profiles or pairs, 100000 inputs, 5000 programs, 2000 explanations, 200 faults, entries, conversions, profiles for lint, or large profiles)",
    },
  },
};

/** Campaigns by name; each returns the number of wrong verdicts. */
const CAMPAIGNS: Readonly<
  Record<string, (seed: number, count?: number) => Promise<number> | number>
> = {
  profiles,
  digests,
  filters,
  programs,
  faults,
  explanations,
  entries,
  combine,
  convert,
  certificates,
  lint,
  large,
};

async function main(given: Given): Promise<number> {
  const seed = given.number("seed") ??
    crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const name = given.text("of") ?? "profiles";
  const campaign = CAMPAIGNS[name];
  if (campaign === undefined) {
    throw new ArgumentError(
      `Cannot run ${name}; give one of ${Object.keys(CAMPAIGNS).join(", ")}`,
    );
  }
  say(`seed ${seed}, ${name}`);
  return await campaign(seed, given.number("count")) === 0 ? 0 : 1;
}

async function profiles(seed: number, count = 20_000): Promise<number> {
  const half = Math.ceil(count / 2);
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
  return differences;
}

async function digests(seed: number, count = 20_000): Promise<number> {
  const { wrong, ...counts } = await runDigests({ seed, count });
  return report(JSON.stringify(counts), wrong);
}

function filters(seed: number, count = 100_000): number {
  let failures = 0;
  for (const stack of realStacks()) {
    const { name, given, length, inputs, wrong } = judgeReal(
      stack,
      count,
      createRandom(seed),
    );
    const line = `${name}: ${given} → ${length} instructions, ${inputs} inputs`;
    failures += report(line, wrong);
  }
  return failures;
}

function programs(seed: number, count = 5000): number {
  const { wrong, ...counts } = judgePrograms({ seed, count });
  return report(JSON.stringify(counts), wrong);
}

async function certificates(seed: number, count = 20_000): Promise<number> {
  const checkers = await availableCheckers();
  say(`checkers: ${[...checkers.keys()].join(", ")}`);
  const filters = Math.min(5000, Math.ceil(count / 4));
  const options = { seed, filters, faults: count };
  const { wrong, ...counts } = await runCertificates(options, checkers);
  return report(JSON.stringify(counts), wrong);
}

function faults(seed: number, count = 200): number {
  const counts = noFaults();
  for (const stack of realStacks()) {
    judgeOutlineFaults(stack, count, createRandom(seed), counts);
    judgeProgramFaults(stack, 5, createRandom(seed), counts);
    say(`${stack.name}: ${counts.caught} caught so far`);
  }
  const { caught, harmless, wrong, kinds } = counts;
  const parts = [...kinds].map(([kind, n]) => `${kind} ${n}`).join(", ");
  return report(`${caught} caught (${parts}), ${harmless} harmless`, wrong);
}

function explanations(seed: number, count = 2000): number {
  const { wrong, ...counts } = judgeExplanations({ seed, count });
  return report(JSON.stringify(counts), wrong);
}

function entries(seed: number, count = 200): number {
  const { wrong, ...counts } = judgeEntries({ seed, count });
  return report(JSON.stringify(counts), wrong);
}

function combine(seed: number, count = 20_000): number {
  const { wrong, ...counts } = judgeCombinations({ seed, count });
  return report(JSON.stringify(counts), wrong);
}

function convert(seed: number, count = 200): number {
  const { wrong, ...counts } = judgeConversions({ seed, count });
  return report(JSON.stringify(counts), wrong);
}

function lint(seed: number, count = 200): number {
  const rows = [
    ["random profiles", judgeLint({ seed, count })],
    ["real profiles", judgeRealProfiles()],
    ["real filters", judgeRealFilters()],
  ] as const;
  return rows.reduce((sum, [what, { sources, findings, patches, wrong }]) => {
    const all = [...findings].sort().map(([id, n]) => `${id} ${n}`).join(", ");
    const line = `${sources} ${what}, ${patches} patches: ${all}`;
    return sum + report(line, wrong);
  }, 0);
}

async function large(seed: number, count = 200): Promise<number> {
  const counts = await runLarge({ seed, count, onProfile: say });
  if (counts === undefined) {
    say("no libseccomp here");
    return 0;
  }
  const { wrong, ...numbers } = counts;
  return report(JSON.stringify(numbers), wrong);
}

function report(line: string, wrong: readonly string[]): number {
  say(`${line}, ${wrong.length} wrong`);
  for (const each of wrong) say(each);
  return wrong.length;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
