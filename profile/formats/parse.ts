/**
 * Reads a profile in any format: Docker's, Docker's old one, an OCI seccomp
 * section, a complete `config.json`.
 *
 * ```text
 * bytes ─decodeUtf8▶ text ─readJson▶ document ─classify▶ kind ─read…▶ section
 * ```
 *
 * All problems of a document are reported in one error; if the text is not
 * JSON, reading ends at the first one.
 *
 * @module
 */

import { classify, findSection, type ProfileKind } from "./classify.ts";
import { type DockerSeccomp, readDocker } from "./docker.ts";
import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import { type CheckedPart, type Findings, settle } from "./findings.ts";
import { foreignText } from "./foreign.ts";
import { MAX_JSON_LENGTH, readJson, tooLong } from "../json/read.ts";
import type { JsonDocument, JsonObject, JsonValue } from "../json/value.ts";
import { readSeccomp } from "./oci_section.ts";
import { decodeUtf8, diagnosticAt, lineStartsOf } from "../text.ts";

/** Options of reading. */
export interface ParseOptions {
  /** The required kind; detected from the document by default. */
  readonly kind?: ProfileKind;
  /** Maximum length of the text in bytes or UTF-16 units; 16 Mi by default. */
  readonly maxLength?: number;
}

/** A parsed and checked profile, not yet for a particular host. */
export interface ParsedProfile {
  /** Kind of document. */
  readonly kind: ProfileKind;
  /** True if the kind was detected from the document. */
  readonly guessed: boolean;
  /** The document, for `locate`. */
  readonly document: JsonDocument;
  /** Path of the section: empty, or `linux.seccomp`. */
  readonly sectionPath: string;
  /**
   * The section; `undefined` if it is missing or null in a `config.json`, so
   * the container is unconfined.
   */
  readonly section: DockerSeccomp | undefined;
  /** Warnings and notes. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a profile.
 *
 * @example All problems at once, each with its place
 * ```ts
 * import { parseProfile } from "./parse.ts";
 * import { ProfileError } from "../diagnostic.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const text = `{
 *   "defaultAction": "SCMP_ACT_ALOW",
 *   "syscalls": [{ "names": ["read"], "action": "allow" }]
 * }`;
 * const error = assertThrows(() => parseProfile(text), ProfileError);
 * assertEquals(error.diagnostics.map((d) => [d.line, d.column, d.path, d.fix]), [
 *   [2, 20, "defaultAction", 'did you mean "SCMP_ACT_ALLOW"'],
 *   [3, 47, "syscalls[0].action", 'did you mean "SCMP_ACT_ALLOW"'],
 * ]);
 * ```
 *
 * @param source The profile as text, or as UTF-8.
 * @param options Options of reading.
 * @returns The profile.
 * @throws {ProfileError} if it cannot be used; it has every problem.
 */
export function parseProfile(
  source: string | Uint8Array,
  options: ParseOptions = {},
): ParsedProfile {
  const maxLength = options.maxLength ?? MAX_JSON_LENGTH;
  if (source.length > maxLength) throw tooLong(source.length, maxLength);
  const text = typeof source === "string" ? source : decodeUtf8(source);
  refuseForeign(text);
  const { document, diagnostics } = readJson(text, { maxLength });
  return readProfileDocument(document, options, diagnostics);
}

/**
 * Reads a profile from a document: JSON, or any other format with the same
 * values.
 *
 * @param document The document.
 * @param options Options of reading.
 * @param diagnostics Findings of the reader of the document.
 * @returns The profile.
 * @throws {ProfileError} if it cannot be used; it has every problem.
 */
export function readProfileDocument(
  document: JsonDocument,
  options: Pick<ParseOptions, "kind"> = {},
  diagnostics: readonly Diagnostic[] = [],
): ParsedProfile {
  const findings: Findings = { document, diagnostics: [...diagnostics] };
  const root: CheckedPart<JsonValue> = {
    findings,
    value: document.root,
    path: "",
  };
  const classified = classify(root, options.kind);
  if (classified === undefined) {
    settle(findings);
    throw new Error(
      "Unreachable: classify() answers undefined after an error only",
    );
  }
  const { kind, object } = classified;
  const part = kind === "config" ? findSection(object) : object;
  const section = part && readSection(part, kind);
  return {
    kind,
    guessed: options.kind === undefined,
    document,
    sectionPath: kind === "config" ? "linux.seccomp" : "",
    section,
    diagnostics: settle(findings),
  };
}

/** Reads a section of a known kind. */
function readSection(
  part: CheckedPart<JsonObject>,
  kind: ProfileKind,
): DockerSeccomp {
  switch (kind) {
    case "docker":
    case "docker-legacy":
    case "podman":
      return readDocker(part);
    case "oci":
    case "config":
      return readSeccomp(part, "oci");
  }
}

/** Names another tool's format before its text is reported as bad JSON. */
function refuseForeign(text: string): void {
  const foreign = foreignText(text);
  if (foreign === undefined) return;
  const start = text.length - text.replace(/^[\s\ufeff]+/, "").length;
  throw new ProfileError([{
    severity: "error",
    path: "",
    ...foreign,
    ...diagnosticAt(lineStartsOf(text), start),
  }]);
}
