/**
 * `bench --compare`: reports whether two runs agree.
 *
 * @module
 */

import { formatTable } from "../../host/table.ts";
import { machineLine } from "../machine.ts";
import { ratiosOf } from "./ratios.ts";
import { type Report, SCHEMA_VERSION } from "../report.ts";

/** Maximum difference of a ratio between two runs. */
export const AGREEMENT = 0.1;

/** A ratio of two runs. */
export interface ComparedRatio {
  readonly name: string;
  readonly a: number;
  readonly b: number;
  /** |a − b| divided by the smaller one. */
  readonly apart: number;
}

/**
 * Reads a document.
 *
 * @param text A file that a run wrote.
 * @param name Its name, for messages.
 * @throws {RangeError} if the text is not a report.
 */
export function readReport(text: string, name: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RangeError(
      `Cannot read ${name}: not JSON; give a file that bench -o json wrote`,
      { cause: error },
    );
  }
  // The program that wrote this version of the document wrote all its fields.
  const report = value as Partial<Report> | null;
  if (
    report?.schemaVersion !== SCHEMA_VERSION || report.machine === undefined
  ) {
    throw new RangeError(
      `Cannot read ${name}: not a report of this benchmark; give a file that bench -o json wrote`,
    );
  }
  return report as Report;
}

/** Pairs the ratios that both runs have. */
export function compareReports(a: Report, b: Report): readonly ComparedRatio[] {
  const others = new Map(ratiosOf(b).map(({ name, ratio }) => [name, ratio]));
  return ratiosOf(a).flatMap(({ name, ratio }) => {
    const other = others.get(name);
    if (other === undefined) return [];
    const apart = Math.abs(ratio - other) / Math.min(ratio, other);
    return [{ name, a: ratio, b: other, apart }];
  });
}

/** Writes a comparison. */
export function formatComparison(a: Report, b: Report): string {
  const rows = compareReports(a, b);
  const table = formatTable([
    ["ours / theirs", "A", "B", "apart", ""],
    ...rows.map((row) => [
      row.name,
      row.a.toFixed(3),
      row.b.toFixed(3),
      `${(row.apart * 100).toFixed(1)} %`,
      row.apart > AGREEMENT ? "differs" : "",
    ]),
  ]);
  const differing = rows.filter(({ apart }) => apart > AGREEMENT).length;
  return `A: ${a.taken}: ${machineLine(a.machine)}
B: ${b.taken}: ${machineLine(b.machine)}

${table}
${rows.length} ratios, ${differing} more than ${AGREEMENT * 100} % apart
`;
}
