/**
 * Findings about a profile or a filter, each with its evidence: calls whose
 * answers demonstrate it, or a proof that a change has no effect.
 *
 * @module
 */

import type { SeccompData } from "../bpf/seccomp_data.ts";
import type { Assumed } from "../pipeline/resolve_profile.ts";
import type { PatchStep } from "../profile/json/patch.ts";
import type { ReturnValue } from "../profile/policy.ts";
import type { LintId, LintLevel } from "./catalog.ts";

/** A call and its answer, which `simulate` reproduces. */
export interface LintWitness {
  /** The call. */
  readonly data: SeccompData;
  /** Its answer. */
  readonly value: ReturnValue;
}

/** A change that removes a finding. */
export interface LintFix {
  /**
   * `equal`: proved to change no answer; `changes`: it changes the policy, as
   * its text says.
   */
  readonly effect: "equal" | "changes";
  /** The change in words. */
  readonly text: string;
  /** The change as a JSON patch (RFC 6902) of the document. */
  readonly patch: readonly PatchStep[];
}

/** The place of a finding. */
export interface LintPlace {
  /** Path in the document, such as `syscalls[3]`; empty for a filter. */
  readonly path: string;
  /** Line in the text, from 1. */
  readonly line?: number;
  /** Column in the text, from 1, in UTF-16 units. */
  readonly column?: number;
  /** Index of the filter in a stack. */
  readonly filter?: number;
  /** Index of the instruction. */
  readonly instruction?: number;
}

/** One finding. */
export interface LintFinding extends LintPlace {
  /** Stable identifier in kebab-case. */
  readonly id: LintId;
  /** How severe it is in the context. */
  readonly severity: LintLevel;
  /** The problem and what was seen, without a final period. */
  readonly message: string;
  /** Calls that demonstrate it; empty if there is a proof. */
  readonly witnesses: readonly LintWitness[];
  /** The proof, or the refusal; absent if there are calls. */
  readonly proof?: string;
  /** A change that resolves it. */
  readonly fix?: LintFix;
  /**
   * Identifies the same finding in another version of the source; it contains
   * no places or indexes.
   */
  readonly fingerprint: string;
}

/** The report of a check; the severity and the place are added later. */
export interface FindingDraft {
  readonly id: LintId;
  readonly message: string;
  /** Path in the profile's section, or the call whose answer shows it. */
  readonly at: string | SeccompData | InstructionPlace;
  /** Its subject, for the fingerprint. */
  readonly about: string;
  readonly witnesses?: readonly SeccompData[];
  readonly proof?: string;
  /** Paths in the fix are pointers within the section. */
  readonly fix?: LintFix;
  /** Severity, if it differs from the catalog's. */
  readonly severity?: LintLevel;
}

/** An instruction of a filter. */
export interface InstructionPlace {
  readonly filter: number;
  readonly instruction: number;
}

/** Result of a check. */
export interface LintReport {
  /** The findings, in the order of the source. */
  readonly findings: readonly LintFinding[];
  /** Questions that were not decided; empty if all were. */
  readonly open: readonly string[];
  /** The target that was assumed for a profile. */
  readonly assumed?: Assumed;
}
