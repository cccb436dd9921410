/**
 * The verdict of a proof about two sides: its exit code, and its witness as text
 * and as JSON.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { nameComputing } from "../../pipeline/refusal.ts";
import { printable } from "../../tables/printable.ts";
import { programsOf } from "../../verify/core/subject.ts";
import type { Outcome } from "../../verify/describe/confirm.ts";
import type {
  Counterexample,
  Proof,
  Unproven,
} from "../../verify/equivalence.ts";
import { EXIT } from "../exit.ts";
import { describeCall, jsonOfCall, jsonOfValue } from "../input/call.ts";
import { type NamedSubject, titleOf } from "../input/sides.ts";
import { type GivenSource, simulateCommand } from "./reproduce.ts";

/** Exit code of an answer. */
export function exitOfProof(result: Proof | Counterexample | Unproven): number {
  switch (result.kind) {
    case "equal":
      return EXIT.ok;
    case "different":
      return EXIT.no;
    case "unproven":
      return EXIT.unproven;
  }
}

/** An answer as JSON. */
export function jsonOfResult(
  result: Proof | Counterexample | Unproven,
): Readonly<Record<string, unknown>> {
  switch (result.kind) {
    case "equal":
      return { state: "equal", coverage: result.coverage };
    case "different":
      return {
        state: "different",
        witness: {
          ...jsonOfCall(result.data),
          a: jsonOfOutcome(result.a, result.data.arch),
          b: jsonOfOutcome(result.b, result.data.arch),
        },
      };
    case "unproven":
      return {
        state: "unproven",
        limit: result.limit,
        ...(result.allowed === undefined ? {} : { allowed: result.allowed }),
      };
  }
}

function jsonOfOutcome(
  { value, paths, source }: Outcome,
  auditArch: number,
): Readonly<Record<string, unknown>> {
  return {
    ...jsonOfValue(value, auditArch),
    paths,
    ...(source === undefined ? {} : { rule: source }),
  };
}

/** A side, as shown with a witness. */
export interface Shown extends GivenSource {
  /** Its name, if that is not the source word. */
  readonly title?: string;
  /**
   * The command that shows the answer, if `simulate` does not accept the source
   * word.
   */
  readonly see?: string;
}

/** The command that reproduces an answer. */
function seeCommand(side: Shown, data: SeccompData): string {
  return side.see ?? simulateCommand(side, data);
}

/**
 * Prints a difference: the call, both answers, how to reproduce it.
 *
 * @param title Its title.
 * @param witness The call and the answers.
 * @param sides The sides that gave the answers.
 */
export function witnessText(
  title: string,
  { data, a, b }: Pick<Counterexample, "data" | "a" | "b">,
  sides: readonly Shown[],
): string {
  const lines = [
    title,
    `  call  ${describeCall(data)}`,
    ...[a, b].flatMap((outcome, i) => [
      `  ${"AB".charAt(i)}     ${formatReturnValue(outcome.value, data.arch)}${
        reasonOf(outcome)
      }  ${titleOf(sides[i] ?? { word: "" })}`,
    ]),
    ...sides.map((side) => `  see   ${seeCommand(side, data)}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/**
 * Writes that a limit was reached, and which instructions may be the reason.
 *
 * @param result The limit.
 * @param sides The compared sides.
 * @param instead The conclusion to draw.
 */
export function unprovenText(
  { limit }: Unproven,
  sides: readonly NamedSubject[],
  instead: string,
): string {
  const reasons = sides.flatMap(({ word, subject }) => {
    const found = nameComputing(programsOf(subject));
    return found === undefined ? [] : [`${found} of ${printable(word)}`];
  });
  const why = reasons.length === 0 ? "" : `, by ${reasons.join(" and ")}`;
  return `unproven: the limit of ${limit} was reached${why}; ${instead}, or raise --${limit}\n`;
}

function reasonOf({ source, paths }: Outcome): string {
  if (source !== undefined) return `, by ${source}`;
  const steps = paths.reduce((sum, path) => sum + path.length, 0);
  if (steps === 0) return ", by no rule";
  return `, after ${steps} instruction${steps === 1 ? "" : "s"}`;
}
