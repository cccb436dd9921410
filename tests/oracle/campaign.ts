/**
 * Runs many random profiles through the comparisons and reports the results.
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

/** Range of profiles. */
export interface CampaignOptions {
  /** First seed, a u32. */
  readonly seed: number;
  /** Number of profiles. */
  readonly count: number;
  /** Number of differences after which it stops, 3 by default. */
  readonly differences?: number;
  /** Interval of profiles that are compiled, 4 by default. */
  readonly compileEvery?: number;
}

/** Results. */
export interface Findings {
  /** Number of profiles by outcome. */
  readonly outcomes: Readonly<Record<Comparison["outcome"], number>>;
  /** Number of equal verdicts. */
  readonly verdicts: number;
  /** One text per difference: seed, difference, shrunk profile. */
  readonly differences: readonly string[];
  /** The same if production and oracle agree and only the library differs. */
  readonly oddities: readonly string[];
}

/**
 * Draws profiles of family A and compares library, oracle and production.
 *
 * @param options Range of profiles.
 * @returns The results, or undefined if the host has no library for x86_64.
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
 * @param options Range of profiles.
 * @returns The results.
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
