/**
 * The filters to compare: one-instruction allow, those that the host's
 * libseccomp builds for crun (linear) and runc (tree), and ours for each
 * objective.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { measure } from "../../measure/measure.ts";
import { referenceProgram } from "../../hook/reference.ts";
import { walkOf } from "../../measure/walk.ts";
import { OBJECTIVES } from "../../tables/objectives.ts";
import type { FilterSpec, Libseccomp } from "../../ffi/libseccomp.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import type { Policy } from "../../profile/policy.ts";
import type { Arch } from "../../tables/arch.ts";
import { SECCOMP_RET_ALLOW } from "../../tables/uapi.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { VariantRow } from "../report.ts";
import { provedFilter } from "./inputs.ts";

/** The subject of a benchmark: a resolved profile. */
export interface BenchSubject {
  /** The source word. */
  readonly name: string;
  readonly policy: Policy;
  readonly seccomp: LinuxSeccomp;
  /** Native one first. */
  readonly arches: readonly Arch[];
}

/** A filter with a name. */
export interface Variant {
  readonly name: string;
  readonly program: Program;
  readonly bytes: Uint8Array;
}

/** Calls without a filter. */
export const NONE = "no filter";
/** One instruction. */
export const ALLOW = "one-instruction allow";
/** `SCMP_FLTATR_CTL_OPTIMIZE` 1. */
export const LINEAR = "libseccomp linear";
/** `SCMP_FLTATR_CTL_OPTIMIZE` 2. */
export const TREE = "libseccomp tree";
/** Ours without an explicit objective: the one that `compile` writes. */
export const OURS = "seccomp-tree";

/**
 * `ld [16]`: the low word of the first argument, at which the cache emulator
 * gives up.
 */
const LEADING_LOAD: Program[number] = { op: "ld.abs", k: 16, jt: 0, jf: 0 };

/** Names a program. */
export function variantOf(name: string, program: Program): Variant {
  return { name, program, bytes: encode(program) };
}

/** The one-instruction filter. */
export function allowVariant(): Variant {
  return variantOf(ALLOW, [
    { op: "ret.k", k: SECCOMP_RET_ALLOW, jt: 0, jf: 0 },
  ]);
}

/**
 * Builds all filters of a profile. Objectives that give the same bytes are one.
 *
 * @param subject The profile.
 * @param library The host's libseccomp, if there is one.
 */
export function variantsOf(
  { policy, seccomp, arches }: BenchSubject,
  library: Libseccomp | undefined,
): readonly Variant[] {
  const variants = [allowVariant()];
  if (library !== undefined) {
    for (const [optimize, name] of [[1, LINEAR], [2, TREE]] as const) {
      const program = referenceProgram(library, seccomp, arches, optimize);
      if (program !== undefined) variants.push(variantOf(name, program));
    }
  }
  const seen = new Set<string>();
  for (const objective of OBJECTIVES) {
    const { program, bytes } = provedFilter(policy, { objective });
    if (seen.has(bytes.toHex())) continue;
    seen.add(bytes.toHex());
    const name = objective === "balanced" ? OURS : `${OURS}, ${objective}`;
    variants.push({ name, program, bytes });
  }
  return variants;
}

/** Disables the allow cache for a filter, at the cost of one load. */
export function withoutCache({ name, program }: Variant): Variant {
  return variantOf(name, [LEADING_LOAD, ...program]);
}

/**
 * Records the input of the library, to repeat the call for timing.
 *
 * @param library The library.
 * @param subject The profile.
 * @param optimize 1 for the list, 2 for the binary tree.
 */
export function specOf(
  library: Libseccomp,
  { seccomp, arches }: BenchSubject,
  optimize: 1 | 2,
): FilterSpec | undefined {
  let spec: FilterSpec | undefined;
  referenceProgram(
    {
      ...library,
      exportFilter: (asked) => {
        spec = asked;
        return { kind: "failed", reason: "size", detail: "only asked" };
      },
    },
    seccomp,
    arches,
    optimize,
  );
  return spec;
}

/**
 * Counts the properties of a filter.
 *
 * @param variant The filter.
 * @param subject The profile to which it should be equal.
 */
export function describeVariant(
  { name, program }: Variant,
  { policy, arches }: BenchSubject,
): VariantRow {
  const [native] = measure(program, arches).arches;
  const proof = proveEquivalent(program, policy);
  return {
    variant: name,
    instructions: program.length,
    meanSteps: native?.mean ?? 0,
    worstSteps: native?.worst ?? 0,
    cached: native?.cached ?? 0,
    walked: walkOf(program, arches),
    equal: proof.kind === "equal",
  };
}
