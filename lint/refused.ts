/**
 * Findings about profiles that a runtime refuses, and places in a profile.
 *
 * @module
 */

import type { Diagnostic, ProfileError } from "../profile/diagnostic.ts";
import type { ParsedProfile } from "../profile/formats/parse.ts";
import { locate } from "../profile/json/path.ts";
import { type LintContext, type LintId, lintLevelOf } from "./catalog.ts";
import type { LintFinding, LintPlace, LintReport } from "./finding.ts";

/** Codes of refusals by the reader, as findings. */
const REFUSALS: Readonly<Record<string, LintId>> = {
  "conflicting-rules": "conflicting-rules",
  "errno-range": "errno-out-of-range",
  "errno-too-large": "errno-out-of-range",
};

/** Codes of refused texts that are findings. */
const READ_REFUSALS: readonly string[] = ["errno-too-large"];

/** Codes that make a profile undecidable. */
const UNDECIDED: readonly string[] = ["unconfined", "kernel-unknown"];

/** The context, and findings to ignore. */
interface RefusalOptions {
  readonly context: LintContext;
  readonly disabled?: ReadonlySet<LintId>;
}

/**
 * Reports refusals: if no container starts with a profile, it has no answers to
 * check.
 *
 * @throws {ProfileError} if the profile cannot be decided for the target.
 *
 * @param profile The profile.
 * @param error The refusals.
 * @param options Context, and findings to ignore.
 */
export function refusedProfile(
  profile: ParsedProfile,
  error: ProfileError,
  options: RefusalOptions,
): LintReport {
  const errors = errorsOf(error);
  if (errors.some(({ code }) => UNDECIDED.includes(code))) throw error;
  return reportOf(
    errors,
    "runtime",
    options,
    ({ path }) => placeIn(profile, path),
  );
}

/**
 * Reports whether everything that the reader refuses in a text is a finding.
 *
 * @param error The refusals.
 */
export function isRefusedText(error: ProfileError): boolean {
  return errorsOf(error).every(({ code }) => READ_REFUSALS.includes(code));
}

/**
 * Reports refusals of a text that the reader refuses.
 *
 * @param error The refusals: `isRefusedText()`.
 * @param options Context, and findings to ignore.
 */
export function refusedText(
  error: ProfileError,
  options: RefusalOptions,
): LintReport {
  return reportOf(
    errorsOf(error),
    "reader",
    options,
    ({ path, line, column }) => ({
      path,
      line: line ?? 1,
      column: column ?? 1,
    }),
  );
}

function errorsOf({ diagnostics }: ProfileError): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "error");
}

function reportOf(
  errors: readonly Diagnostic[],
  by: "reader" | "runtime",
  { context, disabled }: RefusalOptions,
  placeOf: (diagnostic: Diagnostic) => LintPlace,
): LintReport {
  const seen = new Set<string>();
  const findings = errors.flatMap((diagnostic): readonly LintFinding[] => {
    const id = REFUSALS[diagnostic.code] ?? "refused-by-runtime";
    const severity = lintLevelOf(id, context);
    const key = `${id} ${diagnostic.path}`;
    if (severity === "off" || disabled?.has(id) === true) return [];
    if (seen.has(key)) return [];
    seen.add(key);
    const { message, fix } = diagnostic;
    return [{
      id,
      severity,
      ...placeOf(diagnostic),
      message: fix === undefined ? message : `${message}; ${fix}`,
      witnesses: [],
      proof: `the ${by} refuses the profile`,
      fingerprint: `${id}: ${withoutIndexes(message)}`,
    }];
  });
  return {
    findings,
    open: [`the rest: a profile that the ${by} refuses has no answers`],
  };
}

function withoutIndexes(text: string): string {
  return text.replace(/\[\d+\]/g, "");
}

/** The place of a path in the section, or in the document. */
export function placeIn(profile: ParsedProfile, path: string): LintPlace {
  const { sectionPath, document } = profile;
  const whole = sectionPath === "" || path.startsWith(`${sectionPath}.`)
    ? path
    : `${sectionPath}.${path}`;
  // For something absent, such as a list of architectures, finds the nearest
  // place that exists.
  for (let at = whole; at !== ""; at = at.replace(/(?:^|\.|\[)[^.[]*$/, "")) {
    const place = locate(document, at);
    if (place !== undefined) {
      return { path: whole, line: place.line, column: place.column };
    }
  }
  const root = locate(document, "");
  return { path: whole, line: root?.line ?? 1, column: root?.column ?? 1 };
}
