/**
 * The required figures of the search for the optimum, `deno task optimum`: one
 * row for each, with the required and the measured figure. Profiles and
 * histograms are the data beside the repository.
 *
 * @module
 */

import { compileParsed, weightsFor } from "../../pipeline/compile_profile.ts";
import type { CompileProfileOptions } from "../../pipeline/compile_profile.ts";
import { compile } from "../../compiler/compile.ts";
import { formatTable } from "../../host/table.ts";
import { measure } from "../../measure/measure.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { parseWeights } from "../../profile/formats/weights.ts";
import type { Rule } from "../../profile/policy.ts";
import { archByName } from "../../tables/arch.ts";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import {
  cpu,
  measureTask,
  policyOf,
  type Row,
  rulesOf,
  seconds,
  workRows,
} from "./large_policies.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const TARGET = {
  arch: "x86_64",
  kernel: { major: 6, minor: 1 },
} as const;
const BOUND_WORK = 50_000_000;
const CROSSWISE_CALLS = 30;

type Counts = ReadonlyMap<string, number>;

const MANUAL: Manual = {
  usage: "deno task optimum",
  brief: "Prints wanted and measured figures of the search for the optimum.",
  options: { child: { brief: "Print one measurement" } },
  words: 2,
};

async function main(given: Given): Promise<number> {
  if (given.has("child")) {
    const [task = "", name = ""] = given.words;
    say(measureTask(task, name));
    return 0;
  }
  const rows: readonly Row[] = [
    ["figure", "wanted", "measured"],
    ...searchRows(histograms()),
    ...sizeRows(),
    ...await workRows(import.meta.filename ?? ""),
  ];
  say(formatTable(rows));
  return 0;
}

function say(text: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(text);
}

/** Histograms by name; none without the data. */
function histograms(): ReadonlyMap<string, Counts> {
  const found = new Map<string, Counts>();
  for (const name of ["nginx", "node-http", "redis"]) {
    const file = new URL(`histograms/${name}.json`, DATA);
    found.set(name, parseWeights(Deno.readTextFileSync(file)).counts);
  }
  return found;
}

/** Profiles that compile for the target. */
function profiles(): readonly ParsedProfile[] {
  const folder = new URL("profiles/", DATA);
  const parsed: ParsedProfile[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".json") || name === "index.json") continue;
    try {
      const profile = parseProfile(
        Deno.readTextFileSync(new URL(name, folder)),
      );
      compiled(profile, { workLimit: 0 });
      parsed.push(profile);
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
    }
  }
  return parsed;
}

function compiled(
  profile: ParsedProfile,
  options: CompileProfileOptions,
): Extract<ReturnType<typeof compileParsed>, { kind: "proved" }> {
  const filter = compileParsed(profile, TARGET, options);
  if (filter.kind !== "proved") throw new Error(filter.message);
  return filter;
}

function searchRows(weights: ReadonlyMap<string, Counts>): readonly Row[] {
  const docker = parseProfile(DEFAULT_PROFILE);
  let all = 0;
  let proven = 0;
  for (const profile of profiles()) {
    for (const counts of weights.values()) {
      for (const tree of compiled(profile, { counts }).trees) {
        all++;
        if (tree.proven) proven++;
      }
    }
  }
  const rows: Row[] = [
    ["trees proven at background 0.5", "all", `${proven} of ${all}`],
  ];
  const i386 = archByName("x86");
  if (i386 === undefined) throw new Error("Unreachable: no x86");
  for (const [name, counts] of weights) {
    const raw = compiled(docker, { counts, background: 0 });
    const tree = raw.trees.find(({ names }) => names.includes("x86"));
    if (tree === undefined) throw new Error("Unreachable: no tree of x86");
    const reached = [...weightsFor(counts, [i386]).values()]
      .flatMap((calls) => [...calls.values()]);
    const lost = 1 - sum(reached) / sum([...counts.values()]);
    const steps = measure(raw.program, [i386], {
      weights: weightsFor(counts, [i386]),
      background: 0,
    }).arches[0]?.expected ?? NaN;
    rows.push(
      [`${name}, i386: gap, background 0`, "≤ 1.08 %", percent(gap(tree))],
      [`${name}, i386: weight lost`, "0 %", percent(lost)],
      [
        `${name}, i386: expected steps, background 0`,
        name === "nginx" ? "≤ 7.6" : "–",
        steps.toFixed(2),
      ],
    );
    for (const maxDepth of [8, 9, 10]) {
      const options = { counts, maxDepth };
      const without = compiled(docker, options).trees[0];
      const bounded = compiled(docker, { ...options, boundWork: BOUND_WORK })
        .trees[0];
      if (without === undefined || bounded === undefined) continue;
      rows.push([
        `${name}, x86_64: gap under depth ${maxDepth}`,
        "smaller with the Lagrangian bound",
        `${percent(gap(without))} → ${percent(gap(bounded))}`,
      ]);
    }
  }
  return rows;
}

function sizeRows(): readonly Row[] {
  const docker = parseProfile(DEFAULT_PROFILE);
  const equalities = policyOf(rulesOf(1, 3000, true));
  const bits = Array.from({ length: 24 }, (_, i) => 1n << BigInt(i));
  // As many as the kernel's limit has room for: each rule is two tests.
  const crosswise = policyOf(
    Array.from(
      { length: CROSSWISE_CALLS },
      (_, nr) =>
        bits.map((bit, i): Rule => ({
          first: nr,
          last: nr,
          conditions: [0, 1].map((arg) => ({
            arg,
            op: "eq",
            mask: bit,
            value: bit,
          })),
          value: 0x7ffc_0000 + nr * bits.length + i,
          source: "",
        })),
    ).flat(),
  );
  const before = cpu();
  const { testedInOrder } = compile(crosswise);
  return [
    [
      "3,000 equalities on one argument: instructions for size",
      "≤ 3025",
      String(compile(equalities, { objective: "size" }).program.length),
    ],
    [
      `${CROSSWISE_CALLS} calls with crosswise rules`,
      "limited together",
      `${testedInOrder} lists in order, ${seconds(before)}`,
    ],
    [
      "Docker's default, three ABIs: instructions for size",
      "about 186",
      String(compiled(docker, { objective: "size" }).program.length),
    ],
  ];
}

function gap(
  { cost, lowerBound }: { readonly cost: number; readonly lowerBound: number },
): number {
  return lowerBound === 0 ? 0 : Math.max(0, cost / lowerBound - 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

if (import.meta.main) start(MANUAL, main);
