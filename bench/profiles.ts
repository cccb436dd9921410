/**
 * The table of docs/profiles.md: every profile that this machine can resolve,
 * compiled for each objective, next to libseccomp's list and tree. Sizes and
 * steps are counted; attach times are minima of one interleaved run.
 *
 * ```sh
 * deno task profiles ../shared/data/profiles > docs/profiles.md
 * ```
 *
 * @module
 */

import { basename, join } from "@std/path";
import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { measure } from "../measure/measure.ts";
import { referenceProgram } from "../hook/reference.ts";
import { OBJECTIVES } from "../tables/objectives.ts";
import { hostCalls } from "../ffi/host_names.ts";
import { openLibseccomp } from "../ffi/libseccomp.ts";
import { openStub } from "../ffi/stub.ts";
import { ProfileError } from "../profile/diagnostic.ts";
import { hostArch, kernelRelease, processorName } from "../host/machine.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import { resolveParsed } from "../pipeline/resolve_profile.ts";
import { parseKernelRelease } from "../profile/host.ts";
import { provedFilter } from "./engine/inputs.ts";
import type { Arch } from "../tables/arch.ts";
import { type Given, type Manual, start } from "../tools/arguments.ts";

const ROUNDS = 60;

interface Variant {
  readonly name: string;
  readonly program: Program;
  /** Expected tests on numbers, and the bound, of the native architecture. */
  readonly bound?: string;
}

const MANUAL: Manual = {
  usage: "deno task profiles [FOLDER]",
  brief:
    "Prints docs/profiles.md: each profile of FOLDER (default:\n../shared/data/profiles), compiled for every objective.",
  words: 1,
};

function main({ words: [folder = "../shared/data/profiles"] }: Given): void {
  const native = hostArch();
  if (native === undefined) {
    throw new Error("Cannot measure: this machine has no system call table");
  }
  const lines = [
    "# Profiles",
    "",
    "`deno task profiles FOLDER` makes this page. The columns are:",
    "",
    "- mean, worst: executed instructions for the numbers 0 to 469 of the native architecture, with zero arguments.",
    "- cost: expected tests on the system call number, with the weights and prices of the objective (compiler/cost.ts).",
    "- bound: no tree of `==` and `>=` tests costs less; JSET tests can cost less. The bound of folded numbers is unknown.",
    `- attach µs: time of seccomp(2), the minimum of ${ROUNDS} in one interleaved run.`,
    "",
    "Profiles are compiled with the system call names that the host's libseccomp knows.",
    "",
    machineLine(),
    "",
    "| profile | filter | instructions | mean | worst | cost | bound | attach µs |",
    "| --- | --- | --: | --: | --: | --: | --: | --: |",
  ];
  const left: string[] = [];
  const files = [...Deno.readDirSync(folder)].map((entry) => entry.name)
    .filter((name) => /\.(?:json|yaml)$/.test(name) && name !== "index.json")
    .sort();
  for (const file of files) {
    try {
      lines.push(...rowsOf(join(folder, file), native));
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      const [first] = error.diagnostics;
      left.push(`- ${file}: ${first?.message ?? error.message}`);
    }
  }
  if (left.length > 0) lines.push("", "Skipped:", "", ...left);
  // deno-lint-ignore no-console -- the output of this program
  console.log(lines.join("\n"));
}

function rowsOf(path: string, native: Arch): readonly string[] {
  const library = openLibseccomp();
  const knows = library && hostCalls(library);
  const { policy, seccomp, arches: all } = resolveParsed(
    parseProfile(Deno.readTextFileSync(path)),
    {
      arch: native.name,
      kernel: parseKernelRelease(kernelRelease()),
      unknown: "ignore",
      ...(knows === undefined ? {} : { knows }),
    },
  );
  const variants: Variant[] = [];
  for (const [optimize, kind] of [[1, "linear"], [2, "tree"]] as const) {
    const program = library &&
      referenceProgram(library, seccomp, all, optimize);
    if (program !== undefined) {
      variants.push({
        name: `libseccomp ${library?.version} ${kind}`,
        program,
      });
    }
  }
  for (const objective of OBJECTIVES) {
    const { program, trees } = provedFilter(policy, {
      objective,
      workLimit: 1e8,
    });
    const own = trees[0];
    const bound = own === undefined
      ? ""
      : `${own.cost.toFixed(3)} | ${
        own.lowerBound === 0 ? "–" : own.lowerBound.toFixed(3)
      }${own.proven ? ", proven" : ""}`;
    variants.push({ name: objective, program, bound });
  }
  const times = attachTimes(variants.map(({ program }) => encode(program)));
  return variants.map(({ name, program, bound }, i) => {
    const { arches, length } = measure(program, all);
    const own = arches[0];
    const time = times[i];
    return `| ${i === 0 ? basename(path) : ""} | ${name} | ${length} | ${
      own?.mean.toFixed(2)
    } | ${own?.worst} | ${bound ?? " | "} | ${
      time === undefined ? "–" : time.toFixed(0)
    } |`;
  });
}

/** Minimum microseconds of seccomp(2) for each filter, all filters in turn. */
function attachTimes(
  filters: readonly Uint8Array[],
): readonly (number | undefined)[] {
  const stub = openStub();
  if (stub === undefined) return filters.map(() => undefined);
  const least = filters.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, filter] of filters.entries()) {
      const { loadTicks, loadErrno } = stub.run({ filter, calls: [] });
      if (loadErrno === 0) {
        least[i] = Math.min(least[i] ?? Infinity, loadTicks);
      }
    }
  }
  return least.map((ticks) =>
    Number.isFinite(ticks) ? ticks / ticksPerMicro() : undefined
  );
}

let rate: number | undefined;

/**
 * Ticks of rdtsc per microsecond, from /proc/cpuinfo's "cpu MHz" (an invariant
 * TSC).
 */
function ticksPerMicro(): number {
  rate ??= Number(
    /cpu MHz\s*:\s*([0-9.]+)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))
      ?.[1] ?? "NaN",
  );
  return rate;
}

function machineLine(): string {
  return `Machine: ${processorName()}, Linux ${kernelRelease()}, Deno ${Deno.version.deno}.`;
}

if (import.meta.main) start(MANUAL, main);
