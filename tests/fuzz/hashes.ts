/**
 * Digests of everything that the compiler makes and the prover counts, for
 * changes that must not affect it: `deno task hashes`.
 *
 * ```sh
 * deno task hashes > before.txt    # in the old worktree
 * deno task hashes > after.txt     # in the new one
 * diff before.txt after.txt
 * ```
 *
 * One line for each case: every profile of `../shared/data/profiles` and the
 * embedded one, for seven sets of architectures, both runtimes, each objective
 * and each recorded histogram; random search problems; random policies.
 *
 * @module
 */

import fc from "fast-check";
import { encode } from "../../bpf/encode.ts";
import { type Compilation, compile } from "../../compiler/compile.ts";
import type { CompileOptions, Weights } from "../../compiler/cost.ts";
import { OBJECTIVES } from "../../tables/objectives.ts";
import { searchTree } from "../../compiler/search/search.ts";
import { SizeError } from "../../compiler/size.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { DOCKER_DEFAULT_CAPABILITIES } from "../../profile/host.ts";
import type { Policy } from "../../profile/policy.ts";
import { selectFor } from "../../profile/select.ts";
import { resolve } from "../../profile/semantics/resolve.ts";
import { type Arch, archByName, type ArchName } from "../../tables/arch.ts";
import { type Manual, start } from "../../tools/arguments.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import {
  createRandom,
  randomCells,
  toProblem,
} from "../compiler/search/random.ts";
import { anyPolicy } from "../compiler/shared.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const SEED = 20_260_214;
const PROBLEMS = 3000;
const POLICIES = 1500;

const ARCH_SETS: readonly (readonly ArchName[])[] = [
  ["x86_64"],
  ["x86_64", "x86", "x32"],
  ["x86"],
  ["aarch64", "arm"],
  ["s390x", "s390"],
  ["ppc64le"],
  ["mips64el", "mipsel", "mipsel64n32"],
];
const BACKGROUNDS: readonly number[] = [0.5, 0.05];
/** Less than the default: histograms on i386 would take most of the time. */
const WORK_LIMIT = 2_000_000;

const MANUAL: Manual = {
  usage: "deno task hashes",
  brief:
    "Prints digests of what the compiler makes of profiles, search problems and\nrandom policies. Compare two outputs to see what a change changed.",
};

function main(): void {
  for (const [name, text] of texts("profiles", DEFAULT_PROFILE)) {
    hashProfile(name, text);
  }
  hashProblems();
  hashPolicies();
}

/** Lists the embedded text, if any, and those of a folder of the shared data. */
function* texts(
  folder: string,
  embedded?: string,
): Generator<readonly [string, string]> {
  if (embedded !== undefined) yield ["embedded", embedded];
  const url = new URL(`${folder}/`, DATA);
  const names = Array.from(Deno.readDirSync(url), ({ name }) => name).sort();
  for (const name of names) {
    if (name !== "index.json") {
      yield [name, Deno.readTextFileSync(new URL(name, url))];
    }
  }
}

function hashProfile(name: string, text: string): void {
  const done = new Set<string>();
  for (const names of ARCH_SETS) {
    for (const semantics of ["crun", "runc"] as const) {
      const policy = policyOf(text, archesOf(names), semantics);
      if (policy === undefined) continue;
      const key = JSON.stringify(
        policy,
        (_, value) => typeof value === "bigint" ? String(value) : value,
      );
      if (done.has(key)) continue;
      done.add(key);
      const what = `${name} ${names.join("+")} ${semantics}`;
      for (const objective of OBJECTIVES) {
        report(`${what} ${objective}`, policy, { objective });
      }
      for (const [histogram, counts] of texts("histograms")) {
        const weights = weightsOf(archesOf(names), counts);
        for (const background of BACKGROUNDS) {
          const options = { weights, background, workLimit: WORK_LIMIT };
          report(`${what} ${histogram} ${background}`, policy, options);
        }
      }
    }
  }
}

function archesOf(names: readonly ArchName[]): readonly Arch[] {
  return names.flatMap((name) => archByName(name) ?? []);
}

/** Resolves a profile; `undefined` if it is not one, or not for this target. */
function policyOf(
  text: string,
  arches: readonly Arch[],
  semantics: "crun" | "runc",
): Policy | undefined {
  try {
    const [native] = arches;
    if (native === undefined) return undefined;
    const { seccomp } = selectFor(parseProfile(text), {
      arch: native.name,
      kernel: { major: 6, minor: 1 },
      capabilities: DOCKER_DEFAULT_CAPABILITIES,
    });
    if (seccomp === undefined) return undefined;
    return resolve(seccomp, { arches, semantics, unknown: "ignore" }).policy;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return undefined;
  }
}

function weightsOf(arches: readonly Arch[], text: string): Weights {
  const counts = Object.entries<number>(JSON.parse(text));
  return new Map(
    arches.filter((arch) => arch.syscallBit === 0).map((arch) => [
      arch.auditArch,
      new Map(counts.flatMap(([call, count]) => {
        const nr = arch.syscalls.get(call);
        return nr === undefined ? [] : [[nr, count] as const];
      })),
    ]),
  );
}

/** Compiles, proves, and prints the digests of both. */
function report(what: string, policy: Policy, options: CompileOptions): void {
  let compilation: Compilation;
  try {
    compilation = compile(policy, options);
  } catch (error) {
    if (!(error instanceof SizeError)) throw error;
    print(`${what}: ${error.message}`);
    return;
  }
  const { program, arches } = compilation;
  const proof = proveEquivalent(policy, program);
  print([
    what,
    program.length,
    digest(encode(program)),
    digest(textOf(arches)),
    digest(textOf(proof)),
    proof.kind,
  ].join(" "));
}

/** Trees of random problems, with a penalty, a bound on depth, or little work. */
function hashProblems(): void {
  const random = createRandom(SEED);
  for (let i = 0; i < PROBLEMS; i++) {
    const cells = randomCells(random, i % 10 === 0 ? 120 : 30);
    const options = {
      sizePenalty: [0, 0, 1, 40][random(4)] ?? 0,
      workLimit: [0, 20_000, 1_000_000][random(3)] ?? 0,
      ...(random(3) === 0 ? { maxDepth: 3 + random(8) } : {}),
      prove: random(5) > 0,
    };
    print(
      `problem ${i} ${digest(textOf(searchTree(toProblem(cells), options)))}`,
    );
  }
}

function hashPolicies(): void {
  const policies = fc.sample(anyPolicy, { seed: SEED, numRuns: POLICIES });
  for (const [i, policy] of policies.entries()) {
    const objective = OBJECTIVES[i % OBJECTIVES.length] ?? "balanced";
    report(`policy ${i} ${objective}`, policy, { objective });
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) => typeof part === "bigint" ? String(part) : part,
  );
}

/** FNV-1a of 64 bits: short, and not exposed to attacks here. */
function digest(data: string | Uint8Array): string {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  let [high, low] = [0xcbf2_9ce4, 0x8422_2325];
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    // Times 2^40 + 0x1b3.
    const product = low * 0x1b3;
    high =
      (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>>
      0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

function print(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
