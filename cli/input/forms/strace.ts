/**
 * Reads the filters that a process loaded, from the output of strace -v.
 *
 * ```text
 * seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=2, filter=[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0), …]}) = 0
 * ```
 *
 * @module
 */

import type { DraftSection } from "../../../bpf/assembly/draft.ts";
import type { AssemblyProblems } from "../../../bpf/assembly/problems.ts";
import { lineStartsOf } from "../../../profile/text.ts";
import { CodeCursor } from "./code_tokens.ts";
import { readList } from "./source_code.ts";

const CALL =
  /\b(?:seccomp\(|prctl\(PR_SET_SECCOMP)[^\n{]{0,300}\{\s*len\s*=\s*(?<length>[0-9]+)\s*,\s*filter\s*=\s*(?<start>\[|\S*)/g;
const PID = /^\s*(?:\[pid\s+(?<bracketed>[0-9]+)\]|(?<plain>[0-9]+)(?=\s))/;

/**
 * Comment of strace on a number without a name. Other text between comment
 * signs may be part of a path, and is left alone.
 */
const REMARK = /\/\* \w+\?\?\? \*\//g;

/**
 * Reads the filters. Failed loads are skipped.
 *
 * @param text Output of strace; other lines are ignored.
 * @param problems Receives the errors.
 * @returns The filters, oldest first.
 */
export function readStrace(
  text: string,
  problems: AssemblyProblems,
): readonly DraftSection[] {
  const code = text.replaceAll(REMARK, (it) => " ".repeat(it.length));
  const starts = lineStartsOf(code);
  const sections: DraftSection[] = [];
  const pids = new Set<string>();
  let failed: DraftSection | undefined;
  for (const match of code.matchAll(CALL)) {
    const end = match.index + match[0].length;
    const cursor = new CodeCursor(code, end, starts);
    const { length = "", start = "" } = match.groups ?? {};
    if (start !== "[") {
      problems.add(
        "truncated",
        `Cannot read line: strace shows only the address ${
          start.replace(/[^\w.].*$/, "")
        } of the instructions; run strace with -v`,
        cursor.placeOf({ kind: "sign", text: start, at: end - start.length }),
      );
      continue;
    }
    const section = readList(cursor, "]", Number(length), problems);
    const stop = code.indexOf("\n", end);
    const line = code.slice(end, stop < 0 ? undefined : stop);
    if (/\)\s*=\s*-1\b/.test(line)) {
      failed = section;
      continue;
    }
    const begin = code.lastIndexOf("\n", match.index) + 1;
    const { bracketed, plain } =
      PID.exec(code.slice(begin, match.index))?.groups ?? {};
    pids.add(bracketed ?? plain ?? "");
    sections.push(section);
  }
  const place = sections[0] ?? failed ?? { line: 1, column: 1 };
  if (pids.size > 1) {
    problems.add(
      "several-processes",
      `Cannot read filters of several processes: ${
        [...pids].map((pid) => pid || "without pid").join(", ")
      }; give the lines of one`,
      place,
    );
  }
  if (sections.length === 0 && !problems.any) {
    problems.add(
      "empty-program",
      failed === undefined
        ? "Cannot read strace: no call with a filter"
        : "Cannot read strace: the call failed, so no filter was loaded; give only the list in […]",
      place,
    );
  }
  return sections;
}
