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
  // Rules by their place, which is their precedence.
  const ranges: number[] = [];
  const singles = new Map<number, number[]>();
  const cuts = new Float64Array(2 * rules.length + 2);
  for (const [place, { first, last }] of rules.entries()) {
    cuts[2 * place] = first;
    cuts[2 * place + 1] = last + 1;
    if (first !== last) ranges.push(place);
    else {
      const there = singles.get(first);
      if (there === undefined) singles.set(first, [place]);
      else there.push(place);
    }
  }
  cuts[cuts.length - 1] = 0x1_0000_0000;
  cuts.sort();
  const intervals: Interval[] = [];
  let first = 0;
  for (const end of cuts) {
    if (end === first) continue;
    const own = singles.get(first) ?? [];
    const around = ranges.filter((place) => covers(rules[place], first));
    const met = around.length === 0
      ? own
      : [...around, ...own].sort((a, b) => a - b);
    intervals.push({ first, last: end - 1, rules: untilDecided(rules, met) });
    first = end;
  }
  return intervals;
}

function covers(rule: Rule | undefined, nr: number): boolean {
  return rule !== undefined && rule.first <= nr && nr <= rule.last;
}

/** The rules at some places, up to the first one without conditions. */
function untilDecided(
  rules: readonly Rule[],
  places: readonly number[],
): readonly Rule[] {
  const met: Rule[] = [];
  for (const place of places) {
    const rule = rules[place];
    if (rule === undefined) continue;
    met.push(rule);
    if (rule.conditions.length === 0) break;
  }
  return met;
}
