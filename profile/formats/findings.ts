/**
 * Collects what is found in a document, each finding with its place, so that
 * all problems of one input are reported at once.
 *
 * @module
 */

import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import type { JsonDocument, JsonSpan } from "../json/value.ts";
import { diagnosticAt } from "../text.ts";

/** Findings kept of one document; a text of a million errors stays readable. */
export const MAX_FINDINGS = 1000;

/** The findings of one document so far. */
export interface Findings {
  /** The document they are about. */
  readonly document: JsonDocument;
  /** What was found; grows. */
  readonly diagnostics: Diagnostic[];
}

/** What is said about a place. */
export interface Finding {
  /** Stable identifier in kebab-case. */
  readonly code: string;
  /** The value or key that is meant. */
  readonly at: JsonSpan;
  /** Its path. */
  readonly path: string;
  /** What was wrong and what was seen. */
  readonly message: string;
  /** What would mend it. */
  readonly fix?: string | undefined;
}

/**
 * Adds an error.
 *
 * @param findings Where to.
 * @param finding What was found.
 */
export function addError(findings: Findings, finding: Finding): void {
  add(findings, "error", finding);
}

/**
 * Adds a warning.
 *
 * @param findings Where to.
 * @param finding What was found.
 */
export function addWarning(findings: Findings, finding: Finding): void {
  add(findings, "warning", finding);
}

/**
 * Adds a note.
 *
 * @param findings Where to.
 * @param finding What was found.
 */
export function addNote(findings: Findings, finding: Finding): void {
  add(findings, "note", finding);
}

/**
 * Ends a check: sorts the findings in the order of the text.
 *
 * @param findings All findings.
 * @returns The findings, none of them an error.
 * @throws {ProfileError} if there are errors among them.
 */
export function settle(findings: Findings): readonly Diagnostic[] {
  const sorted = [...findings.diagnostics].sort((a, b) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
  if (sorted.some((d) => d.severity === "error")) {
    throw new ProfileError(sorted);
  }
  return sorted;
}

/**
 * Says whether further findings will not be shown, so that no time is spent on
 * suggestions for them.
 *
 * @param findings The findings.
 * @returns Whether there is no room left.
 */
export function isFull(findings: Findings): boolean {
  return findings.diagnostics.length >= MAX_FINDINGS;
}

/**
 * Says whether there is no use in looking for more: there are errors, and more
 * findings than are shown.
 *
 * @param findings The findings.
 * @returns Whether to stop.
 */
export function hasEnough(findings: Findings): boolean {
  return findings.diagnostics.length > MAX_FINDINGS;
}

/** Adds a finding; an error takes the place of a lesser one when there is no room. */
function add(
  findings: Findings,
  severity: Diagnostic["severity"],
  { code, at, path, message, fix }: Finding,
): void {
  const { diagnostics, document } = findings;
  const place = diagnosticAt(document.lineStarts, at.start);
  if (diagnostics.length >= MAX_FINDINGS) {
    if (
      severity !== "error" || diagnostics.at(-1)?.code === "too-many-findings"
    ) return;
    diagnostics.push({
      severity,
      code: "too-many-findings",
      path: "",
      message:
        `More errors from here on; the first ${MAX_FINDINGS} findings are shown`,
      ...place,
    });
    return;
  }
  diagnostics.push({
    severity,
    code,
    path,
    message,
    ...(fix === undefined ? {} : { fix }),
    ...place,
  });
}

/** A part of a document that is being checked. */
export interface CheckedPart<T extends JsonSpan> {
  /** Where findings go. */
  readonly findings: Findings;
  /** The value. */
  readonly value: T;
  /** Its path. */
  readonly path: string;
}

/**
 * Steps to a field whose name is one word, such as `syscalls`.
 *
 * @param part Where from.
 * @param name The key; it needs no quotes in a path.
 * @param value The value there.
 * @returns The part there.
 */
export function field<T extends JsonSpan>(
  part: CheckedPart<JsonSpan>,
  name: string,
  value: T,
): CheckedPart<T> {
  const path = part.path === "" ? name : `${part.path}.${name}`;
  return { findings: part.findings, value, path };
}

/**
 * Steps to an element.
 *
 * @param part Where from.
 * @param index Which, from 0.
 * @param value The value there.
 * @returns The part there.
 */
export function element<T extends JsonSpan>(
  part: CheckedPart<JsonSpan>,
  index: number,
  value: T,
): CheckedPart<T> {
  return { findings: part.findings, value, path: `${part.path}[${index}]` };
}
