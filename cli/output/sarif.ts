/**
 * Findings as SARIF 2.1.0, the format that code hosts read for static analysis
 * results (OASIS, sarif-v2.1.0-os).
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import { LINTS } from "../../lint/catalog.ts";
import type { LintFinding } from "../../lint/finding.ts";
import { applyPatch } from "../../profile/json/patch.ts";
import { printable } from "../../tables/printable.ts";
import { describeCall } from "../input/call.ts";
import { NAME } from "../command.ts";
import type { LintOutcome } from "./lint_report.ts";

/** A JSON object. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Writes findings as one run of SARIF.
 *
 * @param outcome The findings and their source.
 * @param version Version of this program.
 */
export function sarifReport(outcome: LintOutcome, version: string): string {
  const { findings, open, source } = outcome;
  const ids = [...new Set(findings.map(({ id }) => id))].sort();
  const run = {
    tool: {
      driver: {
        name: NAME,
        semanticVersion: version,
        rules: ids.map((id) => ({
          id,
          shortDescription: { text: LINTS[id].brief },
          helpUri: HELP,
        })),
      },
    },
    columnKind: "utf16CodeUnits",
    artifacts: [{ location: { uri: uriOf(source) } }],
    invocations: [{
      executionSuccessful: open.length === 0,
      ...open.length === 0 ? {} : {
        toolExecutionNotifications: open.map((what) => ({
          level: "warning",
          message: { text: `Not decided: ${printable(what)}` },
        })),
      },
    }],
    results: findings.map((finding) =>
      resultOf(finding, outcome, ids.indexOf(finding.id))
    ),
  };
  return `${
    printable(JSON.stringify({
      $schema: "https://json.schemastore.org/sarif-2.1.0.json",
      version: "2.1.0",
      runs: [run],
    }))
  }\n`;
}

/** The explanations of all finding ids. */
const HELP = "https://jsr.io/@x/seccomp-tree";

function resultOf(
  finding: LintFinding,
  outcome: LintOutcome,
  ruleIndex: number,
): Fields {
  const { id, severity, message, witnesses, proof, fingerprint } = finding;
  const { source, text } = outcome;
  const shown = witnesses.map(({ data, value }) =>
    `${describeCall(data)} gets ${formatReturnValue(value, data.arch)}`
  );
  const parts = [message, ...shown, ...proof === undefined ? [] : [proof]];
  const fix = text === undefined ? undefined : fixOf(finding, source, text);
  return {
    ruleId: id,
    ruleIndex,
    level: severity,
    message: { text: printable(`${parts.join("; ")}.`) },
    locations: [locationOf(finding, source)],
    partialFingerprints: { "seccompTree/v1": printable(fingerprint) },
    ...fix === undefined ? {} : { fixes: [fix] },
  };
}

function locationOf(
  { path, line, column, filter, instruction }: LintFinding,
  source: string,
): Fields {
  const artifactLocation = { uri: uriOf(source), index: 0 };
  const logical = path !== ""
    ? path
    : instruction === undefined
    ? undefined
    : `filter ${filter ?? 0}, instruction ${instruction}`;
  return {
    physicalLocation: {
      artifactLocation,
      ...line === undefined
        ? instruction === undefined ? {} : {
          // An instruction has 8 bytes.
          region: { byteOffset: 8 * instruction, byteLength: 8 },
        }
        : { region: { startLine: line, startColumn: column ?? 1 } },
    },
    ...logical === undefined
      ? {}
      : { logicalLocations: [{ fullyQualifiedName: logical }] },
  };
}

/** A fix as the replacement of one region of the text. */
function fixOf(
  { fix }: LintFinding,
  source: string,
  text: string,
): Fields | undefined {
  if (fix === undefined) return undefined;
  const changed = applyPatch(text, fix.patch);
  let start = 0;
  while (start < text.length && text[start] === changed[start]) start++;
  let end = 0;
  while (
    end < Math.min(text.length, changed.length) - start &&
    text.at(-1 - end) === changed.at(-1 - end)
  ) end++;
  const note = fix.effect === "equal"
    ? "the policy stays equal"
    : "this changes the policy";
  return {
    description: { text: printable(`${fix.text}: ${note}`) },
    artifactChanges: [{
      artifactLocation: { uri: uriOf(source), index: 0 },
      replacements: [{
        deletedRegion: {
          charOffset: start,
          charLength: text.length - end - start,
        },
        insertedContent: { text: changed.slice(start, changed.length - end) },
      }],
    }],
  };
}

/** A source as a relative reference if possible, otherwise unchanged. */
function uriOf(source: string): string {
  return source === "-" || source === "<stdin>"
    ? "stdin"
    : encodeURI(source).replaceAll("#", "%23").replaceAll("?", "%3F");
}
