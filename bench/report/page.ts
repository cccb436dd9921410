/**
 * Writes the page of a run: text, tables, charts, and the document itself.
 *
 * @module
 */

import { join } from "@std/path";
import { writeWhole } from "../../host/files.ts";
import { type Draw, drawCharts } from "./charts.ts";
import { CRUN_DOCUMENT, type CrunReport } from "./crun_text.ts";
import { pageText } from "./page_text.ts";
import type { Report } from "../report.ts";

/**
 * Writes `benchmarks.md` and `charts/` to a folder. The page includes the
 * document that `deno task cached` has written to `charts/`.
 *
 * @param directory The folder; created if it does not exist.
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
  const crun = await readCrunReport(join(charts, CRUN_DOCUMENT));
  writeWhole(page, pageText(report, names, crun));
  // Formats lines and tables like the repository, if Deno is available.
  const deno = Deno.build.standalone ? "deno" : Deno.execPath();
  try {
    await new Deno.Command(deno, {
      args: ["fmt", "--quiet", "--no-config", page],
      stdin: "null",
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Reads the document of `deno task cached`, if it exists. */
async function readCrunReport(path: string): Promise<CrunReport | undefined> {
  try {
    // Written by our own program.
    return JSON.parse(await Deno.readTextFile(path)) as CrunReport;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
