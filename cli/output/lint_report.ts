/**
 * Reports of `lint`: text, JSON, and annotations of GitHub.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { LintFinding } from "../../lint/finding.ts";
import { printable } from "../../tables/printable.ts";
import { describeCall, jsonOfCall, jsonOfValue } from "../input/call.ts";
import { jsonOfPatch } from "../input/lint_fixes.ts";
import type { Io } from "../io.ts";
import { messageLine } from "../exit.ts";
import { reportJson } from "./json.ts";
import { type GivenSource, simulateCommand } from "./reproduce.ts";

/** Forms of a report. */
export const LINT_FORMS = ["text", "json", "sarif", "github"] as const;

/** A form of a report. */
export type LintForm = typeof LINT_FORMS[number];

/** Contents of a report. */
export interface LintOutcome {
  /** Name of the source. */
  readonly source: string;
  /** The source as given, for commands that reproduce answers. */
  readonly given: GivenSource;
  /** The use of the policy. */
  readonly context: string;
  /** The findings at the wanted level. */
  readonly findings: readonly LintFinding[];
  /** Number of findings below the level. */
  readonly below: number;
  /** Number of findings in the baseline. */
  readonly known: number;
  /** The findings that were fixed. */
  readonly fixed: readonly LintFinding[];
  /** Questions that remained undecided. */
  readonly open: readonly string[];
  /** True if the fixes can be written to the source. */
  readonly canFix: boolean;
  /** Text of the profile, if it is JSON. */
  readonly text?: string;
  /** Number of filters. */
  readonly filters?: number;
}

/** Writes the place of a finding: `file:line:column`, or an instruction. */
export function placeText(
  source: string,
  { line, column, filter, instruction }: LintFinding,
  filters = 1,
): string {
  const name = filters > 1 ? `${source}#${filter ?? 0}` : source;
  if (line !== undefined) return `${source}:${line}:${column ?? 1}`;
  return instruction === undefined ? name : `${name}:${instruction}`;
}

/** Writes a report for people. */
export function lintText(io: Io, outcome: LintOutcome): string {
  const { source, findings, fixed, open, filters } = outcome;
  const lines: string[] = fixed.map(({ id, path, fix }) =>
    `fixed ${path}: ${fix?.text} [${id}]\n`
  );
  for (const finding of findings) {
    const { id, severity, message, path, instruction } = finding;
    const at = path === ""
      ? instruction === undefined ? "" : `instruction ${instruction}: `
      : `${path}: `;
    lines.push(
      messageLine(
        { ...io, color: io.outColor },
        severity,
        `${at}${message} [${id}]`,
        placeText(source, finding, filters),
      ),
      ...evidence(finding, outcome),
    );
  }
  lines.push(`${summary(outcome)}\n`);
  for (const what of open) lines.push(`not decided: ${printable(what)}\n`);
  return lines.join("");
}

function evidence(
  { witnesses, proof, fix }: LintFinding,
  { given, canFix }: LintOutcome,
): readonly string[] {
  const lines = witnesses.slice(0, MOST_WITNESSES).flatMap((
    { data, value },
  ) => [
    `  ${describeCall(data)} gets ${formatReturnValue(value, data.arch)}`,
    `    ${simulateCommand(given, data)}`,
  ]);
  if (proof !== undefined) lines.push(`  proof: ${proof}`);
  if (fix !== undefined) {
    const option = fix.effect === "equal" ? "--fix" : "--fix-all";
    lines.push(
      `  fix: ${fix.text}${canFix ? ` (${option})` : ""}${
        fix.effect === "equal" ? "; equal" : "; changes the policy"
      }`,
    );
  }
  return lines.map((line) => `${printable(line)}\n`);
}

/** Maximum number of calls to print for a finding. */
const MOST_WITNESSES = 3;

function summary(
  { findings, below, known, open }: LintOutcome,
): string {
  const count = (severity: string): number =>
    findings.filter((one) => one.severity === severity).length;
  const parts = (["error", "warning", "note"] as const).flatMap((severity) => {
    const n = count(severity);
    return n === 0 ? [] : [`${n} ${severity}${n === 1 ? "" : "s"}`];
  });
  const more = [
    ...below === 0 ? [] : [`${below} below the level`],
    ...known === 0 ? [] : [`${known} in the baseline`],
  ];
  const first = parts.length > 0
    ? parts.join(", ")
    : open.length > 0
    ? "no findings so far"
    : "no findings";
  return more.length === 0 ? first : `${first} (${more.join(", ")})`;
}

/** Writes a report for machines. */
export function lintJson(outcome: LintOutcome): string {
  const { source, context, findings, below, known, fixed, open } = outcome;
  return reportJson({
    source,
    context,
    state: open.length > 0
      ? "not-whole"
      : findings.length > 0
      ? "findings"
      : "clean",
    findings: findings.map((finding) => jsonOfFinding(finding, outcome)),
    below,
    known,
    fixed: fixed.map(({ id, path, fix, fingerprint }) => ({
      id,
      path,
      text: fix?.text,
      effect: fix?.effect,
      fingerprint,
    })),
    open,
  });
}

function jsonOfFinding(
  finding: LintFinding,
  { given, source, filters }: LintOutcome,
): Readonly<Record<string, unknown>> {
  const { id, severity, message, path, line, column } = finding;
  const { witnesses, proof, fix, fingerprint, filter, instruction } = finding;
  return {
    id,
    severity,
    message,
    place: placeText(source, finding, filters),
    ...path === "" ? {} : { path },
    ...line === undefined ? {} : { line, column },
    ...instruction === undefined ? {} : { filter, instruction },
    witnesses: witnesses.map(({ data, value }) => ({
      ...jsonOfCall(data),
      ...jsonOfValue(value, data.arch),
      simulate: simulateCommand(given, data),
    })),
    ...proof === undefined ? {} : { proof },
    ...fix === undefined ? {} : {
      fix: {
        effect: fix.effect,
        text: fix.text,
        patch: jsonOfPatch(fix.patch),
      },
    },
    fingerprint,
  };
}

/** Writes annotations for a workflow of GitHub Actions. */
export function lintGithub(outcome: LintOutcome): string {
  const { findings, open, source } = outcome;
  const kinds = { error: "error", warning: "warning", note: "notice" } as const;
  const lines = findings.map((finding) => {
    const { severity, line, column, id, message } = finding;
    const place = line === undefined
      ? `file=${property(source)}`
      : `file=${property(source)},line=${line},col=${column ?? 1}`;
    const text = [message, ...evidence(finding, outcome)].map((part) =>
      escaped(printable(part.trimEnd()))
    ).join("%0A");
    return `::${kinds[severity]} ${place},title=${property(id)}::${text}\n`;
  });
  const more = open.map((what) =>
    `::warning title=lint::Not decided: ${escaped(printable(what))}\n`
  );
  return [...lines, ...more].join("");
}

/** Escapes a message of a workflow command. */
function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A");
}

/** Escapes a property of a workflow command. */
function property(text: string): string {
  return escaped(printable(text)).replaceAll(":", "%3A")
    .replaceAll(",", "%2C");
}
