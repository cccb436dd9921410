/**
 * Draws charts to SVG, without a browser.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { moduleUrl } from "../../host/packed.ts";
import type { Report } from "../report.ts";
import type { ChartSpec } from "./chart_parts.ts";
import { chartsOf } from "./chart_specs.ts";
import { type Theme, type ThemeName, THEMES } from "./theme.ts";

/** A drawn chart. */
export interface Chart {
  /** File name, such as `attach.dark.svg`. */
  readonly file: string;
  readonly svg: string;
}

/** Draws one chart to SVG. */
export type Draw = (spec: ChartSpec, theme: Theme) => Promise<string>;

/**
 * Loads the chart libraries, which Deno fetches from npm the first time; the
 * single file contains them.
 *
 * @throws {Error} with the remedy, if they are not available.
 */
export async function loadDrawing(): Promise<Draw> {
  const url = await moduleUrl("bench/report/draw_chart.ts");
  try {
    const drawing: { readonly drawChart: Draw } = await import(url);
    return drawing.drawChart;
  } catch (error) {
    const reason = messageOf(error).split("\n")[0];
    throw new Error(
      `Cannot draw charts: Deno cannot load Vega from npm (${reason}); keep the figures with "--output json --out FILE" and draw them with "--report FILE --page DIR" on a machine that reaches npm, or use the single file, which contains Vega`,
      { cause: error },
    );
  }
}

/**
 * Draws all charts of a run, each for light and dark pages.
 *
 * @param report The run.
 * @param draw Result of `loadDrawing`.
 */
export async function drawCharts(
  report: Report,
  draw: Draw,
): Promise<readonly Chart[]> {
  const charts: Chart[] = [];
  for (const name of ["light", "dark"] as const satisfies ThemeName[]) {
    const theme = THEMES[name];
    for (const [file, spec] of chartsOf(report, theme)) {
      const svg = await draw(spec, theme);
      charts.push({ file: `${file}.${name}.svg`, svg });
    }
  }
  return charts;
}
