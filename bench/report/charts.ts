/**
 * Draws charts to SVG, without a browser.
 *
 * @module
 */

import { chartsOf, type ChartSpec } from "./chart_specs.ts";
import type { Report } from "../report.ts";
import { type Theme, type ThemeName, THEMES } from "./theme.ts";

/** A drawn chart. */
export interface Chart {
  /** File name, such as `attach.dark.svg`. */
  readonly file: string;
  readonly svg: string;
}

/**
 * Draws all charts of a run, each for light and dark pages.
 *
 * @param report The run.
 */
export async function drawCharts(report: Report): Promise<readonly Chart[]> {
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

async function draw(spec: ChartSpec, theme: Theme): Promise<string> {
  const { compile } = await import("vega-lite");
  const { None, parse, View } = await import("vega");
  // The libraries check specifications when they compile them.
  const { spec: compiled } = compile(
    { ...spec, config: theme.config } as unknown as Parameters<
      typeof compile
    >[0],
  );
  const view = new View(parse(compiled), { renderer: "none", logLevel: None });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
