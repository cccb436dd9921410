/**
 * Puts the rules of every call of an architecture in order and reports the
 * effects: if several rules name one call, the winner is rarely the one that
 * the order of the profile suggests.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Rule } from "../policy.ts";
import {
  type OrderedRule,
  orderRules,
  type PendingRule,
} from "./precedence.ts";

/** Rules of an architecture, and findings about them. */
export interface OrderedCalls {
  /** First match wins. */
  readonly rules: readonly Rule[];
  /** Conflicts, rules without effect, and orders that matter. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Orders the rules of every call, by number.
 *
 * @param pending Rules in order of arrival, by number, or by name if the call
 * does not exist there.
 * @param arch The architecture.
 * @param options `native` is true for the native architecture: on others, a
 * rule without effect is only a note.
 * @returns Ordered rules with findings.
 */
export function orderCalls(
  pending: ReadonlyMap<number | string, readonly PendingRule[]>,
  arch: Arch,
  options: { readonly native: boolean },
): OrderedCalls {
  const rules: Rule[] = [];
  const diagnostics: Diagnostic[] = [];
  const keys = [...pending.keys()];
  const numbers = keys.filter((key) => typeof key === "number");
  const names = keys.filter((key) => typeof key === "string");
  for (const key of [...Uint32Array.from(numbers).sort(), ...names]) {
    const stated = pending.get(key) ?? [];
    const ordered = orderRules(stated, arch.bits);
    // Called only for messages, because it searches the whole table.
    const call = (): string =>
      `${
        typeof key === "number" ? callName(arch, key) : `"${key}"`
      } on ${arch.name}`;
    if ("kind" in ordered) {
      diagnostics.push({
        severity: "error",
        code: "conflicting-rules",
        path: ordered.source,
        message:
          `Cannot add this rule for ${call()}: the rule at ${ordered.other} has the same condition and another action`,
        fix:
          "remove one of the two; the runtimes refuse the container (EEXIST)",
      });
    } else if (typeof key === "number") {
      for (const { conditions, value, source } of ordered) {
        rules.push({ first: key, last: key, conditions, value, source });
      }
      if (stated.length === 1) continue;
      diagnostics.push(...explainOrder(stated, ordered, call, options));
    }
  }
  return { rules, diagnostics };
}

/** Reports which rules of a call win if their actions differ. */
function explainOrder(
  stated: readonly PendingRule[],
  ordered: readonly OrderedRule[],
  call: () => string,
  { native }: { readonly native: boolean },
): readonly Diagnostic[] {
  const value = stated[0]?.value;
  if (stated.every((rule) => rule.value === value)) return [];
  const diagnostics: Diagnostic[] = [];
  const alive = new Set(ordered.map((rule) => rule.source));
  const always = ordered.find((rule) => rule.conditions.length === 0);
  const dead = new Set<string>();
  for (const rule of stated) {
    if (alive.has(rule.source) || dead.has(rule.source)) continue;
    if (always?.value === rule.value) continue;
    dead.add(rule.source);
    diagnostics.push({
      severity: native && always !== undefined ? "warning" : "note",
      code: "dead-rule",
      path: rule.source,
      message: `Rule has no effect for ${call()}: ${
        always === undefined
          ? "another rule always comes before it"
          : `the rule at ${always.source} has no conditions and replaces it`
      }`,
      fix: "remove one of the two",
    });
  }
  const order = [...alive];
  const written = [...new Set(stated.map((rule) => rule.source))]
    .filter((source) => alive.has(source));
  if (order.some((source, i) => source !== written[i])) {
    diagnostics.push({
      severity: "note",
      code: "rule-order",
      path: order[0] ?? "",
      message: `Rules for ${call()} are evaluated in this order: ${
        order.join(", ")
      }`,
    });
  }
  return diagnostics;
}

function callName(arch: Arch, nr: number): string {
  for (const [name, number] of arch.syscalls) {
    if (number === nr) return `"${name}"`;
  }
  return `number ${nr}`;
}
