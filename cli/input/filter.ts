/**
 * From a source word to filters: what most commands start with.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import { type Compilation, compile } from "../../compiler/compile.ts";
import type { Objective } from "../../compiler/cost.ts";
import type { Policy } from "../../profile/policy.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { chooseCost, type CostRequest } from "./cost.ts";
import { UnprovenError } from "../error.ts";
import { messageLine, tellDiagnostics } from "../exit.ts";
import type { SourceFlags } from "./flags.ts";
import type { Io } from "../io.ts";
import { loadSource, type ProfileSource, tellingProfile } from "./source.ts";
import { type ResolvedProfile, resolveProfile } from "./target.ts";

/** A profile with its program. */
export interface CompiledProfile {
  readonly kind: "profile";
  readonly name: string;
  readonly resolved: ResolvedProfile;
  readonly compilation: Compilation;
  /** What was made small. */
  readonly objective: Objective;
  /** One program. */
  readonly programs: readonly Program[];
}

/** Filters that were there as such. */
export interface LoadedPrograms {
  readonly kind: "programs";
  readonly name: string;
  /** What they were. */
  readonly form: string;
  /** Oldest first. */
  readonly programs: readonly Program[];
}

/** What a source word gives. */
export type Filter = CompiledProfile | LoadedPrograms;

/**
 * Loads a source; a profile is compiled. Warnings go to `io`.
 *
 * @param io Where warnings go.
 * @param word The source word.
 * @param flags The options.
 * @param cost Which filter is the best one.
 */
export async function loadFilter(
  io: Io,
  word: string,
  flags: SourceFlags,
  cost?: CostRequest,
): Promise<Filter> {
  const source = await loadSource(io, word, flags.from);
  if (source.kind === "programs") return source;
  return await compileSource(io, source, flags, cost);
}

/**
 * Resolves and compiles a profile source.
 *
 * @param io Where warnings go, and what was assumed.
 * @param source The profile.
 * @param flags For whom it is meant.
 * @param cost Which filter is the best one.
 */
export async function compileSource(
  io: Io,
  source: ProfileSource,
  flags: SourceFlags,
  cost?: CostRequest,
): Promise<CompiledProfile> {
  const resolved = await resolveSource(io, source, flags);
  const { policy, arches } = resolved;
  const choice = cost && chooseCost(cost, {
    kernel: flags.kernel === undefined ? undefined : resolved.kernel,
    arches,
  });
  tellAssumed(io, source.name, flags, [
    resolved.assumed,
    ...(choice === undefined ? [] : [choice.assumed]),
  ]);
  const compilation = compile(policy, choice?.options);
  if (!flags.quiet) tellDepth(io, source.name, compilation, cost?.maxDepth);
  proveOrThrow(policy, compilation.program);
  return {
    kind: "profile",
    name: source.name,
    resolved,
    compilation,
    objective: choice?.options.objective ?? "balanced",
    programs: [compilation.program],
  };
}

/** Says where a bound on the depth could not be kept. */
function tellDepth(
  io: Io,
  name: string,
  { arches }: Compilation,
  maxDepth: number | undefined,
): void {
  if (maxDepth === undefined || maxDepth === 0) return;
  for (const { names, depth, intervals } of arches) {
    if (depth <= maxDepth) continue;
    io.err(
      `${name}: warning: Cannot keep --max-depth ${maxDepth} on ${
        names.join("+")
      }: ${intervals} intervals: ${depth} tests are used\n`,
    );
  }
}

/**
 * Resolves a profile source and tells what was found.
 *
 * @param io Where warnings go.
 * @param source The profile.
 * @param flags For whom it is meant.
 */
export async function resolveSource(
  io: Io,
  source: ProfileSource,
  flags: SourceFlags,
): Promise<ResolvedProfile> {
  const resolved = await tellingProfile(
    io,
    source.name,
    () => resolveProfile(source.profile, flags),
  );
  const told = resolved.diagnostics.filter(({ severity }) =>
    severity === "note" ? flags.verbose : !flags.quiet
  );
  tellDiagnostics(io, source.name, told);
  return resolved;
}

/** Says for whom a profile was taken to be meant. */
export function tellAssumed(
  io: Io,
  name: string,
  flags: Pick<SourceFlags, "quiet">,
  parts: readonly string[],
): void {
  if (flags.quiet) return;
  io.err(messageLine(io, "note", `for ${parts.join(", ")}`, name));
}

/** No program leaves without a proof that it means what the profile says. */
function proveOrThrow(policy: Policy, program: Program): void {
  const proof = proveEquivalent({ kind: "program", program }, {
    kind: "policy",
    policy,
  });
  switch (proof.kind) {
    case "equal":
      return;
    case "unproven":
      throw new UnprovenError(
        `Cannot prove the filter equal to the profile: the limit of ${proof.limit} was reached: simplify the profile's argument conditions`,
      );
    case "different":
      throw new Error(
        `Unreachable: number ${proof.data.nr} gets ${
          formatReturnValue(proof.a.value)
        }, the profile says ${formatReturnValue(proof.b.value)}`,
      );
  }
}
