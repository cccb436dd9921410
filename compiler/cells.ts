/**
 * The cells of one word: intervals in which every comparison of a residual has
 * a constant result.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import { type ArgWord, halfOf, impliedEqual, type MaskedFact } from "./part.ts";
import type { Residual } from "./residual.ts";

/** Values of a word for which a residual is the same. */
export type Cell = Range;

/**
 * Cuts the values of a word into cells.
 *
 * @param residual Tests the word without masks, or with masks that `facts`
 * determine.
 * @param word The word.
 * @param facts Known facts about the word; excluded values join their neighbor.
 * @returns Sorted cells without gaps from 0 to 2^32 − 1.
 */
export function cellsOf(
  residual: Residual,
  word: ArgWord,
  facts: readonly MaskedFact[],
): readonly Cell[] {
  const starts: number[] = [0];
  const cut = (value: number): void => {
    if (value <= 0xffff_ffff) starts.push(value);
  };
  for (const { parts } of residual.rules) {
    for (const part of parts) {
      const half = halfOf(part, word);
      if (half === undefined) continue;
      // A pair is tested below, at and above its half; unnecessary cuts cost
      // nothing.
      cut(half.value);
      if (part.kind === "pair" || half.op === "eq" || half.op === "ne") {
        cut(half.value + 1);
      }
    }
  }
  const sorted = Uint32Array.from(starts).sort()
    .filter((start, i, all) => start !== all[i - 1]);
  const cells: Cell[] = [];
  sorted.forEach((first, i) => {
    const last = (sorted[i + 1] ?? 0x1_0000_0000) - 1;
    const possible = first < last ||
      facts.every((fact) => impliedEqual(0xffff_ffff, first, fact) !== false);
    const before = cells[cells.length - 1];
    if (!possible && before !== undefined) {
      cells[cells.length - 1] = { first: before.first, last };
    } else cells.push({ first, last });
  });
  return cells;
}
