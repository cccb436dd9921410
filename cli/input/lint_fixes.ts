/**
 * Applies the fixes of `lint` to the text of a profile, and reads known
 * findings.
 *
 * @module
 */

import type { PatchStep } from "../../profile/json/patch.ts";
import { applyPatch } from "../../profile/json/patch.ts";
import { parseJson } from "../../profile/json/read.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { findMember } from "../../profile/json/value.ts";
import { valueAt } from "../../profile/json/path.ts";
import type { LintFinding, LintReport } from "../../lint/finding.ts";
import { decodeUtf8 } from "../../profile/text.ts";
import { tellDiagnostics } from "../exit.ts";
import { InputError, ReportedError } from "../error.ts";
import { inputName, type Io, readInput } from "../io.ts";

/** Result of fixing a text. */
export interface FixedText {
  readonly text: string;
  /** The findings that were fixed, in order. */
  readonly fixed: readonly LintFinding[];
  /** The findings about the new text. */
  readonly report: LintReport;
}

/** Maximum number of rounds, because a fix can make another one possible. */
const MOST_ROUNDS = 12;

/**
 * Applies the chosen fixes until none is left.
 *
 * @param given The text of a profile in JSON.
 * @param lint Finds what is wrong with a profile.
 * @param isWanted Chooses the findings to fix.
 */
export function fixText(
  given: string,
  lint: (profile: ParsedProfile) => LintReport,
  isWanted: (finding: LintFinding) => boolean,
): FixedText {
  let text = given;
  const fixed: LintFinding[] = [];
  let report = lint(parseProfile(text));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const chosen = choose(report.findings.filter(isWanted));
    if (chosen.length === 0) break;
    for (const { fix } of chosen) text = applyPatch(text, fix?.patch ?? []);
    fixed.push(...chosen.toReversed());
    report = lint(parseProfile(text));
  }
  return { text, fixed, report };
}

/**
 * Chooses fixes that do not interfere with one another, from the end of the
 * text to its beginning, so that a removal does not move earlier places. A fix
 * that changes the policy is chosen alone.
 */
function choose(findings: readonly LintFinding[]): readonly LintFinding[] {
  const fixable = findings.filter(({ fix }) => fix !== undefined);
  const [changing] = fixable.filter(({ fix }) => fix?.effect === "changes");
  const equal = fixable.filter(({ fix }) => fix?.effect === "equal")
    .toSorted((a, b) => compareSteps(lastOf(b), lastOf(a)));
  if (equal.length === 0) return changing === undefined ? [] : [changing];
  const taken: string[] = [];
  return equal.filter(({ fix }) => {
    const places = (fix?.patch ?? []).map(({ path }) => path);
    const isFree = places.every((path) =>
      taken.every((other) => !overlaps(path, other))
    );
    if (isFree) taken.push(...places);
    return isFree;
  });
}

function lastOf({ fix }: LintFinding): string {
  return fix?.patch.at(-1)?.path ?? "";
}

function overlaps(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}

/** Compares pointers; indexes as numbers. */
function compareSteps(a: string, b: string): number {
  const [ours, theirs] = [a.split("/"), b.split("/")];
  const i = ours.findIndex((step, at) => step !== theirs[at]);
  if (i < 0) return ours.length - theirs.length;
  const [x = "", y = ""] = [ours[i], theirs[i]];
  return /^\d+$/.test(x) && /^\d+$/.test(y)
    ? Number(x) - Number(y)
    : x < y
    ? -1
    : 1;
}

/** Writes a patch as data for JSON; integers of any size stay exact. */
export function jsonOfPatch(
  patch: readonly PatchStep[],
): readonly unknown[] {
  const raw = JSON as typeof JSON & {
    readonly rawJSON: (text: string) => unknown;
  };
  const plain = (value: unknown): unknown => {
    if (typeof value === "bigint") return raw.rawJSON(String(value));
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, plain(item)]),
    );
  };
  return patch.map(plain);
}

/**
 * Reads the findings that are known: a report of `lint -o json`.
 *
 * @param io Streams.
 * @param file The file.
 * @returns Number of findings per fingerprint.
 */
export async function readBaseline(
  io: Io,
  file: string,
): Promise<ReadonlyMap<string, number>> {
  const place = inputName(file);
  const counts = new Map<string, number>();
  let known;
  try {
    const document = parseJson(decodeUtf8(await readInput(io, file)));
    known = valueAt(document, "findings");
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    tellDiagnostics(io, place, error.diagnostics);
    throw new ReportedError("baseline", { cause: error });
  }
  if (known?.kind !== "array") {
    throw new InputError(
      "Cannot read the baseline: it has no findings; give what lint -o json prints",
      { place },
    );
  }
  for (const finding of known.items) {
    const print = finding.kind === "object"
      ? findMember(finding, "fingerprint")
      : undefined;
    if (print?.kind !== "string") {
      throw new InputError(
        "Cannot read the baseline: a finding has no fingerprint; give what lint -o json prints",
        { place },
      );
    }
    counts.set(print.value, (counts.get(print.value) ?? 0) + 1);
  }
  return counts;
}

/**
 * Splits findings into new and known ones.
 *
 * @param findings All of them.
 * @param known Number of known findings per fingerprint.
 */
export function splitKnown(
  findings: readonly LintFinding[],
  known: ReadonlyMap<string, number>,
): { readonly fresh: readonly LintFinding[]; readonly known: number } {
  const left = new Map(known);
  const fresh = findings.filter(({ fingerprint }) => {
    const count = left.get(fingerprint) ?? 0;
    if (count > 0) left.set(fingerprint, count - 1);
    return count === 0;
  });
  return { fresh, known: findings.length - fresh.length };
}
