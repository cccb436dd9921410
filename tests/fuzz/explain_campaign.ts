/**
 * The campaigns of `explain`: the text is read back, proved equal to the
 * source, and compared with a second interpreter call by call.
 *
 * @module
 */

import { toWords } from "../../bpf/seccomp_data.ts";
import { explainSubject } from "../../statements/explain_subject.ts";
import { parseDocument } from "../../statements/parse_document.ts";
import { proveStatements } from "../../statements/prove_statements.ts";
import { placesOf, rowsOf } from "../../statements/rows.ts";
import {
  type AbiStatements,
  numbersOf,
  type Statement,
} from "../../statements/statement.ts";
import type { Formula, Term } from "../../statements/formula.ts";
import {
  type Grouping,
  writeDocument,
} from "../../statements/write_document.ts";
import type { Arch } from "../../tables/arch.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { effectOf } from "../oracle/bpf.ts";
import { generateAny, generateContract } from "../oracle/generate.ts";
import { inputs } from "../oracle/inputs.ts";
import { hostOf, interpret } from "../oracle/meaning.ts";
import { produce } from "../oracle/production.ts";

/** Orders of the text. */
export const GROUPINGS: readonly Grouping[] = ["action", "call", "arch"];

/** An explanation as text, and read back. */
export interface ReadBack {
  readonly text: string;
  readonly abis: readonly AbiStatements[];
}

/**
 * Explains a subject and reads the text back; returns the reason if it cannot
 * be explained.
 */
export function readBack(
  subject: Subject,
  by: Grouping,
  options: { readonly littleEndian?: boolean; readonly native?: Arch } = {},
): ReadBack | string {
  const { native } = options;
  const explained = explainSubject(subject, options);
  if (explained.kind === "not-explained") return explained.reason;
  const text = writeDocument(rowsOf(explained.abis, native), {
    by,
    arches: placesOf(explained.abis),
  });
  return { text, abis: parseDocument(text, native) };
}

/**
 * Evaluates statements on one call, value by value: the answer of the only
 * statement that is true of it, or of everything else.
 */
export function evaluate(
  abis: readonly AbiStatements[],
  words: Uint32Array,
  littleEndian: boolean,
): number {
  const [nr = 0, arch = 0] = words;
  const own =
    abis.find(({ abi }) =>
      abi.audit !== "rest" && abi.audit.first <= arch &&
      arch <= abi.audit.last &&
      numbersOf(abi).some(({ first, last }) => first <= nr && nr <= last)
    ) ?? abis.find(({ abi }) => abi.audit === "rest");
  if (own === undefined) throw new Error("no statements about the rest");
  const isListed = own.statements.some((one) => lists(one, nr));
  const found = own.statements.filter((one) =>
    (one.numbers === "other" ? !isListed : lists(one, nr)) &&
    isTrue(one.formula, words, littleEndian)
  );
  const answers = new Set(found.map(({ value }) => value));
  if (answers.size > 1) throw new Error(`${nr} is in two statements`);
  return [...answers][0] ?? own.rest;
}

function lists({ numbers }: Statement, nr: number): boolean {
  return numbers !== "other" &&
    numbers.some(({ first, last }) => first <= nr && nr <= last);
}

function isTrue(
  formula: Formula,
  words: Uint32Array,
  littleEndian: boolean,
): boolean {
  if (formula.kind !== "test") {
    const { kind, parts } = formula;
    const truths = parts.map((part) => isTrue(part, words, littleEndian));
    return kind === "and" ? !truths.includes(false) : truths.includes(true);
  }
  const value = termValue(formula.term, words, littleEndian) & formula.mask;
  const inside = formula.spans.some(({ first, last }) =>
    first <= value && value <= last
  );
  return inside !== formula.negated;
}

function termValue(
  { arg, part }: Term,
  words: Uint32Array,
  littleEndian: boolean,
): bigint {
  const at = arg === 6 ? 2 : 4 + 2 * arg;
  const [a, b] = [BigInt(words[at] ?? 0), BigInt(words[at + 1] ?? 0)];
  const [low, high] = littleEndian ? [a, b] : [b, a];
  return part === "low" ? low : part === "high" ? high : high << 32n | low;
}

/** Results of a campaign. */
export interface ExplainCounts {
  readonly explained: number;
  /** Profiles that the runtime refuses. */
  readonly refused: number;
  /** Calls that were evaluated. */
  readonly calls: number;
  readonly wrong: readonly string[];
}

/** Explains random profiles. */
export function judgeExplanations(
  { seed, count }: { readonly seed: number; readonly count: number },
): ExplainCounts {
  const wrong: string[] = [];
  const counts = { explained: 0, refused: 0, calls: 0 };
  for (let i = 0; i < count; i++) {
    const drawn = i % 2 === 0
      ? generateAny(seed + i)
      : generateContract(seed + i);
    const { seccomp, target } = drawn;
    const made = produce(seccomp, target, { program: false });
    if (made.kind === "refused") {
      counts.refused++;
      continue;
    }
    const { policy } = made;
    const { littleEndian } = policy;
    const back = readBack(policy, GROUPINGS[i % 3] ?? "action");
    if (typeof back === "string") {
      wrong.push(`seed ${seed + i}: not explained: ${back}`);
      continue;
    }
    const proof = proveStatements(policy, back.abis);
    if (proof !== "equal") wrong.push(`seed ${seed + i}: ${proof}`);
    const verdicts = interpret(seccomp, hostOf(target));
    if (typeof verdicts !== "function") continue;
    for (const data of inputs(seccomp, target, { combinations: 4 })) {
      counts.calls++;
      const words = toWords(data, littleEndian);
      const stated = evaluate(back.abis, words, littleEndian);
      if (effectOf(stated) === effectOf(verdicts(data))) continue;
      wrong.push(`seed ${seed + i}: number ${data.nr} of ${data.arch}`);
      break;
    }
    counts.explained++;
  }
  return { ...counts, wrong };
}
