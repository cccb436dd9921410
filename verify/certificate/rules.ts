/**
 * A policy as certificates have it: one list of rules.
 *
 * @module
 */

import type { Policy } from "../../profile/policy.ts";
import type { ListedRule, RuleList } from "./text.ts";

/**
 * Lists the rules of a policy. The default is the last rule of each
 * architecture; neighbors with the same answer become one rule.
 *
 * @param policy The policy.
 * @returns Rules with the same answer to every input.
 */
export function listRules(policy: Policy): RuleList {
  const { arches, defaultValue, badArchValue } = policy;
  const all = { first: 0, last: 0xffff_ffff, value: defaultValue };
  const list: ListedRule[] = [];
  for (const { auditArch: arch, rules } of arches) {
    let before: ListedRule | undefined;
    for (const rule of [...rules, { ...all, conditions: [] }]) {
      const { first, last, value, conditions } = rule;
      if (first > last) continue;
      if (
        before?.value === value && before.last + 1 === first &&
        before.conditions.length + conditions.length === 0
      ) {
        before = { ...before, last };
      } else {
        const index = list.length;
        before = { index, arch, first, last, value, conditions };
      }
      list[before.index] = before;
    }
  }
  return { rules: list, other: badArchValue };
}
