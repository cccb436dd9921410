/**
 * The rules of a profile that no case of a test decides.
 *
 * @module
 */

import type { Rule } from "../../profile/policy.ts";
import { locate } from "../../profile/json/path.ts";
import type { CompiledSource } from "../input/filter.ts";
import { syscallName } from "./names.ts";

/**
 * Reports whether a case depended on a rule; `before` lists the rules that
 * precede it.
 */
export type Covers = (
  arch: number,
  rule: Rule,
  before: readonly Rule[],
) => boolean;

/** Rules of one entry that no case decides. */
export interface UncoveredEntry {
  /** Path of the entry. */
  readonly rule: string;
  /** Its place, as `file:line:column`. */
  readonly place: string;
  /** Names of its calls that no case decides on any architecture. */
  readonly calls: readonly string[];
}

/** Coverage of a profile. */
export interface Coverage {
  /** Number of rules: calls of entries. */
  readonly rules: number;
  readonly uncovered: readonly UncoveredEntry[];
}

/**
 * Lists the rules that no case decides: calls of entries, each counted once
 * for all architectures.
 *
 * @param source The profile.
 * @param covers Reports whether the cases cover one rule.
 */
export function uncoveredRules(
  { name, profile, resolved }: CompiledSource,
  covers: Covers,
): Coverage {
  const decided = new Map<string, Map<string, boolean>>();
  for (const { auditArch, rules } of resolved.policy.arches) {
    for (const [i, rule] of rules.entries()) {
      if (locate(profile.document, rule.source) === undefined) continue;
      const call = syscallName(auditArch, rule.first) ?? `${rule.first}`;
      const calls = decided.get(rule.source) ?? new Map<string, boolean>();
      decided.set(rule.source, calls);
      if (calls.get(call) === true) continue;
      calls.set(call, covers(auditArch, rule, rules.slice(0, i)));
    }
  }
  let rules = 0;
  const uncovered: UncoveredEntry[] = [];
  for (const [rule, calls] of decided) {
    rules += calls.size;
    const names = [...calls].filter(([, isCovered]) => !isCovered)
      .map(([call]) => call);
    if (names.length === 0) continue;
    const at = locate(profile.document, rule);
    uncovered.push({
      rule,
      place: `${name}:${at?.line ?? 1}:${at?.column ?? 1}`,
      calls: names,
    });
  }
  return { rules, uncovered };
}
