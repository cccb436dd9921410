/**
 * Finds the reason for the answer of a policy to a part: rules that cover it, a
 * default, or a test by which the part has to be split first.
 *
 * @module
 */

import type { Condition, Policy, Rule } from "../../profile/policy.ts";
import {
  boundsOf,
  decideTest,
  type InputPart,
  NO,
  type NumberRange,
  numbersIn,
  OPEN,
  type SplitTest,
  touches,
  type Truth,
  without,
  wordOf,
  YES,
} from "./part.ts";
import { countBits } from "../../tables/bits.ts";

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
  readonly open: SplitTest | undefined;
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

/**
 * Decides a test for all inputs of a part.
 *
 * @param part The part.
 * @param test The test.
 * @returns The result.
 */
export function decideIn(
  part: InputPart,
  { word, mask, op, k }: SplitTest,
): Truth {
  return decideTest(wordOf(part, word), mask, op, k);
}

const ALL_BITS = 0xffff_ffff;
const [NR, ARCH, FIRST_ARG] = [0, 1, 4];

/**
 * Answers a part.
 *
 * @param part The part.
 * @param policy The policy.
 * @param littleEndian Byte order of the machine.
 * @param accepts Reports whether a value agrees with the other side.
 * @returns Values that are accepted, with the reason, or a test.
 */
export function answerOfPolicy(
  part: InputPart,
  { arches, defaultValue, badArchValue }: Policy,
  littleEndian: boolean,
  accepts: (value: number) => boolean,
): PartAnswer | NoAnswer {
  for (const { auditArch, rules } of arches) {
    const test = { word: ARCH, mask: ALL_BITS, op: "=", k: auditArch } as const;
    const isHere = decideIn(part, test);
    if (isHere === OPEN) return { open: test };
    if (isHere === NO) continue;
    const bit = unseenBit(part);
    if (bit !== undefined) return { open: bit };
    return new Rules(part, rules, littleEndian, accepts).answer(defaultValue);
  }
  return accepts(badArchValue)
    ? { values: [badArchValue], text: "other" }
    : { open: undefined };
}

/** Maximum number of bits of the number by which a part is split. */
const MOST_UNSEEN = 4;

/**
 * Finds a bit of the number that a mask hides: rules are intervals of numbers,
 * which are cut apart by it.
 */
function unseenBit(part: InputPart): SplitTest | undefined {
  const { views = [], known = 0 } = part[NR] ?? {};
  for (const { mask } of views) {
    const unseen = (~mask & ~known) >>> 0;
    if (unseen === 0 || countBits(unseen) > MOST_UNSEEN) continue;
    return { word: NR, mask: highestBit(unseen), op: "=", k: 0 };
  }
  return undefined;
}

/** The rules of one architecture in one part. */
class Rules {
  readonly #low: number;
  readonly #high: number;
  /** The numbers for which no rule is known to match. */
  #numbers: readonly NumberRange[];
  readonly #values = new Set<number>();
  /** A rule whose value is accepted, if only it were known to match. */
  #hope: Rule | undefined;

  constructor(
    readonly part: InputPart,
    readonly rules: readonly Rule[],
    readonly littleEndian: boolean,
    readonly accepts: (value: number) => boolean,
  ) {
    const { low, high } = boundsOf(wordOf(part, NR), ALL_BITS);
    [this.#low, this.#high] = [low, high];
    this.#numbers = numbersIn(part);
  }

  answer(defaultValue: number): PartAnswer | NoAnswer {
    for (const [index, rule] of this.rules.entries()) {
      const { value, conditions } = rule;
      if (!touches(this.#numbers, rule)) continue;
      const matches = Math.min(YES, ...conditions.map((c) => this.#decide(c)));
      if (matches === NO) continue;
      const accepted = this.accepts(value);
      if (!accepted) return { open: this.#split(rule) ?? this.#finer() };
      this.#values.add(value);
      if (matches === OPEN) this.#hope ??= rule;
      else this.#numbers = without(this.#numbers, rule);
      if (this.#numbers.length === 0) {
        return { values: [...this.#values], text: index.toString(16) };
      }
    }
    return this.accepts(defaultValue)
      ? { values: [...this.#values, defaultValue], text: "default" }
      : { open: this.#finer() };
  }

  /** A test by which rules that are accepted may come to cover the part. */
  #finer(): SplitTest | undefined {
    const [open] = this.#numbers;
    if (open && open.first > this.#low) return at(open.first);
    if (open && open.last < this.#high) return at(open.last + 1);
    return this.#hope && this.#split(this.#hope);
  }

  /** A test by which a rule will match everywhere in the part, or nowhere. */
  #split({ first, last, conditions }: Rule): SplitTest | undefined {
    if (first > this.#low) return at(first);
    if (last < this.#high) return at(last + 1);
    for (const condition of conditions) {
      if (this.#decide(condition) === OPEN) return this.#open(condition);
    }
    return undefined;
  }

  #halves({ arg, mask, value }: Condition): readonly [Half, Half] {
    const half = (shift: bigint, index: number): Half => ({
      word: FIRST_ARG + 2 * arg + index,
      mask: Number(mask >> shift & 0xffff_ffffn),
      k: Number(value >> shift & 0xffff_ffffn),
    });
    return this.littleEndian
      ? [half(32n, 1), half(0n, 0)]
      : [half(32n, 0), half(0n, 1)];
  }

  #tests(
    condition: Condition,
  ): readonly [same: SplitTest, above: SplitTest, low: SplitTest] {
    const [high, low] = this.#halves(condition);
    const { op } = condition;
    const strict = op === "gt" || op === "le" ? 1 : 0;
    return [
      { ...high, op: "=" },
      { ...high, op: ">=", k: high.k + 1 },
      op === "eq" || op === "ne"
        ? { ...low, op: "=" }
        : { ...low, op: ">=", k: low.k + strict },
    ];
  }

  #decide(condition: Condition): Truth {
    const [same, above, low] = this.#tests(condition).map((test) =>
      decideIn(this.part, test)
    ) as [Truth, Truth, Truth];
    const { op } = condition;
    const both = Math.min(same, low);
    const holds = op === "eq" || op === "ne" ? both : Math.max(above, both);
    return op === "ne" || op === "lt" || op === "le" ? -holds : holds;
  }

  /** The first undecided test of a condition that is not decided. */
  #open(condition: Condition): SplitTest | undefined {
    const [same, above, low] = this.#tests(condition);
    const isEquality = condition.op === "eq" || condition.op === "ne";
    return [isEquality ? same : above, same, low].find((test) =>
      decideIn(this.part, test) === OPEN
    );
  }
}

type Half = Omit<SplitTest, "op">;

function at(nr: number): SplitTest {
  return { word: NR, mask: ALL_BITS, op: ">=", k: nr };
}
