/**
 * `prove`: two sources are equal for every input, or there is a witness.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import { ARCHES } from "../../tables/arch.ts";
import { createAnswer } from "../../verify/describe/confirm.ts";
import {
  type Counterexample,
  type Outcome,
  type Proof,
  type ProofLimits,
  proveEquivalent,
  type Subject,
  type Unproven,
} from "../../verify/equivalence.ts";
import type { Interval } from "../../verify/describe/intervals.ts";
import {
  describeCall,
  jsonOfCall,
  jsonOfValue,
  wordsOfCall,
} from "../input/call.ts";
import { InputError, UsageError } from "../error.ts";
import { printable } from "../../tables/printable.ts";
import { EXIT } from "../exit.ts";
import { resolveSource, tellAssumed } from "../input/filter.ts";
import type { LimitFlags, OutputFlags, SourceFlags } from "../input/flags.ts";
import type { Io } from "../io.ts";
import { archNames } from "../output/names.ts";
import { NAME } from "../program.ts";
import { loadSource, refuseTwoStdins } from "../input/source.ts";
import { assumedWords, nativeArch } from "../input/target.ts";

/** Flags of `prove`. */
export interface ProveFlags extends SourceFlags, OutputFlags, LimitFlags {
  readonly bits: boolean;
}

/** A source as the prover takes it. */
export interface NamedSubject {
  /** The word it came from. */
  readonly word: string;
  readonly subject: Subject;
  /** The command that shows it, where `simulate` does not take the word. */
  readonly see?: string;
}

/** Proves two sources equal, or finds a witness. */
export async function runProve(
  io: Io,
  flags: ProveFlags,
  first: string,
  second: string,
): Promise<number> {
  const [a, b] = await loadSubjects(io, flags, [first, second]);
  const result = recognizable(
    proveEquivalent(a.subject, b.subject, {
      compare: flags.bits ? "bits" : "effect",
      limits: limitsOf(flags),
    }),
    [a, b],
  );
  io.out(
    flags.output === "json"
      ? `${
        JSON.stringify({
          schemaVersion: 1,
          a: a.word,
          b: b.word,
          ...jsonOfResult(result),
        })
      }\n`
      : textOf(result, [a, b]),
  );
  return exitOf(result);
}

/** Limits as they were given. */
export function limitsOf({ nodes, steps }: LimitFlags): Partial<ProofLimits> {
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(steps === undefined ? {} : { steps }),
  };
}

/**
 * Loads two sources for a comparison.
 *
 * @param io Where warnings go.
 * @param flags For whom profiles are meant.
 * @param words The source words.
 */
export async function loadSubjects(
  io: Io,
  flags: SourceFlags,
  words: readonly [string, string],
): Promise<readonly [NamedSubject, NamedSubject]> {
  refuseTwoStdins(...words);
  const a = await loadSubject(io, flags, words[0]);
  const b = await loadSubject(io, flags, words[1]);
  const [first, second] = [orderOf(a.subject), orderOf(b.subject)];
  if (first !== undefined && second !== undefined && first !== second) {
    throw new UsageError(
      `Cannot compare ${words[0]} with ${
        words[1]
      }: they are for machines of different byte order`,
    );
  }
  return [a, b];
}

function orderOf(subject: Subject): boolean | undefined {
  return subject.kind === "policy" ? subject.policy.littleEndian : undefined;
}

/** Loads one source: a profile is taken by its meaning, it is not compiled. */
export async function loadSubject(
  io: Io,
  flags: SourceFlags,
  word: string,
): Promise<NamedSubject> {
  const source = await loadSource(io, word, flags.from);
  if (source.kind === "profile") {
    const { policy, assumed } = await resolveSource(io, source, flags);
    tellAssumed(io, source.name, flags, [assumedWords(assumed, flags)]);
    return { word, subject: { kind: "policy", policy } };
  }
  for (const program of source.programs) {
    const fault = check(program);
    if (fault !== undefined) {
      throw new InputError(`The kernel refuses it: ${fault.message}`, {
        place: source.name,
        cause: fault,
      });
    }
  }
  return { word, subject: { kind: "stack", programs: source.programs } };
}

