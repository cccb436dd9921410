/**
 * Writes the page of a run: text, tables, charts, and the document itself.
 *
 * @module
 */

import { join } from "@std/path";
import { writeWhole } from "../../host/files.ts";
import { type Draw, drawCharts } from "./charts.ts";
import { pageText } from "./page_text.ts";
import type { Report } from "../report.ts";

/**
 * Writes `benchmarks.md` and `charts/` to a folder.
 *
 * @param directory The folder; made if it does not exist.
 * @param report The run.
 * @param json The run as written.
 * @param draw Result of `loadDrawing`.
 */
export async function writePage(
  directory: string,
  report: Report,
  json: string,
  draw: Draw,
): Promise<void> {
  const charts = join(directory, "charts");
  await Deno.mkdir(charts, { recursive: true });
  const drawn = await drawCharts(report, draw);
  for (const { file, svg } of drawn) writeWhole(join(charts, file), svg);
  writeWhole(join(charts, "bench.json"), json);
  const names = new Set(drawn.map(({ file }) => file.replace(/\..*/, "")));
  const page = join(directory, "benchmarks.md");
  writeWhole(page, pageText(report, names));
  // Formats lines and tables like the repository.
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--no-config", page],
    stdin: "null",
  }).output();
}
