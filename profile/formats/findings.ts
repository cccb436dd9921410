/**
 * Collects the findings in a document with their positions, so that all
 * problems of one input are reported at once.
 *
 * @module
 */

import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import type { JsonDocument, JsonSpan } from "../json/value.ts";
import { diagnosticAt } from "../text.ts";

/**
 * Maximum number of findings for one document; the output stays readable even
 * for a million errors.
 */
export const MAX_FINDINGS = 1000;

/** The findings of one document so far. */
export interface Findings {
  /** Their document. */
  readonly document: JsonDocument;
  /** The findings; this list grows. */
  readonly diagnostics: Diagnostic[];
}

/** A finding about one position. */
export interface Finding {
  /** Stable identifier in kebab-case. */
  readonly code: string;
  /** The value or key that it concerns. */
  readonly at: JsonSpan;
  /** Its path. */
  readonly path: string;
  /** The problem and what was seen. */
  readonly message: string;
  /** Remedy. */
  readonly fix?: string | undefined;
}

/**
 * Adds an error.
 *
 * @param findings The list to extend.
 * @param finding The error.
 */
export function addError(findings: Findings, finding: Finding): void {
  add(findings, "error", finding);
}

/**
 * Adds a warning.
 *
 * @param findings The list to extend.
 * @param finding The warning.
 */
export function addWarning(findings: Findings, finding: Finding): void {
  add(findings, "warning", finding);
}

/**
 * Adds a note.
 *
 * @param findings The list to extend.
 * @param finding The note.
 */
export function addNote(findings: Findings, finding: Finding): void {
  add(findings, "note", finding);
}

/**
 * Ends a check: sorts the findings in the order of the text.
 *
 * @param findings All findings.
 * @returns The findings, none of which is an error.
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
 * Reports whether further findings will not be shown, so that no time is spent
 * on suggestions for them.
 *
 * @param findings The findings.
 * @returns True if the maximum is reached.
 */
export function isFull(findings: Findings): boolean {
  return findings.diagnostics.length >= MAX_FINDINGS;
}

/**
 * Reports whether further checks are useless: there are errors, and more
 * findings than are shown.
 *
 * @param findings The findings.
 * @returns True if the check should stop.
 */
export function hasEnough(findings: Findings): boolean {
  return findings.diagnostics.length > MAX_FINDINGS;
}

/** Adds a finding; if there is no room, an error replaces a less severe one. */
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
        `More errors follow; only the first ${MAX_FINDINGS} findings are shown`,
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
  /** The list to which findings are added. */
  readonly findings: Findings;
  /** The value. */
  readonly value: T;
  /** Its path. */
  readonly path: string;
}

/**
 * Moves to a field whose name is one word, such as `syscalls`.
 *
 * @param part The parent.
 * @param name The key; it needs no quotes in a path.
 * @param value The value of the field.
 * @returns The part of the field.
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
 * Moves to an element.
 *
 * @param part The array.
 * @param index Index of the element, from 0.
 * @param value The element.
 * @returns The part of the element.
 */
export function element<T extends JsonSpan>(
  part: CheckedPart<JsonSpan>,
  index: number,
  value: T,
): CheckedPart<T> {
  return { findings: part.findings, value, path: `${part.path}[${index}]` };
}