/**
 * Moves a witness to an architecture that exists, the native one if possible,
 * where both sides answer there as they did.
 *
 * @param result An answer; one that is no difference stays as it is.
 * @param sides Whose answer it is.
 * @param within Values of `arch` that may be taken.
 */
export function recognizable<T extends { readonly kind: string }>(
  result: T | Counterexample,
  sides: readonly [NamedSubject, NamedSubject],
  within: Pick<Interval, "first" | "last"> = { first: 0, last: 0xffff_ffff },
): T | Counterexample {
  if (!isCounterexample(result) || archNames(result.data.arch) !== undefined) {
    return result;
  }
  const littleEndian = sides.every(({ subject }) =>
    subject.kind !== "policy" || subject.policy.littleEndian
  );
  const [answerOfA, answerOfB] = [
    createAnswer(sides[0].subject, littleEndian),
    createAnswer(sides[1].subject, littleEndian),
  ];
  const native = nativeArch();
  for (const { auditArch } of [native, ...ARCHES]) {
    if (auditArch < within.first || auditArch > within.last) continue;
    const data = { ...result.data, arch: auditArch };
    const [a, b] = [answerOfA(data), answerOfB(data)];
    if (a.value === result.a.value && b.value === result.b.value) {
      return { kind: "different", data, a, b };
    }
  }
  return result;
}

function isCounterexample(
  result: { readonly kind: string },
): result is Counterexample {
  return result.kind === "different";
}

/** Exit code of an answer. */
export function exitOf(result: Proof | Counterexample | Unproven): number {
  switch (result.kind) {
    case "equal":
      return EXIT.ok;
    case "different":
      return EXIT.no;
    case "unproven":
      return EXIT.unproven;
  }
}

/** An answer for machines. */
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
          a: jsonOfOutcome(result.a),
          b: jsonOfOutcome(result.b),
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
): Readonly<Record<string, unknown>> {
  return {
    ...jsonOfValue(value),
    paths,
    ...(source === undefined ? {} : { rule: source }),
  };
}

function textOf(
  result: Proof | Counterexample | Unproven,
  sides: readonly [NamedSubject, NamedSubject],
): string {
  switch (result.kind) {
    case "equal": {
      const { archIntervals, nrIntervals, offsets, nodes } = result.coverage;
      const what = nodes === 0
        ? "the same instructions"
        : `${archIntervals} intervals of arch, ${nrIntervals} of nr`;
      return `equal: for every architecture, number, argument and instruction pointer\n  covered  ${what}, input words at ${
        offsets.join(" ")
      }\n`;
    }
    case "different":
      return witnessText("different", result, sides);
    case "unproven":
      return `unproven: the limit of ${result.limit} was reached: treat as different\n`;
  }
}

/**
 * Tells a difference: the call, both answers, how to see it again.
 *
 * @param title What it is.
 * @param witness The call and the answers.
 * @param sides Whose answers they are.
 */
export function witnessText(
  title: string,
  { data, a, b }: Pick<Counterexample, "data" | "a" | "b">,
  sides: readonly [NamedSubject, NamedSubject],
): string {
  const words = wordsOfCall(data).join(" ");
  const lines = [
    title,
    `  call  ${describeCall(data)}`,
    ...[a, b].flatMap((outcome, i) => [
      `  ${"AB".charAt(i)}     ${formatReturnValue(outcome.value)}${
        reasonOf(outcome)
      }  ${sides[i]?.word}`,
    ]),
    ...sides.map(({ word, see = `simulate ${quoted(word)} ${words}` }) =>
      `  see   ${NAME} ${see}`
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** A word as a shell takes it for one, without control characters. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${printable(word).replaceAll("'", "'\\''")}'`;
}

function reasonOf({ source, paths }: Outcome): string {
  if (source !== undefined) return `, by ${source}`;
  const steps = paths.reduce((sum, path) => sum + path.length, 0);
  if (steps === 0) return ", by no rule";
  return `, after ${steps} instruction${steps === 1 ? "" : "s"}`;
}
