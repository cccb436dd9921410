/**
 * Decides which rule wins if several rules name one system call.
 *
 * libseccomp, and therefore every container runtime built on it, does not take
 * the first rule that matches. It puts the comparisons of all rules on a call
 * in a tree and evaluates them from the top: a comparison of a higher argument
 * before one of a lower, equalities before upper bounds before lower bounds,
 * the tightest bound first. This module converts the rules of one call, in
 * order of arrival, to an ordered list whose first match is the answer. If two
 * rules contradict each other, which the runtimes refuse, it reports them
 * instead.
 *
 * If all rules of a call return the same value, the list is a plain union in
 * any order; the tree is needed only if their values differ.
 *
 * ```text
 * a0 == 1          → ERRNO      [a1 == 5] ── yes ─▶ LOG
 * a1 == 5          → LOG        [a0 == 7] ── yes ─▶ [a1 == 2] ── yes ─▶ TRAP
 * a0 == 7, a1 == 2 → TRAP       [a0 == 1] ── yes ─▶ ERRNO
 * ```
 *
 * Behavior observed on libseccomp 2.4.0 to 2.6.1.
 *
 * @module
 */

import type { Condition, ReturnValue } from "../policy.ts";
import type { LinuxSeccompArg } from "../formats/oci.ts";
import {
  type CutCondition,
  type CutRule,
  NEGATED,
  type Side,
  type Test,
} from "./rule_chain.ts";
import { type Conflict, fileRules } from "./rule_tree.ts";

/** One rule of a call as written in the profile. */
export interface PendingRule {
  /** Comparisons, at most one per argument. */
  readonly args: readonly LinuxSeccompArg[];
  /** The value that the filter returns. */
  readonly value: ReturnValue;
  /** Origin of the rule. */
  readonly source: string;
}

/** One rule of a call as written in a policy. */
export interface OrderedRule {
  /** All must be true. */
  readonly conditions: readonly Condition[];
  /** The value that the filter returns. */
  readonly value: ReturnValue;
  /** Origin of the rule. */
  readonly source: string;
}

const WORD = 0xffff_ffffn;
const HIGH = WORD << 32n;

/**
 * Puts the rules of one call in an order in which the first match wins.
 *
 * @param rules The rules in order of arrival.
 * @param bits Width of an argument comparison.
 * @returns The ordered rules, or the first contradiction.
 */
export function orderRules(
  rules: readonly PendingRule[],
  bits: 32 | 64,
): readonly OrderedRule[] | Conflict {
  const [only] = rules;
  if (rules.length === 1 && only?.args.length === 0) {
    return [{ conditions: [], value: only.value, source: only.source }];
  }
  const cut: readonly CutRule[] = rules.map((rule) => ({
    conditions: cutConditions(rule.args, bits),
    value: rule.value,
    source: rule.source,
  }));
  const always = cut.findIndex((rule) => rule.conditions.length === 0);
  const conditional = always === -1 ? cut : cut.slice(0, always);
  const first = conditional[0]?.value;
  let ordered: readonly OrderedRule[] = conditional.map(plain);
  if (conditional.some((rule) => rule.value !== first)) {
    const tree = fileRules(conditional, bits);
    if ("kind" in tree) return tree;
    ordered = listRules(tree);
  }
  const winner = cut[always];
  return winner === undefined ? ordered : [plain(winner)];
}

function plain(rule: CutRule): OrderedRule {
  return { ...rule, conditions: rule.conditions.map(plainCondition) };
}

function plainCondition({ arg, op, mask, value }: Condition): Condition {
  return { arg, op, mask, value };
}

/**
 * Truncates comparisons to the width of the architecture, drops those that are
 * always true because their mask is empty, and sorts them by argument.
 */
function cutConditions(
  args: readonly LinuxSeccompArg[],
  bits: 32 | 64,
): readonly CutCondition[] {
  const all = bits === 64 ? HIGH | WORD : WORD;
  const conditions: CutCondition[] = [];
  for (const { index, op, value, valueTwo } of args) {
    const masked = op === "SCMP_CMP_MASKED_EQ";
    const mask = masked ? value & all : all;
    if (mask === 0n) continue;
    conditions.push({
      arg: index,
      masked,
      op: masked ? "eq" : OPS[op],
      mask,
      value: (masked ? valueTwo : value) & mask,
    });
  }
  return conditions.sort((a, b) => a.arg - b.arg);
}

const OPS: Readonly<
  Record<Exclude<LinuxSeccompArg["op"], "SCMP_CMP_MASKED_EQ">, Condition["op"]>
> = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
};

/** Lists the paths of the tree in the order of evaluation. */
function listRules(root: readonly Test[]): readonly OrderedRule[] {
  const rules: OrderedRule[] = [];
  const walk = (side: Side, path: readonly Condition[]): void => {
    if (side.outcome !== undefined) {
      const { value, source } = side.outcome;
      rules.push({ conditions: joinHalves(path), value, source });
    }
    for (const test of side.tests) {
      walk(test.yes, [...path, test.condition]);
      walk(test.no, [...path, negate(test.condition)]);
    }
  };
  walk({ tests: [...root] }, []);
  return rules;
}

function negate(condition: Condition): Condition {
  return { ...condition, op: NEGATED[condition.op] };
}

/** Joins equalities of both halves of one argument into one. */
function joinHalves(path: readonly Condition[]): readonly Condition[] {
  const joined: Condition[] = [];
  for (const condition of path) {
    const last = joined[joined.length - 1];
    if (
      last !== undefined && last.arg === condition.arg && last.op === "eq" &&
      condition.op === "eq"
    ) {
      joined[joined.length - 1] = {
        arg: last.arg,
        op: "eq",
        mask: last.mask | condition.mask,
        value: last.value | condition.value,
      };
    } else joined.push(plainCondition(condition));
  }
  return joined;
}
