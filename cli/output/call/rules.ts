/**
 * The rules of a profile for one call: the one that decides, and why the others
 * do not.
 *
 * @module
 */

import { formatReturnValue } from "../../../bpf/return_value.ts";
import type { SeccompData } from "../../../bpf/seccomp_data.ts";
import { locate } from "../../../profile/json/path.ts";
import type { ParsedProfile } from "../../../profile/formats/parse.ts";
import type { Condition, ReturnValue, Rule } from "../../../profile/policy.ts";
import { returnValue } from "../../../profile/semantics/action.ts";
import type { ResolvedSection } from "../../../pipeline/resolve_profile.ts";
import {
  type WordedCall,
  wordsOfArgument,
} from "../../../statements/argument_words.ts";
import {
  type Formula,
  fullMask,
  type Term,
} from "../../../statements/formula.ts";
import {
  numberText,
  writeCondition,
} from "../../../statements/write_condition.ts";
import { decide, holds } from "../../../verify/decide.ts";

/** A rule, or the default action. */
export interface CallRule {
  /** Its origin, such as `syscalls[4]` or `defaultAction`. */
  readonly rule: string;
  /** Its place, as `file:line:column`; absent for rules of a runtime. */
  readonly place?: string;
  /** The value that it returns. */
  readonly value: ReturnValue;
  /** That value in names. */
  readonly action: string;
  /** Its condition; empty if it has none. */
  readonly condition: string;
}

/** A rule that does not decide, and the reason. */
export interface LostRule extends CallRule {
  readonly reason: string;
}

/** The rules of a call. */
export interface CallRules {
  /** The rule that decides. */
  readonly decided: CallRule;
  /** All others that name the call. */
  readonly lost: readonly LostRule[];
}

/** A profile and its meaning. */
export interface ExplainedProfile {
  /** Name of the source. */
  readonly name: string;
  readonly profile: ParsedProfile;
  readonly resolved: ResolvedSection;
}

/**
 * Finds the rules that concern a call.
 *
 * @param source The profile.
 * @param data The call.
 * @param call Its name and architecture.
 */
export function rulesOfCall(
  source: ExplainedProfile,
  data: SeccompData,
  call: WordedCall,
): CallRules {
  const { policy } = source.resolved;
  const { arch, rule: winner, value } = decide(policy, data);
  const answer = (value: ReturnValue): Pick<CallRule, "value" | "action"> => ({
    value,
    action: formatReturnValue(value, data.arch),
  });
  if (arch === undefined) {
    return {
      decided: {
        rule: "the profile is not for this architecture",
        ...answer(value),
        condition: "",
      },
      lost: [],
    };
  }
  const own = arch.rules.filter(({ first, last }) =>
    first <= data.nr && data.nr <= last
  );
  const place = winner === undefined ? own.length : own.indexOf(winner);
  const ruleOf = (rule: Rule): CallRule => ({
    ...placed(source, rule.source),
    ...answer(rule.value),
    condition: rule.conditions.map((c) => conditionText(c, call)).join(" and "),
  });
  const lost = own.flatMap((rule, i): readonly LostRule[] =>
    i === place ? [] : [{
      ...ruleOf(rule),
      reason: i < place
        ? failedCondition(rule, data, call)
        : `${winner?.source ?? "another rule"} is evaluated before it`,
    }]
  );
  const decided = winner === undefined
    ? {
      ...placed(source, defaultPath(source)),
      ...answer(value),
      condition: "",
    }
    : ruleOf(winner);
  return {
    decided,
    lost: [
      ...lost,
      ...ignoredEntries(source, own, call, winner).map((lost) => ({
        ...lost,
        ...answer(lost.value),
      })),
    ],
  };
}

/**
 * Writes the rule that decides a call: `syscalls[4] (profile.json:412:9)`.
 *
 * @param source The profile.
 * @param data The call.
 */
export function decidingRule(
  source: ExplainedProfile,
  data: SeccompData,
): string {
  const { rule } = decide(source.resolved.policy, data);
  return ruleText(placed(source, rule?.source ?? defaultPath(source)));
}

/** Path of the default action. */
function defaultPath({ profile: { sectionPath } }: ExplainedProfile): string {
  return sectionPath === "" ? "defaultAction" : `${sectionPath}.defaultAction`;
}

