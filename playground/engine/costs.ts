/**
 * The costs of a filter, beside those of the list of the same profile.
 *
 * @module
 */

import type { LoadedFilter } from "../../cli/input/filter.ts";
import { listProgram } from "../../measure/list.ts";
import { measure } from "../../measure/measure.ts";
import type { Program } from "../../bpf/instruction.ts";
import type { CostRow } from "../messages.ts";

/**
 * Measures what is loaded.
 *
 * @param loaded Filters; of a profile also the list of its rules is measured.
 */
export function costRows(loaded: LoadedFilter): readonly CostRow[] {
  const { programs, arches } = loaded;
  const rowsOf = (filter: string, program: Program): readonly CostRow[] => {
    const { length, arches: measures } = measure(program, arches);
    return measures.map(({ name, mean, worst, cached }) => ({
      filter,
      instructions: String(length),
      arch: name,
      mean: mean.toFixed(2),
      worst: String(worst),
      cached: cached === null ? "–" : String(cached),
    }));
  };
  if (loaded.kind === "programs") {
    return programs.flatMap((program, i) =>
      rowsOf(programs.length > 1 ? `filter ${i + 1}` : "this filter", program)
    );
  }
  const list = listProgram(loaded.resolved.policy);
  return [
    ...rowsOf("decision tree", loaded.resolved.program),
    ...(list === undefined ? [] : rowsOf("list of rules", list)),
  ];
}
