/**
 * From a source word to filters: what most commands start with.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import { formatReturnValue } from "../bpf/return_value.ts";
import { type Compilation, compile } from "../compiler/compile.ts";
import type { Policy } from "../profile/policy.ts";
import { proveEquivalent } from "../verify/equivalence.ts";
import { tellDiagnostics } from "./exit.ts";
import type { SourceFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { loadSource, type ProfileSource, tellingProfile } from "./source.ts";
import { type ResolvedProfile, resolveProfile } from "./target.ts";

/** A profile with its program. */
export interface CompiledProfile {
  readonly kind: "profile";
  readonly name: string;
  readonly resolved: ResolvedProfile;
  readonly compilation: Compilation;
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
 */
export async function loadFilter(
  io: Io,
  word: string,
  flags: SourceFlags,
): Promise<Filter> {
  const source = await loadSource(io, word, flags.from);
  if (source.kind === "programs") return source;
  return await compileSource(io, source, flags);
}

/** Resolves and compiles a profile source. */
export async function compileSource(
  io: Io,
  source: ProfileSource,
  flags: SourceFlags,
): Promise<CompiledProfile> {
  const resolved = await tellingProfile(
    io,
    source.name,
    () => resolveProfile(source.profile, flags),
  );
  tellDiagnostics(
    io,
    source.name,
    resolved.diagnostics.filter((d) =>
      d.severity === "note" ? flags.verbose : !flags.quiet
    ),
  );
  if (flags.verbose) io.err(`${source.name}: for ${resolved.assumed}\n`);
  const compilation = compile(resolved.policy);
  proveOrThrow(resolved.policy, compilation.program);
  return {
    kind: "profile",
    name: source.name,
    resolved,
    compilation,
    programs: [compilation.program],
  };
}

/** Thrown where a proof ran into its limits: exit 4. */
export class UnprovenError extends Error {
  override readonly name = "UnprovenError";
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
