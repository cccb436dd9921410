/**
 * Writes a filter of Firecracker: two answers, that of listed calls and that of
 * all others. All comparisons are of 64 bits, which every version reads alike.
 *
 * @module
 */

import { readFirecracker } from "../../../profile/foreign/firecracker.ts";
import { FIRECRACKER_ARCHES } from "../../../profile/foreign/firecracker_filter.ts";
import type { Condition, ReturnValue } from "../../../profile/policy.ts";
import type { Conjunction } from "../../../statements/cover_call.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../../tables/uapi.ts";
import { strictest } from "../../../verify/pointwise.ts";
import { permissionOf, type SourceView } from "../source_view.ts";
import { UnwritableSource, type WrittenPolicy } from "./written.ts";

/** Categories that a file of Firecracker has. */
export const FIRECRACKER_CATEGORIES: readonly string[] = [
  "vmm",
  "api",
  "vcpu",
];

const ENOSYS = 38;
const WHOLE = 0xffff_ffff_ffff_ffffn;
/** libseccomp refuses larger errors. */
const MOST_ERRNO = 4094;

/** A rule of one call. */
type Rule = readonly [name: string, conditions: Conjunction];

/**
 * Writes filters.
 *
 * @throws {UnwritableSource} if Firecracker does not run on the machine.
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param view The source.
 * @param categories Names of the filters, all of which are the same.
 */
export function writeFirecracker(
  view: SourceView,
  categories: readonly string[] = FIRECRACKER_CATEGORIES,
): WrittenPolicy {
  const { native } = view;
  if (!FIRECRACKER_ARCHES.includes(native.name)) {
    throw new UnwritableSource(
      `Firecracker has no filters for ${native.name}, only for ${
        FIRECRACKER_ARCHES.join(" and ")
      }`,
    );
  }
  const fallback = sayable(view.fallbackOf(native));
  const listed = listedAnswer(view, fallback);
  const reasons = new Map<string, string>();
  const rules = listed === undefined
    ? []
    : [...native.syscalls].toSorted(([a], [b]) => a < b ? -1 : 1)
      .flatMap(([name, nr]) =>
        rulesOf(view, name, nr, listed, fallback, reasons)
      );
  const filter = textOf(fallback, listed ?? otherThan(fallback), rules);
  const text = `{\n${
    categories.map((name) => `  ${JSON.stringify(name)}: ${filter}`).join(",\n")
  }\n}\n`;
  const read = readFirecracker(text, { native, category: categories[0] });
  return {
    text,
    policy: read.policy,
    arches: [native],
    reasons: {
      calls: reasons,
      fallback:
        "a filter of Firecracker has two answers: that of listed calls and that of all others",
      arch:
        "a filter of Firecracker is for one architecture, and kills on others",
    },
  };
}

/** The nearest answer on the safe side that Firecracker has. */
function sayable(value: ReturnValue): ReturnValue {
  const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  const data = value & SECCOMP_RET_DATA;
  switch (action) {
    case SECCOMP_RET_USER_NOTIF:
      // The kernel's own answer if nobody listens.
      return SECCOMP_RET_ERRNO + ENOSYS;
    case SECCOMP_RET_ERRNO:
      return SECCOMP_RET_ERRNO + Math.min(data, MOST_ERRNO);
    case SECCOMP_RET_TRACE:
      return value;
    default:
      return action;
  }
}

/** All answers of calls with a name. */
function answersOf(view: SourceView): readonly ReturnValue[] {
  const { native, functions } = view;
  return [...native.syscalls.values()].flatMap((nr) => {
    const only = functions.constantOf(functions.at(native, nr));
    return only === undefined ? view.answersOf(native, nr) ?? [] : [only];
  });
}

/** The answer of the calls that the filter lists. */
function listedAnswer(
  view: SourceView,
  fallback: ReturnValue,
): ReturnValue | undefined {
  const counts = new Map<ReturnValue, number>();
  for (const answer of answersOf(view)) {
    const value = sayable(answer);
    if (value !== fallback) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const values = [...counts.keys()];
  if (values.length === 0) return undefined;
  // If others are permitted, all that differ get the strictest answer.
  if (permissionOf(fallback) > 0) return values.reduce(strictest);
  if (counts.has(SECCOMP_RET_ALLOW)) return SECCOMP_RET_ALLOW;
  return values.reduce((a, b) =>
    (counts.get(b) ?? 0) > (counts.get(a) ?? 0) ? b : a
  );
}

function rulesOf(
  view: SourceView,
  name: string,
  nr: number,
  listed: ReturnValue,
  fallback: ReturnValue,
  reasons: Map<string, string>,
): readonly Rule[] {
  const { native, functions } = view;
  const isDenyList = permissionOf(fallback) > permissionOf(listed);
  const isListed = (value: ReturnValue): boolean =>
    isDenyList ? sayable(value) !== fallback : sayable(value) === listed;
  const only = functions.constantOf(functions.at(native, nr));
  if (only !== undefined) return isListed(only) ? [[name, []]] : [];
  const cover = view.clausesOf(native, nr, isListed);
  if (cover !== undefined) {
    return cover.map((conditions): Rule => [name, conditions]);
  }
  reasons.set(
    name,
    view.answersOf(native, nr) === undefined
      ? "no comparisons of arguments say its condition"
      : "its condition needs more than one comparison of an argument",
  );
  return isDenyList ? [[name, []]] : [];
}

function otherThan(fallback: ReturnValue): ReturnValue {
  return fallback === SECCOMP_RET_ALLOW ? SECCOMP_RET_TRAP : SECCOMP_RET_ALLOW;
}

function textOf(
  fallback: ReturnValue,
  listed: ReturnValue,
  rules: readonly Rule[],
): string {
  const lines = rules.map(([name, conditions]) => {
    const args = conditions.map(comparisonText);
    return args.length === 0
      ? `      { "syscall": ${JSON.stringify(name)} }`
      : `      { "syscall": ${JSON.stringify(name)}, "args": [\n${
        args.map((one) => `        ${one}`).join(",\n")
      }\n      ] }`;
  });
  const list = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n    ]`;
  return `{
    "default_action": ${actionText(fallback)},
    "filter_action": ${actionText(listed)},
    "filter": ${list}
  }`;
}

function actionText(value: ReturnValue): string {
  const data = value & SECCOMP_RET_DATA;
  switch ((value & SECCOMP_RET_ACTION_FULL) >>> 0) {
    case SECCOMP_RET_ALLOW:
      return '"allow"';
    case SECCOMP_RET_LOG:
      return '"log"';
    case SECCOMP_RET_TRAP:
      return '"trap"';
    case SECCOMP_RET_KILL_PROCESS:
      return '"kill_process"';
    case SECCOMP_RET_KILL_THREAD:
      return '"kill_thread"';
    case SECCOMP_RET_ERRNO:
      return `{ "errno": ${data} }`;
    case SECCOMP_RET_TRACE:
      return `{ "trace": ${data} }`;
    default:
      throw new Error(`Unreachable: answer ${value}`);
  }
}

function comparisonText({ arg, op, mask, value }: Condition): string {
  const operator = mask === WHOLE ? `"${op}"` : `{ "masked_eq": ${mask} }`;
  return `{ "index": ${arg}, "type": "qword", "op": ${operator}, "val": ${value} }`;
}
