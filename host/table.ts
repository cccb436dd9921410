/**
 * Plain text tables. Columns stay aligned with wide and combining characters,
 * and a cell never sends a control character to the terminal.
 *
 * @module
 */

import { unicodeWidth } from "@std/cli/unicode-width";
import { printable } from "../tables/printable.ts";

/** Layout of a table. */
export interface TableOptions {
  /**
   * Columns that align to the left (default: the first); numbers align to the
   * right.
   */
  readonly left?: readonly number[];
}

/**
 * Lays rows out in columns.
 *
 * @param rows Cells; the first row is the head.
 * @param options Alignment.
 * @returns Lines, each ending in a line feed.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { left = [0] }: TableOptions = {},
): string {
  const widths: number[] = [];
  const shown = rows.map((row) => row.map(printable));
  for (const row of shown) {
    for (const [i, cell] of row.entries()) {
      widths[i] = Math.max(widths[i] ?? 0, unicodeWidth(cell));
    }
  }
  return shown.map((row) =>
    row.map((cell, i) => {
      const gap = " ".repeat((widths[i] ?? 0) - unicodeWidth(cell));
      return left.includes(i) ? cell + gap : gap + cell;
    }).join("  ").trimEnd() + "\n"
  ).join("");
}
