/**
 * Reads the text of `writeDocument`: statements by name, and their numbers.
 *
 * @module
 */

import { effective, parseReturnValue } from "../bpf/return_value.ts";
import type { Range } from "../bpf/range.ts";
import { didYouMean } from "../tables/suggest.ts";
import { type Arch, archByName, ARCHES } from "../tables/arch.ts";
import { quoteText } from "../tables/printable.ts";
import { StatementError, type WrittenCondition } from "./condition.ts";
import { ALWAYS_TRUE } from "./formula.ts";
import { parseCondition } from "./parse_condition.ts";
import { resolveCondition } from "./resolve_condition.ts";
import {
  ALL_ARCHES,
  auditOf,
  EVERY_OTHER_CALL,
  EVERYTHING_ELSE,
  nameOfCall,
  OTHER_ARCHES,
} from "./rows.ts";
import type { AbiStatements, CallAbi, Statement } from "./statement.ts";

/** A statement as written, including the parts of enclosing lines. */
export interface WrittenStatement {
  /** The answer in names; the number of an error depends on the architecture. */
  readonly action: string;
  /** Names, numbers, ranges, or one of the catch-all words. */
  readonly calls: readonly string[];
  /** Names of architectures, or one of the words for many. */
  readonly arches: readonly string[];
  readonly condition: WrittenCondition | undefined;
  /** Line of the text, from 1. */
  readonly line: number;
}

/** The parts of a line; absent parts come from the enclosing line. */
type Parts = Partial<Omit<WrittenStatement, "line">>;

/** A line with the lines that are indented below it. */
interface TextLine {
  readonly indent: number;
  readonly text: string;
  readonly line: number;
}

const ACTION = /^[A-Z][A-Z_]+(?:\([^)]*\))?(?=\s|$)/;

/**
 * Reads a text.
 *
 * @throws {StatementError} if it is malformed, with the line in the message.
 *
 * @param text The text; `#` begins a comment.
 * @param names Architecture of names if the text does not distinguish
 * architectures.
 * @returns The statements about each ABI.
 */
export function parseDocument(
  text: string,
  names: Arch | undefined,
): readonly AbiStatements[] {
  const statements = parseStatements(text);
  const places = [...new Set(statements.flatMap(({ arches }) => arches))]
    .filter((place) => place !== ALL_ARCHES && place !== OTHER_ARCHES);
  const isOnly = places.length === 0;
  const abis = [
    ...places.map((place): CallAbi => abiOf(place)),
    { audit: "rest" } as const,
  ];
  return abis.map((abi) => {
    const place = abi.arch?.name ?? places[abis.indexOf(abi)] ?? OTHER_ARCHES;
    const own = statements.filter(({ arches }) =>
      arches.includes(place) || arches.includes(ALL_ARCHES)
    );
    return statementsOf(abi, own, abi.arch ?? (isOnly ? names : undefined));
  });
}

/**
 * Reads the lines of a text.
 *
 * @throws {StatementError} if a line is malformed.
 *
 * @param text The text.
 */
export function parseStatements(text: string): readonly WrittenStatement[] {
  const lines = linesOf(text);
  const statements: WrittenStatement[] = [];
  const above: (Parts & { readonly indent: number })[] = [];
  for (const [i, { indent, text, line }] of lines.entries()) {
    while ((above.at(-1)?.indent ?? -1) >= indent) above.pop();
    const parts = { ...above.at(-1), ...partsOf(text, line) };
    const isContext = (lines[i + 1]?.indent ?? -1) > indent;
    if (isContext) {
      above.push({ ...parts, indent });
      continue;
    }
    const { action, calls, arches, condition } = parts;
    if (action === undefined || calls === undefined || arches === undefined) {
      const missing = action === undefined
        ? "action"
        : calls === undefined
        ? "call"
        : "architecture";
      throw new StatementError(`Cannot read line ${line}: no ${missing}`, 0);
    }
    statements.push({ action, calls, arches, condition, line });
  }
  return statements;
}

