/**
 * A source's answers to recorded calls, whose arguments are unknown.
 *
 * @module
 */

import { actionOf, formatReturnValue } from "../../bpf/return_value.ts";
import { prevailing } from "../../tables/precedence.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import type { LogRecord } from "../../logs/record.ts";
import type { ArchPolicy, Rule } from "../../profile/policy.ts";
import { findAllowEntries, type NewEntry } from "../../pipeline/allow_entry.ts";
import { ARCHES } from "../../tables/arch.ts";
import { printable } from "../../tables/printable.ts";
import { SECCOMP_RET_ALLOW } from "../../tables/uapi.ts";
import { outlineOf } from "../../verify/describe/outline.ts";
import { UnprovenError } from "../error.ts";
import { archOfNumber } from "../output/names.ts";
import { decidingRule } from "../output/call/rules.ts";
import { entryText } from "../output/call/json.ts";
import { namesOfRecord } from "../output/records/format.ts";
import type { CompiledSource, LoadedFilter } from "./filter.ts";

/** The answer of a source to a call with any arguments. */
export interface SourceAnswer {
  /** The answer; `undefined` if the arguments decide. */
  readonly value: number | undefined;
  /** The rule that decides, in words. */
  readonly rule: string;
  /** The entry that would allow the call; absent if it is allowed. */
  readonly missing?: MissingEntry;
}

/** A change of a profile that allows a call with any arguments. */
export interface MissingEntry {
  /** Entries of `syscalls` to add. */
  readonly entries: readonly NewEntry[];
  /** True if they must come first. */
  readonly first: boolean;
  /** Entries from which the call must be removed. */
  readonly removeFrom: readonly string[];
  /** Architectures that the profile does not list. */
  readonly architectures: readonly string[];
}

/** Finds a source's answers to recorded calls. */
export type RecordJudge = (record: LogRecord) => SourceAnswer | undefined;

/**
 * Prepares a source.
 *
 * @param filter The source.
 * @returns Function that finds the answer; `undefined` for a record without a
 * number or an architecture.
 */
