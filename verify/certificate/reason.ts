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
  type SplitTest,
} from "./part.ts";

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
    const isHere = decideTest(part, test);
    if (isHere === undefined) return { open: test };
    if (!isHere) continue;
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

function bitCount(word: number): number {
  return word.toString(2).replaceAll("0", "").length;
}

/**
 * Finds a bit of the number that a mask hides: rules are intervals of numbers,
 * which are cut apart by it.
 */
function unseenBit(part: InputPart): SplitTest | undefined {
  const views = part[NR] ?? [];
  const { known } = boundsOf(views, ALL_BITS);
  for (const { mask } of views) {
    const unseen = (~mask & ~known) >>> 0;
    if (unseen === 0 || bitCount(unseen) > MOST_UNSEEN) continue;
    return { word: NR, mask: highestBit(unseen), op: "=", k: 0 };
  }
  return undefined;
}

/** The rules of one architecture in one part. */
class Rules {
  readonly #low: number;
  readonly #high: number;
  readonly #holes: readonly number[];
  /** Rules that match everywhere in the part, at their numbers. */
  readonly #cover: [index: number, rule: Rule][] = [];
  /** How many numbers they have, those of several counted again. */
  #width = 0;
  readonly #values = new Set<number>();
  /** Rules that match nowhere in the part: index, false condition, value. */
  readonly #failing: [rule: number, condition: number, value: number][] = [];
  /** A rule whose value is accepted, if only it were known to match. */
  #hope: Rule | undefined;

  constructor(
    readonly part: InputPart,
    readonly rules: readonly Rule[],
    readonly littleEndian: boolean,
    readonly accepts: (value: number) => boolean,
  ) {
    const { low, high, holes } = boundsOf(part[NR] ?? [], ALL_BITS);
    [this.#low, this.#high, this.#holes] = [low, high, holes];
  }

  answer(defaultValue: number): PartAnswer | NoAnswer {
    for (const [index, rule] of this.rules.entries()) {
      const { first, last, value } = rule;
      if (last < this.#low || first > this.#high || last < first) continue;
      if (first === last && this.#holes.includes(first)) continue;
      const failing = rule.conditions.findIndex((c) =>
        this.#decide(c) === false
      );
      if (failing >= 0) {
        this.#failing.push([index, failing, value]);
        continue;
      }
      const accepted = this.accepts(value);
      if (!accepted) return { open: this.#split(rule) ?? this.#finer() };
      this.#values.add(value);
      if (rule.conditions.every((c) => this.#decide(c))) {
        this.#cover.push([index, rule]);
        this.#width += Math.min(last, this.#high) -
          Math.max(first, this.#low) + 1;
        const by = this.#covering();
        if (by !== undefined) return this.#reason(by);
      } else this.#hope ??= rule;
    }
    if (this.accepts(defaultValue)) {
      this.#values.add(defaultValue);
      return this.#reason("default");
    }
    return { open: this.#finer() };
  }

  #reason(by: string): PartAnswer {
    const not: string[] = [];
    for (const [rule, condition, value] of this.#failing) {
      if (this.accepts(value)) this.#values.add(value);
      else not.push(`${rule.toString(16)}.${condition.toString(16)}`);
    }
    const words = not.length === 0 ? [by] : [by, "not", ...not];
    return { values: [...this.#values], text: words.join(" ") };
  }

  /** Ranges of indices of rules that cover all numbers, if some do. */
  #covering(): string | undefined {
    const wanted = this.#high - this.#low + 1 - this.#holes.length;
    if (this.#width < wanted) return undefined;
    const sorted = this.#cover.toSorted(([, a], [, b]) => a.first - b.first);
    let next = this.#afterHoles(this.#low);
    const ranges: [number, number][] = [];
    for (const [index, { first, last }] of sorted) {
      if (first > next) return undefined;
      if (last < next) continue;
      next = this.#afterHoles(last + 1);
      const range = ranges.at(-1);
      if (range?.[1] === index - 1) range[1] = index;
      else ranges.push([index, index]);
      if (next > this.#high) break;
    }
    if (next <= this.#high) return undefined;
    return ranges.map(([from, to]) =>
      from === to
        ? from.toString(16)
        : `${from.toString(16)}-${to.toString(16)}`
    ).join(",");
  }

  #afterHoles(nr: number): number {
    let next = nr;
    while (this.#holes.includes(next)) next++;
    return next;
  }

  /** A split at an end of the numbers that no rule covers. */
  #gap(): SplitTest | undefined {
    let next = this.#afterHoles(this.#low);
    for (
      const [, { first, last }] of this.#cover.toSorted(([, a], [, b]) =>
        a.first - b.first
      )
    ) {
      if (first > next) return at(next > this.#low ? next : first);
      next = Math.max(next, this.#afterHoles(last + 1));
    }
    return next > this.#low && next <= this.#high ? at(next) : undefined;
  }

  /** A test by which rules that are accepted may come to cover the part. */
  #finer(): SplitTest | undefined {
    return this.#gap() ?? (this.#hope && this.#split(this.#hope));
  }

  /** A test by which a rule will match everywhere in the part, or nowhere. */
  #split({ first, last, conditions }: Rule): SplitTest | undefined {
    if (first > this.#low) return at(first);
    if (last < this.#high) return at(last + 1);
    for (const condition of conditions) {
      if (this.#decide(condition) === undefined) return this.#open(condition);
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

  #decide(condition: Condition): boolean | undefined {
    const [same, above, low] = this.#tests(condition).map((test) =>
      decideTest(this.part, test)
    );
    const { op } = condition;
    const both = same === false || low === false ? false : same && low;
    const inverted = op === "ne" || op === "lt" || op === "le";
    const holds = op === "eq" || op === "ne"
      ? both
      : above === true || both === true
      ? true
      : above === false && both === false
      ? false
      : undefined;
    return holds === undefined ? undefined : holds !== inverted;
  }

  /** The first undecided test of a condition that is not decided. */
  #open(condition: Condition): SplitTest | undefined {
    const [same, above, low] = this.#tests(condition);
    const isEquality = condition.op === "eq" || condition.op === "ne";
    return [isEquality ? same : above, same, low].find((test) =>
      decideTest(this.part, test) === undefined
    );
  }
}

type Half = Omit<SplitTest, "op">;

function at(nr: number): SplitTest {
  return { word: NR, mask: ALL_BITS, op: ">=", k: nr };
}
