/**
 * Inputs, options and results of `combine`.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import type { CommentedSection } from "../../profile/formats/write_section.ts";
import type { Policy, ReturnValue } from "../../profile/policy.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import type { Arch } from "../../tables/arch.ts";
import type { Subject } from "../../verify/core/subject.ts";
import type { LimitName, ProofLimits } from "../../verify/limits.ts";
import type { ResolvedSection } from "../resolve_profile.ts";
import type { PolicyEdit } from "./edits.ts";

/** An input to combine: a profile or a filter. */
export type CombineInput =
  | { readonly profile: ParsedProfile }
  | { readonly filter: Subject };

/** How answers are combined. */
export type CombineOperation = "intersect" | "union" | "minus";

/** Options of `combine`. */
export interface CombineOptions {
  /** How several inputs are combined; `intersect` by default. */
  readonly operation?: CombineOperation;
  /** Changes to make afterward, in order. */
  readonly edits?: readonly PolicyEdit[];
  /** True to keep the order in which the first profile names calls. */
  readonly keepOrder?: boolean;
  /**
   * True to keep conditions of Docker's format, if all inputs agree on the
   * calls that have them; otherwise they are decided for the target.
   */
  readonly keepConditions?: boolean;
  /**
   * True if only the reading of the target has to be right; versions that read
   * the result differently, or refuse it, are then listed.
   */
  readonly onlyTarget?: boolean;
  /** True to return a single profile as written if that is shorter. */
  readonly orOriginal?: boolean;
  /** Limits of the work. */
  readonly limits?: Partial<ProofLimits>;
}

/** A profile that has the meaning. */
export interface CombinedProfile {
  readonly kind: "profile";
  /** The profile in normal form, unless it is the original. */
  readonly section: CommentedSection;
  /** True for the input as written, which is shorter than the normal form. */
  readonly isOriginal?: true;
  /** The profile as text. */
  readonly text: string;
  /** Its policy under the newest crun, without what runtimes add. */
  readonly policy: Policy;
  /** Architectures of the profile, the native one first. */
  readonly arches: readonly Arch[];
  /** Versions of runtimes under which it was proved to have the meaning. */
  readonly equal: readonly Semantics[];
  /** Versions that refuse it, as they refuse an input. */
  readonly refused: readonly Semantics[];
  /** Versions that read the result differently; none unless `onlyTarget`. */
  readonly different: readonly Semantics[];
  /** The resolved inputs; absent for filters. */
  readonly inputs: readonly (ResolvedSection | undefined)[];
}

/** No profile has the meaning; a filter can. */
export interface UnsaidProfile {
  readonly kind: "unsaid";
  /** The part that no entry can express, such as `socket on x86`. */
  readonly part: string;
  /** The reason, without a final period. */
  readonly reason: string;
  /** Calls that no entries say, each with its reason. */
  readonly calls: ReadonlyMap<string, string>;
  /** A call for which the nearest profile is wrong. */
  readonly witness?: {
    readonly data: SeccompData;
    /** The combined answer. */
    readonly wanted: ReturnValue;
    /** The answer of the nearest profile. */
    readonly got: ReturnValue;
    /** The reading that gives these answers, if it is not the newest. */
    readonly semantics?: Semantics;
  };
  /**
   * Writes the meaning as a policy, from which a filter is compiled;
   * `undefined` if rules cannot express it either.
   */
  readonly toPolicy: () => Policy | undefined;
  readonly arches: readonly Arch[];
  readonly inputs: readonly (ResolvedSection | undefined)[];
}

/** A limit was reached. */
export interface UnprovedProfile {
  readonly kind: "unproved";
  readonly limit: LimitName;
}

/** Result of `combine`. */
export type Combined = CombinedProfile | UnsaidProfile | UnprovedProfile;
