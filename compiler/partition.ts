/**
 * First pass: the rules of an architecture as a partition of the system call numbers.
 *
 * Every number from 0 to 2^32 − 1 belongs to exactly one interval, and all
 * numbers of an interval are decided by the same rules, or by rules without
 * conditions that have the same value. Rules after one without conditions never
 * decide and are omitted.
 *
 * ```text
 * rules       3…3 ALLOW   4…4 ALLOW   1…9 ERRNO
 * partition   0…0 –   1…2 ERRNO   3…4 ALLOW   5…9 ERRNO   10…2^32−1 –
 * ```
 *
 * Costs O((n + r·m) log n) for n intervals, of which m are not single numbers,
 * and r rules on ranges; profiles have only a few of those.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import type { Rule } from "../profile/policy.ts";
import { present } from "./present.ts";

/** Numbers that are decided alike. */
export interface RuleInterval extends Range {
  /**
   * Rules that decide all of them, first match wins; only the last may be
   * without conditions.
   */
  readonly rules: readonly Rule[];
}

/**
 * Partitions the system call numbers.
 *
 * @param rules Rules of one architecture, first match wins.
 * @returns Sorted intervals without gaps from 0 to 2^32 − 1.
 */
export function partition(rules: readonly Rule[]): readonly RuleInterval[] {
  const ranges: Rule[] = [];
  const singles = new Map<number, Rule[]>();
  // Boundaries of rules; after the last number comes 0 again.
  const cuts = new Uint32Array(2 * rules.length);
  rules.forEach((rule, i) => {
    const { first, last } = rule;
    cuts[2 * i] = first;
    cuts[2 * i + 1] = last + 1;
    if (first !== last) ranges.push(rule);
    else {
      const there = singles.get(first);
      if (there === undefined) singles.set(first, [rule]);
      else there.push(rule);
    }
  });
  cuts.sort();
  const joined = joinInOrder(rules);
  const intervals: Writable<RuleInterval>[] = [];
  let before: Writable<RuleInterval> | undefined;
  let first = 0;
  const cutAt = (end: number): void => {
    if (end === first) return;
    const own = singles.get(first) ?? [];
    const around = ranges.length === 0
      ? ranges
      : ranges.filter((r) => r.first <= first && first <= r.last);
    const met = around.length === 0 ? own : joined(around, own);
    const decisive = untilDecided(met);
    if (before !== undefined && areAlike(before.rules, decisive)) {
      before.last = end - 1;
    } else {
      before = { first, last: end - 1, rules: decisive };
      intervals.push(before);
    }
    first = end;
  };
  cuts.forEach(cutAt);
  cutAt(0x1_0000_0000);
  return intervals;
}

/** Joins rules in their order, which is numbered on first use. */
function joinInOrder(
  rules: readonly Rule[],
): (around: readonly Rule[], own: readonly Rule[]) => readonly Rule[] {
  let places: Map<Rule, number> | undefined;
  return (around, own) => {
    if (own.length === 0) return around;
    // From the back, so that an object that occurs twice keeps its first
    // position.
    const order = places ??= new Map(
      rules.map((rule, i) => [rule, i] as const).reverse(),
    );
    return [...around, ...own].sort((a, b) =>
      present(order.get(a)) - present(order.get(b))
    );
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reports whether both are one rule without conditions, with the same value.
 */
function areAlike(a: readonly Rule[], b: readonly Rule[]): boolean {
  const one = a[0];
  const other = b[0];
  return a.length === 1 && b.length === 1 && one?.value === other?.value &&
    one?.conditions.length === 0 && other?.conditions.length === 0;
}

function untilDecided(rules: readonly Rule[]): readonly Rule[] {
  if (rules.length < 2) return rules;
  const end = rules.findIndex((rule) => rule.conditions.length === 0);
  return end === -1 ? rules : rules.slice(0, end + 1);
}
