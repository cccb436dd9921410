/**
 * Reports of `test`: text, TAP, JUnit's XML and JSON.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { CaseResult } from "../../statements/judge_case.ts";
import { wrapLine } from "../../statements/write_document.ts";
import { printable } from "../../tables/printable.ts";
import { describeCall, jsonOfCall } from "../input/call.ts";
import type { PlacedCase } from "../input/cases.ts";
import type { Coverage } from "./coverage.ts";
import { reportJson } from "./json.ts";

/** Forms of a report. */
export const TEST_FORMS = ["text", "tap", "junit", "json"] as const;

/** A form of a report. */
export type TestForm = typeof TEST_FORMS[number];

/** A case and its result. */
export interface JudgedCase extends PlacedCase {
  readonly result: CaseResult;
  /** The answer to the witness. */
  readonly value?: number;
  /** The rule that gave it. */
  readonly rule?: string;
}

const COLUMNS = 100;

/**
 * Writes a report.
 *
 * @param cases The cases.
 * @param source Name of the source.
 * @param form The form.
 * @param coverage Rules that no case decides, if requested.
 */
export function testReport(
  cases: readonly JudgedCase[],
  source: string,
  form: TestForm,
  coverage?: Coverage,
): string {
  switch (form) {
    case "text":
      return textReport(cases, coverage);
    case "tap":
      return tapReport(cases, coverage);
    case "junit":
      return junitReport(cases, source);
    case "json":
      return jsonReport(cases, source, coverage);
  }
}

/** Explains a case that did not pass. */
function failureText({ result, value, rule }: JudgedCase): string {
  switch (result.kind) {
    case "pass":
      return "";
    case "unproven":
      return `not proven: the limit of ${result.limit} was reached; treat as failed, or raise --${result.limit}`;
    case "fail": {
      const { reason, witness } = result;
      if (witness === undefined) return reason;
      const answer = value === undefined
        ? ""
        : ` gets ${formatReturnValue(value, witness.arch)}`;
      const by = rule === undefined ? "" : ` by ${rule}`;
      return `${reason}: ${describeCall(witness)}${answer}${by}`;
    }
  }
}

function textReport(cases: readonly JudgedCase[], coverage?: Coverage): string {
  const lines = cases.flatMap((one) =>
    one.result.kind === "pass" ? [`ok    ${one.name}${skippedText(one)}`] : [
      `FAIL  ${one.name}`,
      `      ${one.place}: ${failureText(one)}`,
    ]
  );
  const failed = cases.filter(({ result }) => result.kind !== "pass").length;
  lines.push(
    failed === 0
      ? `${cases.length} passed, for all arguments`
      : `${failed} of ${cases.length} failed`,
    ...coverageLines(coverage),
  );
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** Names the architectures to which a case does not apply. */
function skippedText({ result }: JudgedCase): string {
  return result.kind !== "pass" || result.skipped.length === 0
    ? ""
    : `  (not on ${result.skipped.join(", ")})`;
}

function coverageLines(coverage: Coverage | undefined): readonly string[] {
  if (coverage === undefined) return [];
  const { rules, uncovered } = coverage;
  const count = uncovered.reduce((sum, { calls }) => sum + calls.length, 0);
  return [
    `coverage: ${rules - count} of ${rules} rules are decided by a case`,
    ...uncovered.flatMap(({ rule, place, calls }) =>
      wrapLine("  ", `${rule} (${place}): ${calls.join(", ")}`, COLUMNS)
    ),
  ];
}

/** The Test Anything Protocol, version 13. */
function tapReport(cases: readonly JudgedCase[], coverage?: Coverage): string {
  const lines = ["TAP version 13", `1..${cases.length}`];
  for (const [i, one] of cases.entries()) {
    const ok = one.result.kind === "pass" ? "ok" : "not ok";
    lines.push(`${ok} ${i + 1} - ${one.name.replaceAll("#", "\\#")}`);
    if (one.result.kind !== "pass") {
      lines.push(`# ${one.place}: ${failureText(one)}`);
    }
  }
  lines.push(...coverageLines(coverage).map((line) => `# ${line}`));
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function junitReport(cases: readonly JudgedCase[], source: string): string {
  const failed = cases.filter(({ result }) => result.kind === "fail").length;
  const errors = cases.filter(({ result }) => result.kind === "unproven")
    .length;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${
      xml(source)
    }" tests="${cases.length}" failures="${failed}" errors="${errors}">`,
    ...cases.map((one) => {
      const start = `  <testcase name="${xml(one.name)}" classname="${
        xml(one.place)
      }"`;
      if (one.result.kind === "pass") return `${start}/>`;
      const tag = one.result.kind === "fail" ? "failure" : "error";
      return `${start}><${tag} message="${xml(failureText(one))}"/></testcase>`;
    }),
    "</testsuite>",
  ];
  return `${lines.join("\n")}\n`;
}

/** Escapes an attribute's value. */
function xml(text: string): string {
  return printable(text).replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

function jsonReport(
  cases: readonly JudgedCase[],
  source: string,
  coverage?: Coverage,
): string {
  return reportJson({
    source,
    state: cases.every(({ result }) => result.kind === "pass")
      ? "passed"
      : "failed",
    cases: cases.map((one) => ({
      name: one.name,
      case: one.text,
      place: one.place,
      state: one.result.kind,
      ...(one.result.kind === "pass" ? { skipped: one.result.skipped } : {}),
      ...(one.result.kind === "pass" ? {} : { message: failureText(one) }),
      ...(one.result.kind === "fail" && one.result.witness !== undefined
        ? { witness: jsonOfCall(one.result.witness) }
        : {}),
    })),
    ...(coverage === undefined ? {} : { coverage }),
  });
}
