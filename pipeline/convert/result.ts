/**
 * Inputs, options and results of `convert`.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { CommentedSection } from "../../profile/formats/write_section.ts";
import type { Policy, ReturnValue } from "../../profile/policy.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import type { Arch } from "../../tables/arch.ts";
import type { LimitName, ProofLimits } from "../../verify/limits.ts";
import type { ResolvedSection } from "../resolve_profile.ts";

/** Formats that are written. */
export const CONVERT_FORMATS = [
  "docker",
  "oci",
  "config",
  "spo",
  "k8s",
  "podman",
  "systemd",
  "firecracker",
  "minijail",
  "bwrap",
] as const;

/** A format that is written. */
export type ConvertFormat = typeof CONVERT_FORMATS[number];

/** Formats that are a profile, as crun and runc read it. */
export const SECTION_FORMATS: ReadonlySet<ConvertFormat> = new Set([
  ...["docker", "oci", "config", "spo", "k8s", "podman"] as const,
]);

/**
 * Effect of a loss: `stricter` if the result denies what the source permits,
 * `looser` if it permits more, `other` if both deny in different ways.
 */
export type LossEffect = "stricter" | "looser" | "other";

/** Something that the format cannot say. */
export interface Loss {
  /** The part, such as `socket, clone on x86_64`, or a field. */
  readonly part: string;
  /** Names of the calls; none if the part is something else. */
  readonly calls: readonly string[];
  /** Architectures of the calls. */
  readonly arches: readonly string[];
  /** The reason, without a final period. */
  readonly reason: string;
  readonly effect: LossEffect;
  /** A call with both answers; absent for a field that no call shows. */
  readonly witness?: {
    readonly data: SeccompData;
    /** The answer of the source. */
    readonly wanted: ReturnValue;
    /** The answer of the result. */
    readonly got: ReturnValue;
  };
}

/** Options of `convert`. */
export interface ConvertOptions {
  readonly format: ConvertFormat;
  /**
   * Architectures, the native one first, to which a filter is restricted; by
   * default all that it serves. A profile is resolved for its target.
   */
  readonly arches?: readonly Arch[];
  /** Names of thread categories in a file of Firecracker. */
  readonly categories?: readonly string[];
  /**
   * True to keep the conditions of a profile in Docker's format in the same
   * format.
   */
  readonly keepConditions?: boolean;
  /** Limits of the work. */
  readonly limits?: Partial<ProofLimits>;
}

/** A policy in another format. */
export interface Converted {
  readonly kind: "converted";
  /** The text; absent for a raw filter, which is compiled from `policy`. */
  readonly text?: string;
  /** The profile, if the format is one. */
  readonly section?: CommentedSection;
  /** The meaning of the result, read back from its text. */
  readonly policy: Policy;
  /** Architectures of the source, the native one first. */
  readonly arches: readonly Arch[];
  /** Everything in which the result differs on these architectures. */
  readonly losses: readonly Loss[];
  /**
   * Differences that are no losses: other denials on architectures that are not
   * listed, and all of inputs that no call of the machine has.
   */
  readonly elsewhere: readonly Loss[];
  /** Versions of runtimes under which a profile was proved to have its meaning. */
  readonly equalUnder?: readonly Semantics[];
  /** Versions of runtimes that refuse the profile: no container starts. */
  readonly refusedBy?: readonly Semantics[];
  /** Versions that read the profile differently. */
  readonly differentUnder?: readonly Semantics[];
  /** The source as it was resolved, if it is a profile. */
  readonly resolved?: ResolvedSection;
}

/** The format has no result at all. */
export interface Unconvertible {
  readonly kind: "unconvertible";
  readonly reason: string;
  readonly resolved?: ResolvedSection;
}

/** A limit was reached. */
export interface UnprovedConversion {
  readonly kind: "unproved";
  readonly limit: LimitName;
}

/** Result of `convert`. */
export type Conversion = Converted | Unconvertible | UnprovedConversion;