export function createJudge(filter: LoadedFilter): RecordJudge {
  const answers = new Map<string, SourceAnswer>();
  const judge = filter.kind === "profile"
    ? profileJudge(filter)
    : programJudge(filter);
  return (record) => {
    const { auditArch, nr } = record;
    if (auditArch === undefined || nr === undefined) return undefined;
    const key = `${auditArch}:${nr}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = withEntry(filter, judge(auditArch, nr), record);
    answers.set(key, answer);
    return answer;
  };
}

/** An answer before the entry is known. */
interface Judged extends Omit<SourceAnswer, "missing"> {
  /** True if the source does not list the architecture. */
  readonly unlisted: boolean;
}

function withEntry(
  filter: LoadedFilter,
  { unlisted, ...answer }: Judged,
  record: LogRecord,
): SourceAnswer {
  const { arch, call } = namesOfRecord(record);
  if (call === undefined || allows(answer.value)) return answer;
  const simple: MissingEntry = {
    entries: [{ names: [call], action: "SCMP_ACT_ALLOW", args: [] }],
    first: false,
    removeFrom: [],
    architectures: [],
  };
  const scmp = ARCHES.find(({ name }) => name === arch)?.scmp;
  if (unlisted && scmp !== undefined) {
    return { ...answer, missing: { ...simple, architectures: [scmp] } };
  }
  if (filter.kind === "programs") return { ...answer, missing: simple };
  const { profile, resolved, target } = filter;
  const found = findAllowEntries(profile, resolved, target, {
    name: call,
    args: new Map(),
    data: dataOf(record.auditArch ?? 0, record.nr ?? 0),
  });
  if (found.kind === "no-entries") return answer;
  const { add, first, removeFrom } = found;
  return {
    ...answer,
    missing: { entries: add, first, removeFrom, architectures: [] },
  };
}

/** A call with arguments, which no record has. */
function dataOf(arch: number, nr: number): SeccompData {
  const args = [0n, 0n, 0n, 0n, 0n, 0n];
  return { arch, nr, instructionPointer: 0n, args };
}

function allows(value: number | undefined): boolean {
  return value !== undefined && actionOf(value) === SECCOMP_RET_ALLOW;
}

function profileJudge(
  filter: CompiledSource,
): (auditArch: number, nr: number) => Judged {
  const { policy } = filter.resolved;
  return (auditArch, nr) => {
    const arch = policy.arches.find((each) => each.auditArch === auditArch);
    const owner = archOfNumber(auditArch, nr);
    if (arch === undefined) {
      return {
        value: policy.badArchValue,
        rule: "the profile is not for this architecture",
        unlisted: true,
      };
    }
    const unlisted = owner !== undefined && !arch.names.includes(owner.name);
    const judged = judgeRules(arch, policy.defaultValue, nr);
    return judged.value === undefined ? { ...judged, unlisted } : {
      value: judged.value,
      rule: decidingRule(filter, dataOf(auditArch, nr)),
      unlisted,
    };
  };
}

/** First match wins: the rules up to the first one without conditions. */
function judgeRules(
  { rules }: ArchPolicy,
  defaultValue: number,
  nr: number,
): Omit<Judged, "unlisted"> {
  const possible: Rule[] = [];
  for (const rule of rules) {
    if (nr < rule.first || nr > rule.last) continue;
    possible.push(rule);
    if (rule.conditions.length === 0) break;
  }
  const last = possible.at(-1);
  const decided = last !== undefined && last.conditions.length === 0;
  const values = new Set(possible.map(({ value }) => value));
  if (!decided) values.add(defaultValue);
  const [value] = values;
  const words = possible.map(({ source, value }) =>
    `${source} (${formatReturnValue(value)})`
  );
  if (!decided) {
    words.push(`else defaultAction (${formatReturnValue(defaultValue)})`);
  }
  return {
    value: values.size === 1 ? value : undefined,
    rule: `by arguments: ${words.join(", ")}`,
  };
}

function programJudge(
  { programs, littleEndian, name }: LoadedFilter,
): (auditArch: number, nr: number) => Judged {
  const found = outlineOf({ programs, littleEndian });
  if ("kind" in found) {
    throw new UnprovenError(
      `Cannot evaluate records against ${name}: the limit on ${found.limit} was reached`,
    );
  }
  const { arches } = found;
  const prepared = programs.map((program) => prepare(program));
  return (arch, nr) => {
    const answer = arches.find(({ first, last }) =>
      first <= arch && arch <= last
    )?.numbers.find(({ first, last }) => first <= nr && nr <= last)?.answer;
    if (answer === undefined) {
      throw new Error("Unreachable: a gap in the outline");
    }
    const words = toWords(dataOf(arch, nr), littleEndian);
    const value = prevailing(prepared.map((each) => run(each, words)));
    const parts = new Set(answer.offsets.map(partName));
    return answer.offsets.length === 0
      ? { value, rule: "the filter, for all arguments", unlisted: false }
      : {
        value: undefined,
        rule: `the filter tests ${[...parts].join(", ")}`,
        unlisted: false,
      };
  };
}

/** Names the part of `struct seccomp_data` at an offset. */
function partName(offset: number): string {
  return offset < 16
    ? "instruction_pointer"
    : `argument ${(offset - 16) >>> 3}`;
}

/** Writes an answer below a record. */
export function answerLines(
  { value, rule, missing }: SourceAnswer,
  { action }: LogRecord,
): string {
  const verdict = value === undefined ? "" : `${formatReturnValue(value)} by `;
  const lines = [`  rule      ${printable(verdict + rule)}`];
  if (missing !== undefined) {
    const { architectures, entries, first, removeFrom } = missing;
    const scope = [
      ...(first ? [", as the first entry"] : []),
      ...(value === undefined
        ? [", for all arguments; the record has none"]
        : []),
    ].join("");
    const changes = [
      ...architectures.map((name) => `list ${name}`),
      ...removeFrom.map((path) =>
        `remove ${entries[0]?.names[0] ?? "it"} from the names of ${path}`
      ),
      ...entries.map((entry) => entryText(entry) + scope),
    ];
    lines.push(...changes.map((change) => `  to allow  ${printable(change)}`));
  } else if (allows(value) && action !== undefined && action !== "ALLOW") {
    lines.push("  note      allowed here: another filter caused the record");
  }
  return `${lines.join("\n")}\n`;
}

/** Makes the JSON of an answer. */
export function jsonOfAnswer(
  { value, rule, missing }: SourceAnswer,
): Readonly<Record<string, unknown>> {
  return {
    verdict: value === undefined ? null : formatReturnValue(value),
    rule,
    ...(missing === undefined ? {} : {
      missing: {
        ...missing,
        entries: missing.entries.map((entry) => JSON.parse(entryText(entry))),
      },
    }),
  };
}