/** A rule's origin and place. */
function placed(
  { name, profile }: ExplainedProfile,
  path: string,
): Pick<CallRule, "rule" | "place"> {
  const at = locate(profile.document, path);
  return at === undefined
    ? { rule: path }
    : { rule: path, place: `${name}:${at.line}:${at.column}` };
}

/** Writes a condition of a policy. */
function conditionText(condition: Condition, call: WordedCall): string {
  return writeCondition(formulaOf(condition, call), call);
}

function formulaOf(
  { arg, op, mask, value }: Condition,
  { arch }: WordedCall,
): Formula {
  const is32 = arch?.bits === 32 ||
    mask === 0xffff_ffffn && arch !== undefined;
  const term: Term = { arg, part: is32 ? "low" : "whole" };
  const full = fullMask(term);
  const test = (first: bigint, last: bigint, negated: boolean): Formula => ({
    kind: "test",
    term,
    mask: mask & full,
    spans: [{ first, last }],
    negated,
  });
  switch (op) {
    case "eq":
    case "ne":
      return test(value, value, op === "ne");
    case "le":
    case "gt":
      return test(0n, value, op === "gt");
    case "ge":
    case "lt":
      return test(value, full, op === "lt");
  }
}

/** The first condition of a rule that a call does not meet. */
function failedCondition(
  { conditions }: Rule,
  data: SeccompData,
  call: WordedCall,
): string {
  const failed = conditions.find((condition) => !holds(condition, data));
  if (failed === undefined) throw new Error("Unreachable: the rule matches");
  const { arg } = failed;
  const words = wordsOfArgument(call, arg);
  const value = data.args[arg] ?? 0n;
  const seen = `${words.name} is ${words.write(value) ?? numberText(value)}`;
  return conditions.length === 1
    ? seen
    : `${seen}, not ${conditionText(failed, call)}`;
}

/** Entries that name the call but have no rule for it. */
function ignoredEntries(
  source: ExplainedProfile,
  own: readonly Rule[],
  { name, arch }: WordedCall,
  winner: Rule | undefined,
): readonly Omit<LostRule, "action">[] {
  const { profile, resolved } = source;
  const known = new Set(own.map((rule) => rule.source));
  const applied = new Set(resolved.seccomp.syscalls.map(({ path }) => path));
  const lost: Omit<LostRule, "action">[] = [];
  for (const entry of profile.section?.syscalls ?? []) {
    if (name === undefined || !entry.names.includes(name)) continue;
    if (known.has(entry.path)) continue;
    const value = returnValue(entry.action, entry.errnoRet);
    lost.push({
      ...placed(source, entry.path),
      value,
      condition: "",
      reason: !applied.has(entry.path)
        ? `it does not apply: ${requirements(entry)}`
        : value === resolved.policy.defaultValue
        ? "its action is the default action, so the runtime skips it"
        : winner === undefined
        ? `it has no rule for ${arch?.name ?? "this architecture"}`
        : `${winner.source} replaces it`,
    });
  }
  return lost;
}

/** Lists the conditions of `includes` and `excludes`. */
function requirements(
  { includes, excludes }: NonNullable<
    ParsedProfile["section"]
  >["syscalls"][number],
): string {
  const words = (list: readonly string[]): string => list.join(", ");
  const parts = [
    ...(includes?.caps.length ? [`it needs ${words(includes.caps)}`] : []),
    ...(includes?.arches.length
      ? [`it applies to ${words(includes.arches)}`]
      : []),
    ...(includes?.minKernel === undefined ? [] : [
      `it needs kernel ${includes.minKernel.major}.${includes.minKernel.minor}`,
    ]),
    ...(excludes?.caps.length ? [`it excludes ${words(excludes.caps)}`] : []),
    ...(excludes?.arches.length
      ? [`it does not apply to ${words(excludes.arches)}`]
      : []),
    ...(excludes?.minKernel === undefined ? [] : [
      `it applies to kernels before ${excludes.minKernel.major}.${excludes.minKernel.minor}`,
    ]),
  ];
  return parts.join(", ");
}

/** Writes a rule: `syscalls[4] (profile.json:412:9)`. */
export function ruleText(
  { rule, place }: Pick<CallRule, "rule" | "place">,
): string {
  return place === undefined ? rule : `${rule} (${place})`;
}

/** Writes what a rule does: `ERRNO(EPERM) if domain == AF_VSOCK`. */
export function effectText({ action, condition }: CallRule): string {
  return condition === "" ? action : `${action} if ${condition}`;
}
