/**
 * Reads a section as its runtime would.
 *
 * @module
 */

import { resolveParsed } from "../pipeline/resolve_profile.ts";
import { type Diagnostic, ProfileError } from "../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../profile/formats/oci.ts";
import { parseProfile, readProfileDocument } from "../profile/formats/parse.ts";
import type { Policy } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import type { Environment } from "./environment.ts";
import { RefusedError } from "./error.ts";
import { firstOf, type ObjectDocument } from "./rewrite.ts";

/** Reason to leave a section to the filter that its runtime makes. */
export type NotOptimizable =
  | "notify"
  | "refused"
  | "too-large"
  | "architecture"
  | "names"
  | "unknown-names"
  | "deadline"
  | "failed-proof"
  | "reference"
  | "unproven";

/** A section that is left to its runtime. */
export interface LeftSection {
  readonly kind: "not-optimizable";
  readonly reason: NotOptimizable;
  /** Observation, without a final period. */
  readonly detail: string;
}

/** A parsed section. */
export interface ReadSection {
  /** The section exactly as written. */
  readonly text: string;
  /** Its content. */
  readonly seccomp: LinuxSeccomp;
  /** Its architectures, the native one first. */
  readonly arches: readonly Arch[];
  /** Its meaning. */
  readonly policy: Policy;
  /** Warnings. */
  readonly warnings: readonly Diagnostic[];
}

/** Result of reading a section. */
export type SectionReading =
  | { readonly kind: "section"; readonly section: ReadSection }
  | LeftSection;

/** Codes of errors that the runtime itself reports. */
const LEFT_TO_RUNTIME: ReadonlySet<string> = new Set([
  "unsupported-architecture",
  "byte-order",
  "runtime-refuses",
]);

/**
 * Reads a section and resolves it as the runtime would.
 *
 * @param text The section exactly as written.
 * @param environment Machine, semantics, names.
 * @param document The section as it was parsed with its configuration, to
 * which positions refer; the text is parsed if it is absent.
 * @returns The section, or the reason to leave it to its runtime: it lists an
 * architecture without a table, or something that this runtime refuses.
 * @throws {RefusedError} `bad-config` if a runtime would enforce something
 * different from what is written.
 */
export function readSection(
  text: string,
  environment: Environment,
  document?: ObjectDocument,
): SectionReading {
  const { native, semantics, names } = environment;
  try {
    const profile = document === undefined
      ? parseProfile(text, { kind: "oci" })
      : readProfileDocument(document, { kind: "oci" });
    const { seccomp, arches, policy, diagnostics } = resolveParsed(profile, {
      arch: native.name,
      semantics,
      unknown: "warn",
      ...(names.knows === undefined ? {} : { knows: names.knows }),
    });
    const warnings = diagnostics.filter((d) => d.severity === "warning");
    return {
      kind: "section",
      section: { text, seccomp, arches, policy, warnings },
    };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const errors = error.diagnostics.filter((d) => d.severity === "error");
    const detail = firstOf(error, "linux.seccomp");
    if (errors.every((d) => d.code === "unsupported-architecture")) {
      return { kind: "not-optimizable", reason: "architecture", detail };
    }
    // The runtime itself refuses it; libseccomp reports EDOM if byte orders
    // differ. Another runtime that only shares these semantics may run it.
    if (errors.every((d) => LEFT_TO_RUNTIME.has(d.code))) {
      return { kind: "not-optimizable", reason: "refused", detail };
    }
    throw new RefusedError(
      "bad-config",
      `Cannot use the configuration: ${detail}`,
      { cause: error },
    );
  }
}
