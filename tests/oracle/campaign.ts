/**
 * Runs many random profiles through the comparisons and reports what was found.
 *
 * @module
 */

import { openLibseccomp } from "../../ffi/libseccomp.ts";
import { openLibseccompGuard } from "../../ffi/libseccomp_guard.ts";
import {
  compareLibrary,
  compareProduction,
  type Comparison,
  type Reference,
  usableNames,
} from "./compare.ts";
import { type Case, generateAny, generateContract } from "./generate.ts";
import { print, shrink } from "./shrink.ts";

/** What to run. */
export interface CampaignOptions {
  /** First seed, a u32. */
  readonly seed: number;
  /** Number of profiles. */
  readonly count: number;
  /** Differences after which it stops, 3 by default. */
  readonly differences?: number;
  /** One profile in so many is compiled, 4 by default. */
  readonly compileEvery?: number;
}

/** What was found. */
export interface Findings {
  /** Profiles by what became of them. */
  readonly outcomes: Readonly<Record<Comparison["outcome"], number>>;
  /** Verdicts that were equal. */
  readonly verdicts: number;
  /** One text a difference: seed, what differs, the shrunk profile. */
  readonly differences: readonly string[];
  /** The same where production and oracle agree and the library alone differs. */
  readonly oddities: readonly string[];
}

/**
 * Draws profiles of family A and compares library, oracle and production.
 *
 * @param options What to run.
 * @returns What was found, or undefined if the host has no library for x86_64.
 */
export async function runContract(
  options: CampaignOptions,
): Promise<Findings | undefined> {
  const library = openLibseccomp();
  if (library?.nativeArch !== X86_64) return undefined;
  await using guard = openLibseccompGuard();
  if (guard === undefined) return undefined;
  const reference: Reference = { library, guard };
  const usable = usableNames(library);
  return await runCases(
    options,
    (seed) => generateContract(seed, { usable }),
    ({ seccomp, target, seed }) =>
      compareLibrary(seccomp, target, reference, {
        seed,
        program: seed % (options.compileEvery ?? COMPILE_EVERY) === 0,
      }),
  );
}

/**
 * Draws profiles of family B and compares oracle and production.
 *
 * @param options What to run.
 * @returns What was found.
 */
export async function runAny(options: CampaignOptions): Promise<Findings> {
  return await runCases(
    options,
    (seed) => generateAny(seed),
    ({ seccomp, target, seed }) =>
      compareProduction(seccomp, target, {
        seed,
        program: seed % (options.compileEvery ?? COMPILE_EVERY) === 0,
        kernel: true,
      }),
  );
}

const COMPILE_EVERY = 4;

/** Token of x86_64, for which family A is drawn. */
const X86_64 = 0xc000_003e;

async function runCases(
  options: CampaignOptions,
  generate: (seed: number) => Case,
  compare: (drawn: Case) => Comparison | Promise<Comparison>,
): Promise<Findings> {
  const outcomes = { equal: 0, refused: 0, skipped: 0, different: 0 };
  const differences: string[] = [];
  const oddities: string[] = [];
  let verdicts = 0;
  for (let i = 0; i < options.count; i++) {
    const drawn = generate((options.seed + i) >>> 0);
    const found = await compare(drawn);
    outcomes[found.outcome]++;
    verdicts += found.verdicts;
    if (found.difference === undefined) continue;
    const smallest = await shrink(
      drawn.seccomp,
      async (seccomp) => {
        const smaller = await compare({ ...drawn, seccomp });
        return smaller.outcome === "different" &&
          smaller.isReference === found.isReference;
      },
    );
    const { difference } = await compare({ ...drawn, seccomp: smallest });
    const { native, semantics, version = ["newest"] } = drawn.target;
    const list = found.isReference === true ? oddities : differences;
    list.push(
      `seed ${drawn.seed} (${native}, ${semantics} ${
        version.join(".")
      }): ${difference}\n  ${print(smallest)}`,
    );
    if (differences.length >= (options.differences ?? 3)) break;
  }
  return { outcomes, verdicts, differences, oddities };
}
