/**
 * Reads the output of `tcpdump -ddd`: the number of instructions, then code,
 * jt, jf and k of each in decimal.
 *
 * @module
 */

import type { DraftSection, Written } from "../../../bpf/assembly/draft.ts";
import type { AssemblyProblems } from "../../../bpf/assembly/problems.ts";
import { toOp } from "../../../bpf/opcode.ts";

const COUNT = /^\s*([0-9]{1,6})\s*$/;
const ROW = /^\s*([0-9]+)\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)\s*$/;
const MOST = [0xffff, 0xff, 0xff, 0xffff_ffff] as const;

/**
 * Reads the filters.
 *
 * @param text The output, once per filter.
 * @param problems Receives the errors.
 */
export function readDecimalRows(
  text: string,
  problems: AssemblyProblems,
): readonly DraftSection[] {
  const sections: DraftSection[] = [];
  let left = 0;
  const lines = text.trimEnd().split("\n");
  const bad = (message: string, line: number): void =>
    problems.add("decimal-rows", `Cannot read tcpdump -ddd: ${message}`, {
      line,
      column: 1,
    });
  for (const [i, line] of lines.entries()) {
    if (left === 0) {
      left = Number(COUNT.exec(line)?.[1] ?? 0);
      if (left === 0) {
        bad("the number of instructions is missing", i + 1);
        return sections;
      }
      sections.push({ line: i + 1, column: 1, written: [], labels: new Map() });
      continue;
    }
    left--;
    const row = readRow(line);
    if (row === undefined) bad("not code, jt, jf and k in decimal", i + 1);
    else sections.at(-1)?.written.push({ line: i + 1, column: 1, fields: row });
  }
  if (left > 0 || sections.length === 0) {
    bad(`${left} more instructions are announced`, lines.length);
  }
  return sections;
}

function readRow(line: string): Written["fields"] {
  const numbers = ROW.exec(line)?.slice(1).map(Number) ?? [];
  const [code, jt, jf, k] = numbers;
  if (
    code === undefined || jt === undefined || jf === undefined ||
    k === undefined || numbers.some((n, i) => n > (MOST[i] ?? 0))
  ) return undefined;
  return { op: toOp(code), jt, jf, k };
}
