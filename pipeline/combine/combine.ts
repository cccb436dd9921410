/**
 * Combines profiles: every input of the result gets the strictest or the
 * loosest of the answers, or the answers of one minus what the others permit.
 * The result is written as a profile in a normal form, read back as every known
 * version of crun and runc reads it, and proved to have that meaning.
 *
 * ```text
 * profiles ─resolve▶ policies ─pointwise▶ meaning ─entries▶ profile ─readings▶ proved
 *                                            └─ policy ▶ a filter, even if no profile can express it
 * ```
 *
 * @module
 */

import { StatementError } from "../../statements/condition.ts";
import { createSymbols, type Symbols } from "../../verify/core/symbols.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  LimitReached,
  type ProofLimits,
} from "../../verify/limits.ts";
import type { ProfileTarget } from "../resolve_profile.ts";
import { Combination, type DraftedProfile } from "./combination.ts";
import { type DecidedCombinations, keepConditions } from "./conditions.ts";
import { CoverSpaces } from "./cover_spaces.ts";
import { orOriginal } from "./original.ts";
import type { ReadingsProof } from "./readings.ts";
import type {
  Combined,
  CombineInput,
  CombineOptions,
  UnsaidProfile,
} from "./result.ts";

/** Shares of the node limit to try; a small diagram takes less time. */
const SHARES: readonly number[] = [1 / 128, 1 / 16, 1];

/**
 * Combines profiles and filters.
 *
 * @example Docker's default without mkdir
 * ```ts
 * import { combine } from "./combine.ts";
 * import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
 * import { parseProfile } from "../../profile/formats/parse.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const own = `{
 *   "defaultAction": "SCMP_ACT_ALLOW",
 *   "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 }]
 * }`;
 * const result = combine(
 *   [{ profile: parseProfile(DEFAULT_PROFILE) }, { profile: parseProfile(own) }],
 *   { arch: ["x86_64"], kernel: { major: 6, minor: 1 } },
 * );
 * assert(result.kind === "profile");
 * assertEquals(result.section.defaultAction, "SCMP_ACT_ERRNO");
 * assert(!result.section.syscalls.some(({ names, action }) =>
 *   names.includes("mkdir") && action === "SCMP_ACT_ALLOW"
 * ));
 * ```
 *
 * @throws {ProfileError} if a profile cannot be used.
 * @throws {RangeError} if there is no input, or the target names no architecture.
 * @throws {StatementError} if an edit names an unknown call, argument or value.
 * @throws {TypeError} if the inputs are for machines of different byte order.
 *
 * @param inputs The profiles and filters; the flags and the comments of the
 * first profile are kept.
 * @param target The machine, container and runtime.
 * @param options The operation, and changes.
 * @returns The profile with its proof, or the reason why no profile expresses
 * it.
 */
export function combine(
  inputs: readonly CombineInput[],
  target: ProfileTarget,
  options: CombineOptions = {},
): Combined {
  if (inputs.length === 0) {
    throw new RangeError("Cannot combine nothing; give a profile");
  }
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  const spaces = new CoverSpaces(limits);
  const decided = decidedFor(target, options, limits, spaces);
  const made = combineAnew(inputs, target, options, {
    decided,
    limits,
    spaces,
  });
  return options.orOriginal === true
    ? orOriginal(inputs, target, made, decided.prove)
    : made;
}

/** Combines profiles in normal form. */
function combineAnew(
  inputs: readonly CombineInput[],
  target: ProfileTarget,
  options: CombineOptions,
  { decided, limits, spaces }: {
    readonly decided: DecidedCombinations;
    readonly limits: ProofLimits;
    readonly spaces: CoverSpaces;
  },
): Combined {
  if (options.keepConditions === true) {
    const kept = keepConditions(inputs, target, options, decided);
    if (kept !== undefined) return kept;
  }
  const make = (symbols: Symbols): Combined =>
    new Combination(inputs, target, options, { symbols, spaces }).make();
  const result = withSymbols(limits, make);
  if (result.kind !== "unsaid") return result;
  return { ...result, toPolicy: () => policyOf(result, limits, make) };
}

/** Combinations for other machines and containers than the target's. */
function decidedFor(
  { arch: native }: ProfileTarget,
  options: CombineOptions,
  limits: ProofLimits,
  spaces: CoverSpaces,
): DecidedCombinations {
  const on = (
    inputs: readonly CombineInput[],
    target: ProfileTarget,
    symbols: Symbols,
  ): Combination => {
    const skipUnknown = target.arch !== native;
    const own = { symbols, spaces, skipUnknown };
    return new Combination(inputs, target, options, own);
  };
  return {
    draft(inputs, target): DraftedProfile | undefined {
      try {
        const drafted = withSymbols(
          limits,
          (symbols) => on(inputs, target, symbols).draft(),
        );
        return drafted.kind === "draft" ? drafted : undefined;
      } catch (error) {
        // Another machine has no such value of an argument.
        if (error instanceof StatementError) return undefined;
        throw error;
      }
    },
    prove(inputs, target, profile): ReadingsProof | undefined {
      const proof = withSymbols(
        limits,
        (symbols) => on(inputs, target, symbols).prove(profile),
      );
      return proof.kind === "proof" ? proof : undefined;
    },
  };
}

/** The policy of a result that no profile says, with more nodes if needed. */
function policyOf(
  result: UnsaidProfile,
  limits: ProofLimits,
  make: (symbols: Symbols) => Combined,
): ReturnType<UnsaidProfile["toPolicy"]> {
  const policy = (one: Combined): ReturnType<UnsaidProfile["toPolicy"]> => {
    try {
      return one.kind === "unsaid" ? one.toPolicy() : undefined;
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      return undefined;
    }
  };
  return policy(result) ?? policy(
    withSymbols(limits, make, [1]),
  );
}

/** Works with a diagram, and with a larger one if that is too small. */
function withSymbols<T>(
  limits: ProofLimits,
  work: (symbols: Symbols) => T,
  shares = SHARES,
): T | { readonly kind: "unproved"; readonly limit: LimitName } {
  let limit: LimitName = "nodes";
  for (const share of shares) {
    const nodes = Math.ceil(limits.nodes * share);
    try {
      return work(createSymbols("word", { ...limits, nodes }));
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      limit = error.limit;
    }
  }
  return { kind: "unproved", limit };
}
