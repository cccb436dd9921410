/**
 * Unified diffs, by the longest common subsequence of lines between the common
 * head and tail: O(n·m) in the lines that remain, so large replacements are
 * shown as such.
 *
 * @module
 */

/** Number of lines around a change. */
const CONTEXT = 3;
/** Maximum number of cells of the table of common subsequences. */
const MOST_CELLS = 4_000_000;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/**
 * Writes the difference of two texts.
 *
 * @example One line more
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { unifiedDiff } from "./diff.ts";
 *
 * assertEquals(
 *   unifiedDiff("a\n", "a\nb\n", { before: "/x", after: "/x" }),
 *   "--- /x\n+++ /x\n@@ -1 +1,2 @@\n a\n+b\n",
 * );
 * ```
 *
 * @param before The old text.
 * @param after The new text.
 * @param names Their names; `/dev/null` for a file that does not exist.
 * @returns The output of `diff -u`; empty if they are equal.
 */
export function unifiedDiff(
  before: string,
  after: string,
  names: { readonly before: string; readonly after: string },
): string {
  if (before === after) return "";
  const lines = compare(linesOf(before), linesOf(after));
  const body = hunks(lines).map(formatHunk).join("");
  return `--- ${names.before}\n+++ ${names.after}\n${body}`;
}

/** Lines with their line breaks. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function compare(a: readonly string[], b: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head && tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  ) tail++;
  const same = (text: string): Line => ({ sign: " ", text });
  return [
    ...a.slice(0, head).map(same),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): readonly Line[] {
  const removed = (text: string): Line => ({ sign: "-", text });
  const added = (text: string): Line => ({ sign: "+", text });
  const width = b.length + 1;
  if ((a.length + 1) * width > MOST_CELLS) {
    return [...a.map(removed), ...b.map(added)];
  }
  // common[i·width + j]: length for a from i, b from j.
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j]
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    if (x !== undefined && x === y) {
      lines.push({ sign: " ", text: x });
      i++;
      j++;
    } else if (
      x !== undefined && (y === undefined || at(i + 1, j) >= at(i, j + 1))
    ) {
      lines.push(removed(x));
      i++;
    } else if (y !== undefined) {
      lines.push(added(y));
      j++;
    }
  }
  return lines;
}

interface Hunk {
  /** Number of lines in front of it in the old and the new text. */
  readonly before: number;
  readonly after: number;
  readonly lines: readonly Line[];
}

function hunks(lines: readonly Line[]): readonly Hunk[] {
  const shown = lines.map((_, i) =>
    lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1)
      .some((line) => line.sign !== " ")
  );
  const list: Hunk[] = [];
  let [before, after] = [0, 0];
  let current: Line[] = [];
  let start = { before: 0, after: 0 };
  for (const [i, line] of lines.entries()) {
    if (shown[i] === true) {
      if (current.length === 0) start = { before, after };
      current.push(line);
    } else if (current.length > 0) {
      list.push({ ...start, lines: current });
      current = [];
    }
    if (line.sign !== "+") before++;
    if (line.sign !== "-") after++;
  }
  if (current.length > 0) list.push({ ...start, lines: current });
  return list;
}

function formatHunk({ before, after, lines }: Hunk): string {
  const count = (sign: "-" | "+"): number =>
    lines.filter((line) => line.sign === " " || line.sign === sign).length;
  const range = (start: number, length: number): string => {
    const first = length === 0 ? start : start + 1;
    return length === 1 ? `${first}` : `${first},${length}`;
  };
  const body = lines.map(({ sign, text }) =>
    text.endsWith("\n")
      ? `${sign}${text}`
      : `${sign}${text}\n\\ No newline at end of file\n`
  ).join("");
  return `@@ -${range(before, count("-"))} +${
    range(after, count("+"))
  } @@\n${body}`;
}
