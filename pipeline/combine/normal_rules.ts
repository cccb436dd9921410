/**
 * Rules of calls in numbers, and their meaning to libseccomp.
 *
 * @module
 */

import type { Condition, ReturnValue } from "../../profile/policy.ts";
import type { ArgumentSpace } from "../../statements/argument_space.ts";
import {
  compareConjunctions,
  type Conjunction,
} from "../../statements/cover_call.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import { compareAnswers } from "../../verify/pointwise.ts";
import type { AnswerSets } from "./call_functions.ts";

/** One entry in numbers. */
export interface NormalEntry {
  readonly names: readonly string[];
  readonly value: ReturnValue;
  readonly conditions: Conjunction;
}

/** A rule of one call. */
export interface NormalRule {
  readonly value: ReturnValue;
  readonly conditions: Conjunction;
}

/** Mask of all bits of an argument. */
export const WHOLE_ARGUMENT = 0xffff_ffff_ffff_ffffn;

/** The negation of a comparison. */
export function oppositeOf(condition: Condition): Condition | undefined {
  const { op, mask } = condition;
  const opposite = OPPOSITES[op];
  return mask === WHOLE_ARGUMENT && opposite !== undefined
    ? { ...condition, op: opposite }
    : undefined;
}

const OPPOSITES: Readonly<Partial<Record<Condition["op"], Condition["op"]>>> = {
  eq: "ne",
  ne: "eq",
  le: "gt",
  ge: "lt",
};

export function permutationsOf<T>(
  items: readonly T[],
): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((first) =>
    permutationsOf(items.filter((item) => item !== first))
      .map((rest) => [first, ...rest])
  );
}

/** The argument values by answer; the first rule that matches wins. */
export function setsOfRules(
  rules: readonly NormalRule[],
  space: ArgumentSpace,
): AnswerSets {
  const { diagram: d } = space;
  const sets = new Map<ReturnValue, Node>();
  let taken: Node = NEVER;
  for (const { value, conditions } of rules) {
    const where = space.where(conditions);
    sets.set(value, d.or(sets.get(value) ?? NEVER, d.except(where, taken)));
    taken = d.or(taken, where);
  }
  return sets;
}

/**
 * Compares rules in the normal order: those without conditions first, of those
 * the loosest answer; then the strictest, which are exceptions to others.
 * libseccomp tests similar rules in the order of arrival.
 */
export function compareRules(a: NormalRule, b: NormalRule): number {
  const [x, y] = [a, b].map(({ conditions }) => Math.min(1, conditions.length));
  if (x !== y) return (x ?? 0) - (y ?? 0);
  const answers = compareAnswers(a.value, b.value);
  return (x === 0 ? -answers : answers) ||
    compareConjunctions(a.conditions, b.conditions);
}

/** A comparison of all 32 bits is a comparison of the whole argument. */
export function widenCondition(condition: Condition): Condition {
  return condition.mask === 0xffff_ffffn
    ? { ...condition, mask: WHOLE_ARGUMENT }
    : condition;
}

/**
 * The same comparisons with `<` and `>`, which differ after truncation to 32
 * bits.
 */
export function makeStrict({ value, conditions }: NormalRule): NormalRule {
  return {
    value,
    conditions: conditions.map((one): Condition => {
      if (one.op === "le" && one.value < one.mask) {
        return { ...one, op: "lt", value: one.value + 1n };
      }
      if (one.op === "ge" && one.value > 0n) {
        return { ...one, op: "gt", value: one.value - 1n };
      }
      return one;
    }),
  };
}

/** Entries of all calls with the same rules, in the normal order. */
export function joinEntries(
  rules: ReadonlyMap<string, readonly NormalRule[]>,
): readonly NormalEntry[] {
  const entries = new Map<string, NormalEntry & { readonly names: string[] }>();
  for (const [name, list] of rules) {
    for (const { value, conditions } of list) {
      const key = `${value} ${
        conditions.map(({ arg, op, mask, value }) =>
          `${arg} ${op} ${mask} ${value}`
        ).join()
      }`;
      const entry = entries.get(key);
      if (entry !== undefined) entry.names.push(name);
      else entries.set(key, { names: [name], value, conditions });
    }
  }
  return [...entries.values()]
    .map((entry) => ({ ...entry, names: entry.names.toSorted() }))
    .toSorted(compareRules);
}
