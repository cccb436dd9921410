/**
 * A report about one call as JSON, and the entries that would allow it.
 *
 * @module
 */

import type { AllowEntries, NewEntry } from "../../../pipeline/allow_entry.ts";
import { wordsOfArgument } from "../../../statements/argument_words.ts";
import { writeCondition } from "../../../statements/write_condition.ts";
import { jsonOfCall, jsonOfValue } from "../../input/call.ts";
import type { CallReport } from "./report_call.ts";
import type { CallRule } from "./rules.ts";

/** Writes an entry as JSON; numbers of 64 bits stay exact. */
export function entryText(entry: NewEntry): string {
  const { names, action, errnoRet, args } = entry;
  const fields = [
    `"names":${JSON.stringify(names)}`,
    `"action":"${action}"`,
    ...(errnoRet === undefined ? [] : [`"errnoRet":${errnoRet}`]),
    ...(args.length === 0 ? [] : [
      `"args":[${
        args.map(({ index, value, op }) =>
          `{"index":${index},"value":${value},"op":"${op}"}`
        ).join(",")
      }]`,
    ]),
  ];
  return `{${fields.join(",")}}`;
}

/** Makes the JSON of a report. */
export function jsonOfReport(
  report: CallReport,
): Readonly<Record<string, unknown>> {
  const { call, answers, paths, cached, rules, nearest, allow } = report;
  return {
    source: report.filter.name,
    ...jsonOfCall(report.data),
    ...jsonOfValue(report.value, report.data.arch),
    steps: paths.reduce((sum, { path }) => sum + path.length, 0),
    paths: paths.map(({ path }) => path),
    cached,
    answers: answers?.map(({ value, formula }) => ({
      ...jsonOfValue(value, report.data.arch),
      condition: writeCondition(formula, call) || null,
    })) ?? null,
    ...(rules === undefined ? {} : {
      rule: jsonOfRule(rules.decided),
      lost: rules.lost.map((rule) => ({
        ...jsonOfRule(rule),
        reason: rule.reason,
      })),
    }),
    nearest: nearest.map(({ arg, value }) => ({
      index: arg,
      name: wordsOfArgument(call, arg).name,
      value: `0x${value.toString(16)}`,
    })),
    ...(allow === undefined ? {} : { allow: jsonOfAllow(allow) }),
  };
}

function jsonOfRule(
  rule: CallRule,
): Readonly<Record<string, unknown>> {
  const { place = null, condition } = rule;
  return {
    rule: rule.rule,
    place,
    value: rule.value,
    verdict: rule.action,
    condition: condition === "" ? null : condition,
  };
}

function jsonOfAllow(
  allow: AllowEntries | {
    readonly kind: "no-entries";
    readonly reason: string;
  },
): Readonly<Record<string, unknown>> {
  if (allow.kind === "no-entries") {
    return { found: false, reason: allow.reason };
  }
  const { add, first, removeFrom, arches, also } = allow;
  return {
    found: true,
    removeFrom,
    position: first ? "first" : "last",
    // Integers beyond 2^53 are decimal strings.
    add: add.map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args.length === 0 ? {} : {
        args: args.map(({ index, value, op }) => ({
          index,
          value: value <= Number.MAX_SAFE_INTEGER ? Number(value) : `${value}`,
          op,
        })),
      }),
    })),
    arches,
    exact: also.length === 0,
    also: also.map(jsonOfCall),
  };
}
