/**
 * First pass: the rules of an architecture as a partition of the number line.
 *
 * Every number from 0 to 2^32 − 1 belongs to exactly one interval, and all
 * numbers of an interval meet the same rules. Rules behind one without
 * conditions never decide and are left out.
 *
 * ```text
 * rules       3…3 ALLOW   1…9 ERRNO
 * partition   0…0 –   1…2 ERRNO   3…3 ALLOW   4…9 ERRNO   10…2^32−1 –
 * ```
 *
 * Costs O((n + r·m) log n) for n intervals, of which m are not single numbers, and r rules on
 * ranges; profiles have a handful of those.
 *
 * @module
 */

import type { Rule } from "../profile/policy.ts";

/** Numbers that meet the same rules. */
export interface Interval {
  /** First number, a u32. */
  readonly first: number;
  /** Last number, a u32. */
  readonly last: number;
  /** The rules that can decide, first match wins; only the last may be without conditions. */
  readonly rules: readonly Rule[];
}

/**
 * Partitions the number line.
 *
 * @param rules Rules of one architecture, first match wins.
 * @returns Sorted intervals without gaps from 0 to 2^32 − 1.
 */
export function partition(rules: readonly Rule[]): readonly Interval[] {
  const order = new Map<Rule, number>(rules.map((rule, i) => [rule, i]));
  const ranges = rules.filter((rule) => rule.first < rule.last);
  const singles = new Map<number, Rule[]>();
  const starts = new Set<number>([0]);
  for (const rule of rules) {
    starts.add(rule.first);
    if (rule.last < 0xffff_ffff) starts.add(rule.last + 1);
    if (rule.first !== rule.last) continue;
    const there = singles.get(rule.first);
    if (there === undefined) singles.set(rule.first, [rule]);
    else there.push(rule);
  }
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((first, i) => {
    const last = (sorted[i + 1] ?? 0x1_0000_0000) - 1;
    const own = singles.get(first) ?? [];
    const around = ranges.filter((r) => r.first <= first && first <= r.last);
    const met = around.length === 0
      ? own
      : [...around, ...own].sort((a, b) =>
        (order.get(a) ?? 0) - (order.get(b) ?? 0)
      );
    return { first, last, rules: untilDecided(met) };
  });
}

function untilDecided(rules: readonly Rule[]): readonly Rule[] {
  const end = rules.findIndex((rule) => rule.conditions.length === 0);
  return end === -1 ? rules : rules.slice(0, end + 1);
}
