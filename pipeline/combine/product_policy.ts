/**
 * The pointwise combination of policies, rule by rule: the pairs of rules of
 * two first-match lists, in lexicographic order, are a first-match list of the
 * combination.
 *
 * @module
 */

import type { ArchPolicy, Policy, Rule } from "../../profile/policy.ts";
import type { AnswerFunction } from "../../verify/pointwise.ts";

type Given = Pick<Rule, "conditions" | "value">;

/** Maximum number of rules of one call. */
const MOST_RULES = 4096;

/**
 * Combines two policies.
 *
 * @param a One policy.
 * @param b The other, for a machine of the same byte order.
 * @param join Combines two answers to one input.
 * @returns The policy; `undefined` if it has too many rules.
 */
export function productPolicy(
  a: Policy,
  b: Policy,
  join: AnswerFunction,
): Policy | undefined {
  const audits = new Map<number, readonly string[]>();
  for (const { auditArch, names } of [...a.arches, ...b.arches]) {
    const known = audits.get(auditArch) ?? [];
    audits.set(auditArch, [...new Set([...known, ...names])]);
  }
  const arches: ArchPolicy[] = [];
  for (const [auditArch, names] of audits) {
    const rules = productRules(a, b, auditArch, join);
    if (rules === undefined) return undefined;
    arches.push({ auditArch, names, rules });
  }
  const badArchValue = join(a.badArchValue, b.badArchValue);
  return {
    defaultValue: badArchValue,
    badArchValue,
    littleEndian: a.littleEndian,
    arches,
  };
}

function productRules(
  a: Policy,
  b: Policy,
  auditArch: number,
  join: AnswerFunction,
): readonly Rule[] | undefined {
  const sides = [a, b].map((policy) => ({
    policy,
    rules: policy.arches.find((arch) => arch.auditArch === auditArch)?.rules,
  }));
  const starts = new Set([0]);
  for (const { rules = [] } of sides) {
    for (const { first, last } of rules) {
      if (first > last) continue;
      starts.add(first);
      if (last < 0xffff_ffff) starts.add(last + 1);
    }
  }
  const line = [...starts].sort((x, y) => x - y);
  const product: Rule[] = [];
  for (const [i, first] of line.entries()) {
    const last = (line[i + 1] ?? 2 ** 32) - 1;
    const [left = [], right = []] = sides.map(({ policy, rules }) =>
      rulesAt(policy, rules, first)
    );
    if (left.length * right.length > MOST_RULES) return undefined;
    for (const one of left) {
      for (const other of right) {
        product.push({
          first,
          last,
          conditions: [...one.conditions, ...other.conditions],
          value: join(one.value, other.value),
          source: "combined",
        });
      }
    }
  }
  return product;
}

/** The rules of a number, up to one that always matches. */
function rulesAt(
  { defaultValue, badArchValue }: Policy,
  rules: readonly Rule[] | undefined,
  nr: number,
): readonly Given[] {
  if (rules === undefined) return [{ conditions: [], value: badArchValue }];
  const found: Given[] = [];
  for (const { first, last, conditions, value } of rules) {
    if (nr < first || nr > last) continue;
    found.push({ conditions, value });
    if (conditions.length === 0) return found;
  }
  return [...found, { conditions: [], value: defaultValue }];
}
