/**
 * Finds the reason for the answer of a policy to a part: a rule that matches all
 * its inputs, or a test by which the part has to be split first.
 *
 * @module
 */

import type { Condition } from "../../profile/policy.ts";
import { matches } from "./check.ts";
import type { ListedRule } from "./text.ts";
import { ALL, type Seen, type Split, truthOf } from "./word.ts";

/** The values that a side may return in a part, with the text that shows it. */
export interface PartAnswer {
  /** The values, u32. */
  readonly values: readonly number[];
  /** Its half of a line. */
  readonly text: string;
}

/** A side has no answer for a part. */
export interface NoAnswer {
  /**
   * A test by which the part has to be split; `undefined` if all tests are
   * decided, and the sides differ.
   */
  readonly open: Split | undefined;
}

/**
 * Isolates the highest bit of a word.
 *
 * @param word A u32, not 0.
 * @returns The bit, a u32.
 */
export function highestBit(word: number): number {
  return (1 << (31 - Math.clz32(word))) >>> 0;
}

const [NR, ARCH, FIRST_ARG] = [0, 1, 4];

/**
 * Answers a part.
 *
 * @param words The words of the part.
 * @param rules The rules of the policy.
 * @param other Its answer if none of them matches.
 * @param accepts Reports whether a value agrees with the other side.
 * @returns Values that are accepted, with the reason, or a test.
 */
export function answerOfPolicy(
  words: readonly Seen[],
  rules: readonly ListedRule[],
  other: number,
  accepts: (value: number) => boolean,
): PartAnswer | NoAnswer {
  const values: number[] = [];
  /** Splits by a rule whose value is accepted, if only it matched. */
  let hope: Split | undefined;
  for (const rule of rules) {
    const truth = matches(rule, words);
    if (truth < 0) continue;
    if (!accepts(rule.value)) {
      return { open: truth === 0 ? openTest(words, rule) : hope };
    }
    values.push(rule.value);
    if (truth > 0) return { values, text: `rule ${rule.index.toString(16)}` };
    hope ??= openTest(words, rule);
  }
  return accepts(other)
    ? { values: [...values, other], text: "other" }
    : { open: hope };
}

/** The first undecided test of a rule that is not decided. */
function openTest(
  words: readonly Seen[],
  rule: ListedRule,
): Split | undefined {
  const { arch, first, last, conditions } = rule;
  const { low, high } = words[NR] as Seen;
  const isArch = { at: ARCH, mask: ALL, op: "=", k: arch } as const;
  if (truthOf(words, isArch) === 0) return isArch;
  if (first > low) return { at: NR, mask: ALL, op: ">=", k: first };
  if (last < high) return { at: NR, mask: ALL, op: ">=", k: last + 1 };
  for (const condition of conditions) {
    if (matches({ ...rule, conditions: [condition] }, words) !== 0) continue;
    return testsOf(condition).find((test) => truthOf(words, test) === 0);
  }
  return undefined;
}

function testsOf(
  { arg, op, mask, value }: Condition,
): readonly Split[] {
  const half = (shift: bigint, at: number) => ({
    at: FIRST_ARG + 2 * arg + at,
    mask: Number(mask >> shift & 0xffff_ffffn),
    k: Number(value >> shift & 0xffff_ffffn),
  });
  const [low, high] = [half(0n, 0), half(32n, 1)];
  if (op === "eq" || op === "ne") {
    return [{ ...high, op: "=" }, { ...low, op: "=" }];
  }
  const plus = op === "gt" || op === "le" ? 1 : 0;
  return [
    { ...high, op: ">=", k: high.k + 1 },
    { ...high, op: "=" },
    { ...low, op: ">=", k: low.k + plus },
  ];
}
