/**
 * `stats`: sizes and steps of filters, side by side.
 *
 * @module
 */

import { type Arch, ARCHES } from "../tables/arch.ts";
import { EXIT } from "./exit.ts";
import { type Filter, loadFilter } from "./filter.ts";
import type { SourceFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { type Measure, measure } from "./measure.ts";
import { formatTable } from "./table.ts";
import { nativeArch } from "./target.ts";

/** Flags of `stats`. */
export interface StatsFlags extends SourceFlags {
  readonly output: "text" | "json";
}

/** Measures under a name. */
export interface NamedMeasure extends Measure {
  readonly name: string;
}

/** Measures every source. */
export async function runStats(
  io: Io,
  flags: StatsFlags,
  words: readonly string[],
): Promise<number> {
  const measures: NamedMeasure[] = [];
  const details: string[] = [];
  for (const word of words.length === 0 ? ["default:docker"] : words) {
    const filter = await loadFilter(io, word, flags);
    for (const [i, program] of filter.programs.entries()) {
      const many = filter.programs.length > 1;
      const name = many ? `${filter.name}#${i + 1}` : filter.name;
      measures.push({ name, ...measure(program, archesOf(filter)) });
    }
    if (filter.kind === "profile") details.push(...treeDetails(filter));
  }
  if (flags.output === "json") {
    io.out(`${JSON.stringify({ schemaVersion: 1, filters: measures })}\n`);
    return EXIT.ok;
  }
  io.out(formatMeasures(measures));
  if (flags.verbose) io.out(details.join(""));
  return EXIT.ok;
}

function archesOf(filter: Filter): readonly Arch[] {
  if (filter.kind === "profile") return filter.resolved.arches;
  const named = new Set(
    filter.programs.flatMap((program) =>
      program.filter((i) => i.op === "jeq.k").map((i) => i.k)
    ),
  );
  const native = nativeArch();
  const others = ARCHES.filter((arch) =>
    arch !== native && arch.littleEndian === native.littleEndian &&
    named.has(arch.auditArch)
  );
  return [native, ...others];
}

function treeDetails(filter: Filter): readonly string[] {
  if (filter.kind !== "profile") return [];
  return filter.compilation.arches.map((arch) =>
    `${filter.name}: ${arch.names.join("+")}: ${arch.intervals} intervals, ${
      arch.tests.toFixed(3)
    } tests expected on the number, ${
      arch.proven
        ? "optimal: proven"
        : `not proven, no tree expects fewer than ${arch.lowerBound.toFixed(3)}`
    }\n`
  );
}

/** Writes measures as a table, one row per filter and architecture. */
export function formatMeasures(measures: readonly NamedMeasure[]): string {
  const rows = [
    ["filter", "instructions", "attach µs", "arch", "mean", "worst", "cached"],
  ];
  for (const { name, length, attach, arches } of measures) {
    for (const [i, arch] of arches.entries()) {
      rows.push([
        i === 0 ? name : "",
        i === 0 ? String(length) : "",
        i === 0 ? attach.toFixed(0) : "",
        arch.name,
        arch.mean.toFixed(2),
        String(arch.worst),
        arch.cached === undefined ? "–" : String(arch.cached),
      ]);
    }
  }
  return formatTable(rows);
}
