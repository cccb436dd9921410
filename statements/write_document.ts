/**
 * Writes statements as an indented text: lines indented further continue the
 * line above them, so that an action, architectures and calls are written once.
 *
 * ```text
 * ALLOW on x86_64, x86
 *   read, write
 *   socket if domain ∉ {AF_ALG, AF_VSOCK}
 * ```
 *
 * @module
 */

import { precedence } from "../tables/precedence.ts";
import {
  ALL_ARCHES,
  EVERY_OTHER_CALL,
  EVERYTHING_ELSE,
  OTHER_ARCHES,
  type StatementRow,
} from "./rows.ts";

/** The part of a row by which a text is ordered first. */
export type Grouping = "action" | "call" | "arch";

/** Options of `writeDocument`. */
export interface DocumentOptions {
  /** The part by which rows are ordered first. */
  readonly by: Grouping;
  /** Names of all architectures of the explanation, in their order. */
  readonly arches: readonly string[];
  /** Maximum length of a line, unless a single word is longer. */
  readonly columns?: number;
}

const COLUMNS = 100;

/**
 * Writes rows.
 *
 * @param rows The rows.
 * @param options Their order.
 * @returns Lines that `parseDocument` reads.
 */
export function writeDocument(
  rows: readonly StatementRow[],
  options: DocumentOptions,
): string {
  const { columns = COLUMNS } = options;
  const lines: string[] = [];
  const put = (depth: number, text: string): void => {
    lines.push(...wrapLine("  ".repeat(depth), text, columns));
  };
  switch (options.by) {
    case "action":
      for (const group of byAction(rows)) putAction(group, options, put, 0);
      break;
    case "arch":
      for (const arch of options.arches) {
        const own = rows.filter((row) => row.arches.includes(arch))
          .map((row) => ({ ...row, arches: [arch] }));
        put(0, `on ${arch}`);
        for (const group of byAction(own)) {
          put(1, actionText(group));
          putCalls(group, put, 2);
        }
      }
      break;
    case "call":
      putByCall(rows, options, put);
      break;
  }
  return lines.map((line) => `${line}\n`).join("");
}

type Put = (depth: number, text: string) => void;

/** Groups rows by their action, the loosest first. */
function byAction(
  rows: readonly StatementRow[],
): readonly (readonly StatementRow[])[] {
  const groups = groupBy(rows, ({ action }) => action);
  return groups.toSorted((a, b) =>
    precedence(valueOf(b)) - precedence(valueOf(a)) || valueOf(a) - valueOf(b)
  );
}

function valueOf([row]: readonly StatementRow[]): number {
  return row?.value ?? 0;
}

function actionText(group: readonly StatementRow[]): string {
  return group[0]?.action ?? "";
}

function putAction(
  group: readonly StatementRow[],
  options: DocumentOptions,
  put: Put,
  depth: number,
): void {
  const action = actionText(group);
  const parts = groupBy(group, (row) => placeOf(row, options))
    .toSorted((a, b) => rank(a, options) - rank(b, options));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    put(depth, `${action} on ${placeOf(only[0], options)}`);
    putCalls(only, put, depth + 1);
    return;
  }
  put(depth, action);
  for (const part of parts) {
    put(depth + 1, `on ${placeOf(part[0], options)}`);
    putCalls(part, put, depth + 2);
  }
}

/** Rows with many architectures first, then in their order. */
function rank(
  [row]: readonly StatementRow[],
  { arches }: DocumentOptions,
): number {
  const places = row?.arches ?? [];
  return arches.indexOf(places[0] ?? "") - arches.length * places.length;
}

function placeOf(
  row: StatementRow | undefined,
  { arches }: DocumentOptions,
): string {
  const places = row?.arches ?? [];
  const isAll = places.length === arches.length &&
    places.includes(OTHER_ARCHES);
  if (isAll) return ALL_ARCHES;
  return arches.filter((arch) => places.includes(arch)).join(", ");
}

/** Calls without a condition first, everything else last. */
function putCalls(
  rows: readonly StatementRow[],
  put: Put,
  depth: number,
): void {
  const named = rows.filter(({ call }) => !isCatchAll(call));
  const groups = groupBy(named, ({ condition }) => condition);
  const isBare = ([row]: readonly StatementRow[]): boolean =>
    row?.condition === "";
  for (
    const group of [
      ...groups.filter(isBare),
      ...groups.filter((group) => !isBare(group)),
    ]
  ) {
    const calls = group.map(({ call }) => call).toSorted(compareCalls);
    put(depth, lineOf(calls.join(", "), group[0]?.condition));
  }
  for (const word of [EVERY_OTHER_CALL, EVERYTHING_ELSE]) {
    for (const { call, condition } of rows) {
      if (call === word) put(depth, lineOf(call, condition));
    }
  }
}

function lineOf(calls: string, condition = ""): string {
  return condition === "" ? calls : `${calls} if ${condition}`;
}

function isCatchAll(call: string): boolean {
  return call === EVERY_OTHER_CALL || call === EVERYTHING_ELSE;
}

/** Names before numbers, each in their order. */
function compareCalls(a: string, b: string): number {
  const [x, y] = [a, b].map((call) => parseInt(call, 10));
  const isName = [x, y].map((number) => Number.isNaN(number));
  if (isName[0] !== isName[1]) return isName[0] === true ? -1 : 1;
  if (isName[0] === true) return a < b ? -1 : a > b ? 1 : 0;
  return Number(a.split("..")[0]) - Number(b.split("..")[0]);
}

function putByCall(
  rows: readonly StatementRow[],
  options: DocumentOptions,
  put: Put,
): void {
  const groups = groupBy(rows, ({ call }) => call);
  const order = groups.toSorted((a, b) => {
    const [x, y] = [a[0]?.call ?? "", b[0]?.call ?? ""];
    return Number(isCatchAll(x)) - Number(isCatchAll(y)) || compareCalls(x, y);
  });
  // Calls with the same answers share their lines.
  const same = groupBy(
    order,
    (group) =>
      isCatchAll(group[0]?.call ?? "") ? group[0]?.call ?? "" : JSON.stringify(
        group.map((row) => [row.action, row.condition, row.arches]),
      ),
  );
  for (const groups of same) {
    const [rows = []] = groups;
    put(0, groups.map(([row]) => row?.call ?? "").join(", "));
    for (const row of rows) {
      const action = `${row.action} on ${placeOf(row, options)}`;
      put(1, lineOf(action, row.condition));
    }
  }
}

function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/**
 * Breaks a line after commas and `|` and before "and", "or" and "if"; what
 * follows is indented by four more, so that it is not a separate line.
 *
 * @param indent Blanks at the start of every line.
 * @param text The line.
 * @param columns Maximum length, unless a single word is longer.
 * @returns The lines.
 */
export function wrapLine(
  indent: string,
  text: string,
  columns: number,
): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const [i, word] of text.split(BREAKS).entries()) {
    const piece = line.endsWith("|") || i === 0 ? word : ` ${word}`;
    if (i > 0 && [...line].length + [...piece].length > columns) {
      lines.push(line);
      line = `${indent}    ${word}`;
    } else line += piece;
  }
  return [...lines, line];
}

/** A blank after a comma or before "and", "or" and "if"; the place after `|`. */
const BREAKS = /(?<=,) | (?=and |or |if )|(?<=\|)/;
