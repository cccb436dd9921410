/**
 * Plain text tables.
 *
 * @module
 */

/**
 * Lays rows out in columns: the first one to the left, numbers to the right.
 *
 * @param rows Cells; the first row is the head.
 * @returns Lines, each ending in a line feed.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return i === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd() + "\n"
  ).join("");
}
