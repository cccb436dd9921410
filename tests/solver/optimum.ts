/**
 * The figures that the search for the optimum is held to, `deno task optimum`:
 * one row for each, the wanted figure beside the measured one. Profiles and
 * histograms are the data beside the repository.
 *
 * @module
 */

import { compileParsed, weightsFor } from "../../pipeline/compile_profile.ts";
import type { CompileProfileOptions } from "../../pipeline/compile_profile.ts";
import { compile } from "../../compiler/compile.ts";
import { SizeError } from "../../compiler/size.ts";
import { formatTable } from "../../host/table.ts";
import { measure } from "../../measure/measure.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { parseWeights } from "../../profile/formats/weights.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { archByName } from "../../tables/arch.ts";
import { type Manual, start } from "../../tools/arguments.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const TARGET = {
  arch: "x86_64",
  kernel: { major: 6, minor: 1 },
} as const;
const ALL = 0xffff_ffff_ffff_ffffn;
const BOUND_WORK = 50_000_000;

type Row = readonly [figure: string, wanted: string, measured: string];
type Counts = ReadonlyMap<string, number>;

const MANUAL: Manual = {
  usage: "deno task optimum",
  brief: "Prints wanted and measured figures of the search for the optimum.",
  options: {},
};

function main(): number {
  const rows: readonly Row[] = [
    ["figure", "wanted", "measured"],
    ...searchRows(histograms()),
    ...sizeRows(),
    ...proverRows(),
  ];
  // deno-lint-ignore no-console -- a program for people
  console.log(formatTable(rows));
  return 0;
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
  const crosswise = policyOf(
    Array.from({ length: 100 }, (_, nr) =>
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
      }))).flat(),
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
      "100 calls with crosswise rules",
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

function proverRows(): readonly Row[] {
  const cases: readonly (readonly [string, number, number, boolean])[] = [
    ["450 calls × the same 1,000 rules", 450, 1000, true],
    ["450 calls × 1,000 rules of their own", 450, 1000, false],
    ["100,000 rules on one call", 1, 100_000, true],
  ];
  return cases.map(([name, calls, count, alike]) => {
    const policy = policyOf(rulesOf(calls, count, alike));
    const reversed = policyOf(
      [...policy.arches[0]?.rules ?? []].reverse(),
    );
    const start = cpu();
    const { kind } = proveEquivalent(policy, reversed);
    const proved = seconds(start);
    const again = cpu();
    return [
      `${name}: prove, then compile`,
      "≤ 3 s each",
      `${kind} ${proved}, ${lengthOf(policy)} ${seconds(again)}`,
    ];
  });
}

function lengthOf(policy: Policy): string {
  try {
    return `${compile(policy).program.length} instructions`;
  } catch (error) {
    if (!(error instanceof SizeError)) throw error;
    return "refused";
  }
}

/** Equalities on argument 1 of some calls. */
function rulesOf(calls: number, count: number, alike: boolean): Rule[] {
  const rules: Rule[] = [];
  for (let i = 0; i < count; i++) {
    for (let nr = 0; nr < calls; nr++) {
      const value = BigInt((21_504 + 7 * i) * (alike ? 1 : nr + 1));
      const conditions = [{ arg: 1, op: "eq", mask: ALL, value }] as const;
      rules.push({
        first: nr,
        last: nr,
        conditions,
        value: 0x7fff_0000,
        source: "",
      });
    }
  }
  return rules;
}

function policyOf(rules: readonly Rule[]): Policy {
  return {
    defaultValue: 0x0005_0001,
    badArchValue: 0,
    littleEndian: true,
    arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules }],
  };
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

/** Processor time of this process in hundredths of a second. */
function cpu(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]
    ?.split(" ");
  return Number(fields?.[11]) + Number(fields?.[12]);
}

function seconds(since: number): string {
  return `${((cpu() - since) / 100).toFixed(1)} s`;
}

if (import.meta.main) start(MANUAL, main);
