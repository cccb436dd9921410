/**
 * A report about one call, as text.
 *
 * @module
 */

import { formatInstruction } from "../../../bpf/assembly/format_instruction.ts";
import { fieldName } from "../../../bpf/annotate.ts";
import { ARCH_OFFSET } from "../../../bpf/seccomp_data.ts";
import { isConditionalJump } from "../../../bpf/opcode.ts";
import { formatReturnValue } from "../../../bpf/return_value.ts";
import { wordsOfArgument } from "../../../statements/argument_words.ts";
import { nameOfAbi } from "../../../statements/rows.ts";
import { wrapLine } from "../../../statements/write_document.ts";
import {
  numberText,
  writeCondition,
} from "../../../statements/write_condition.ts";
import { printable } from "../../../tables/printable.ts";
import { SECCOMP_RET_ALLOW } from "../../../tables/uapi.ts";
import { describeCall } from "../../input/call.ts";
import { entryText } from "./json.ts";
import type { CallReport } from "./report_call.ts";
import { decidingRule, effectText, ruleText } from "./rules.ts";

/** Maximum length of a line, unless a single word is longer. */
const COLUMNS = 100;

/** Writes a report. */
export function callText(report: CallReport): string {
  const { value, abi, answers } = report;
  const isOpen = report.given === 0 && (answers?.length ?? 0) > 1;
  const lines = isOpen ? answerLines(report) : [
    `${formatReturnValue(value, report.data.arch)} on ${nameOfAbi(abi)}: ${
      decidedText(report)
    }`,
    line("call", callWords(report)),
    ...lostLines(report),
    ...pathLines(report),
    ...nearestLines(report),
    line("kernel", kernelText(report)),
    ...allowLines(report),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(10)}${text}`;
}

/** The call with the names of its arguments. */
function callWords({ call, data, given }: CallReport): string {
  if (call.name === undefined) return describeCall(data);
  const words = data.args.map((value, arg) => {
    const { name, write } = wordsOfArgument(call, arg);
    return { name, text: write(value) ?? numberText(value) };
  });
  const known = words.findLastIndex(({ name }, arg) => name !== `arg${arg}`);
  const shown = words.slice(0, Math.max(given, known + 1));
  return `${call.name}(${
    shown.map(({ name, text }) => `${name}=${text}`).join(", ")
  }), number ${data.nr}`;
}

/** All answers to a call without given arguments. */
function answerLines(report: CallReport): readonly string[] {
  const { answers = [], call, abi, rules } = report;
  const lines = answers.toSorted((a, b) =>
    Number(b.value === SECCOMP_RET_ALLOW) -
    Number(a.value === SECCOMP_RET_ALLOW)
  ).flatMap(({ value, formula }) =>
    wrapLine(
      "  ",
      `${formatReturnValue(value, report.data.arch)} if ${
        writeCondition(formula, call)
      }`,
      COLUMNS,
    )
  );
  const all = rules === undefined ? [] : [rules.decided, ...rules.lost];
  return [
    `${call.name ?? report.data.nr} on ${nameOfAbi(abi)}: the arguments decide`,
    ...lines,
    ...all.map((rule) =>
      line("rule", `${ruleText(rule)}: ${effectText(rule)}`)
    ),
    line("kernel", kernelText(report)),
  ];
}

function decidedText(
  { rules, paths, value, filter, call }: CallReport,
): string {
  if (rules !== undefined) {
    const { decided } = rules;
    const isDefault = decided.rule.endsWith("defaultAction");
    return isDefault
      ? `no rule matches (${decided.rule}${
        decided.place === undefined ? "" : `, ${decided.place}`
      })`
      : `${ruleText(decided)}${
        decided.condition === ""
          ? ""
          : ` decides ${call.name ?? "the call"} if ${decided.condition}`
      }`;
  }
  const index = paths.findIndex((path) => path.value === value);
  const at = Math.max(0, index);
  const last = paths[at]?.path.at(-1) ?? 0;
  const instruction = filter.programs[at]?.[last];
  const which = paths.length > 1 ? ` of filter ${at}` : "";
  return `instruction ${last}${which} decides, ${
    instruction === undefined
      ? ""
      : formatInstruction(instruction, last, new Set())
  }`;
}

/**
 * The tests of the filter that decided, each with its result: those that
 * succeeded, and those of arguments. The other tests of a list only rule out
 * other calls.
 */
function pathLines(
  { rules, paths, value, filter }: CallReport,
): readonly string[] {
  if (rules !== undefined) return [];
  const at = Math.max(0, paths.findIndex((path) => path.value === value));
  const path = paths[at]?.path ?? [];
  const program = filter.programs[at] ?? [];
  const lines: string[] = [];
  let field: string | undefined;
  let isArgument = false;
  for (const [i, pc] of path.entries()) {
    const instruction = program[pc];
    if (instruction === undefined || typeof instruction.op === "number") {
      continue;
    }
    const { op, jt, jf, k } = instruction;
    if (op === "ld.abs") {
      field = fieldName(k, filter.littleEndian);
      isArgument = k > ARCH_OFFSET;
    }
    if (!isConditionalJump(op)) continue;
    const isTrue = path[i + 1] === pc + 1 + jt && jt !== jf;
    if (!isTrue && !isArgument) continue;
    const [test] = formatInstruction({ op, jt: 0, jf: 0, k }, pc, NO_TARGETS)
      .split(",");
    lines.push(
      line(
        "test",
        `${pc}: ${test} on ${field ?? "A"}: ${isTrue ? "yes" : "no"}, to ${
          pc + 1 + (isTrue ? jt : jf)
        }`,
      ),
    );
  }
  return lines;
}

const NO_TARGETS: ReadonlySet<number> = new Set();

function lostLines({ rules }: CallReport): readonly string[] {
  return (rules?.lost ?? []).map((rule) =>
    line("lost", `${ruleText(rule)}: ${effectText(rule)}: ${rule.reason}`)
  );
}

function nearestLines(report: CallReport): readonly string[] {
  const { value, nearest, call } = report;
  if (value === SECCOMP_RET_ALLOW) return [];
  if (nearest.length === 0) {
    return [line("nearest", "no value of a single argument is allowed")];
  }
  return nearest.map(({ arg, value }) => {
    const words = wordsOfArgument(call, arg);
    const name = words.write(value);
    const number = numberText(value);
    return line(
      "nearest",
      `${words.name} = ${
        name === undefined ? number : `${name} (${number})`
      } is allowed${allowedBy(report, arg, value)}`,
    );
  });
}

/** The rule that allows a call with another argument. */
function allowedBy(
  { filter, data }: CallReport,
  arg: number,
  value: bigint,
): string {
  if (filter.kind === "programs") return "";
  const rule = decidingRule(filter, {
    ...data,
    args: data.args.with(arg, value),
  });
  return ` by ${rule}`;
}

function kernelText({ cached, paths, answers }: CallReport): string {
  const steps = paths.reduce((sum, { path }) => sum + path.length, 0);
  return cached
    ? "cached: the filter never runs for it (Linux 5.11 and later)"
    : `not cached: the filter runs, ${steps} instructions${
      (answers?.length ?? 1) > 1 ? " for these arguments" : ""
    }`;
}

function allowLines({ allow }: CallReport): readonly string[] {
  if (allow === undefined) return [];
  if (allow.kind === "no-entries") {
    return [line("to allow", `not by an entry: ${allow.reason}`)];
  }
  const { add, first, removeFrom, arches, also } = allow;
  const where = first ? ", as the first entry" : "";
  return [
    ...removeFrom.map((path) =>
      line("to allow", `remove ${add[0]?.names[0]} from the names of ${path}`)
    ),
    ...add.map((entry, i) =>
      line(
        i === 0 && removeFrom.length === 0 ? "to allow" : "and add",
        `${entryText(entry)}${where}`,
      )
    ),
    line(
      "proved",
      also.length === 0
        ? `it allows exactly this on ${arches.join(", ")}`
        : `it allows more than this: ${also.map(describeCall).join("; ")}`,
    ),
  ];
}