/** Lines without comments; continued lines are joined. */
function linesOf(text: string): readonly TextLine[] {
  const lines: TextLine[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const bare = raw.replace(/(?:^|\s)#.*$/, "").trimEnd();
    if (bare === "") continue;
    const indent = bare.length - bare.trimStart().length;
    const before = lines.at(-1);
    const isContinued = before !== undefined && indent > before.indent &&
      (/[,|]$/.test(before.text) || /^\s*(?:and|or|if)\s/.test(bare));
    if (isContinued) {
      lines[lines.length - 1] = {
        ...before,
        text: `${before.text} ${bare.trimStart()}`,
      };
    } else lines.push({ indent, text: bare.trimStart(), line: i + 1 });
  }
  return lines;
}

/** Reads the parts of one line, in any order, the condition last. */
function partsOf(text: string, line: number): Parts {
  let parts: Parts = {};
  let rest = text;
  const condition = /(?:^|\s)if\s/.exec(rest);
  if (condition !== null) {
    const start = condition.index + condition[0].length;
    parts = { condition: onLine(line, () => parseCondition(text, start)) };
    rest = rest.slice(0, condition.index).trim();
  }
  const action = ACTION.exec(rest);
  if (action !== null) {
    parts = { ...parts, action: action[0] };
    rest = rest.slice(action[0].length).trim();
  }
  const on = /(?:^|\s)on\s+(.*)$/.exec(rest);
  if (on !== null) {
    parts = { ...parts, arches: listOf(on[1] ?? "") };
    rest = rest.slice(0, on.index).trim();
  }
  return rest === "" ? parts : { ...parts, calls: listOf(rest) };
}

function listOf(text: string): readonly string[] {
  return text.split(",").map((word) => word.trim())
    .filter((word) => word !== "");
}

function onLine<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    throw new StatementError(`line ${line}: ${error.message}`, error.offset);
  }
}

function abiOf(place: string): CallAbi {
  const arch = archByName(place);
  if (arch !== undefined) {
    const { auditArch } = arch;
    return { audit: { first: auditArch, last: auditArch }, arch };
  }
  const [first, last = first] = place.split("..").map(readNumber);
  if (first === undefined || last === undefined) {
    const near = didYouMean(place, ARCHES.map(({ name }) => name));
    throw new StatementError(
      `Cannot read architecture ${quoteText(place)}${
        near === undefined ? "" : `; did you mean ${near}`
      }`,
      0,
    );
  }
  return { audit: { first, last } };
}

function readNumber(text: string): number | undefined {
  const value = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text)
    ? Number(text)
    : NaN;
  return value <= 0xffff_ffff ? value : undefined;
}

/** The statements about one ABI. */
function statementsOf(
  abi: CallAbi,
  written: readonly WrittenStatement[],
  arch: Arch | undefined,
): AbiStatements {
  const statements: Statement[] = [];
  let rest: number | undefined;
  for (const { action, calls, condition, line } of written) {
    const value = onLine(line, () => answerOf(action, abi));
    for (const call of calls) {
      if (call === EVERYTHING_ELSE) {
        rest = value;
        continue;
      }
      const numbers = call === EVERY_OTHER_CALL
        ? "other" as const
        : [onLine(line, () => numbersOfCall(call, arch))];
      const nr = numbers === "other" ? undefined : numbers[0]?.first;
      const name = nr === undefined ? undefined : nameOfCall(arch, nr);
      const formula = condition === undefined
        ? ALWAYS_TRUE
        : onLine(line, () => resolveCondition(condition, { arch, name }));
      statements.push({ value, numbers, formula });
    }
  }
  if (rest === undefined) {
    throw new StatementError(
      `Cannot read the statements: no answer to everything else on ${
        arch?.name ?? OTHER_ARCHES
      }`,
      0,
    );
  }
  return { abi, statements, rest };
}

function answerOf(action: string, abi: CallAbi): number {
  try {
    return effective(parseReturnValue(action, auditOf(abi)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StatementError(error.message, 0);
  }
}

/**
 * Finds the numbers of a call.
 *
 * @throws {StatementError} if there is no such call.
 *
 * @param call A name, a number, or a range of numbers.
 * @param arch The architecture, if there is a table for it.
 */
export function numbersOfCall(call: string, arch: Arch | undefined): Range {
  const nr = arch?.syscalls.get(call);
  if (nr !== undefined) return { first: nr, last: nr };
  const [first, last = first] = call.split("..").map(readNumber);
  if (first !== undefined && last !== undefined && first <= last) {
    return { first, last };
  }
  const near = didYouMean(call, arch?.syscalls.keys() ?? []);
  throw new StatementError(
    `Cannot find call ${quoteText(call)} on ${arch?.name ?? "this machine"}${
      near === undefined ? "" : `; did you mean ${near}`
    }`,
    0,
  );
}
