/**
 * Draws one chart to SVG, without a browser.
 *
 * No module imports this one statically, because it imports the chart
 * libraries, which Deno would otherwise fetch before any command runs.
 *
 * @module
 */

import { None, parse, View } from "vega";
import { compile } from "vega-lite";
import type { ChartSpec } from "./chart_parts.ts";
import type { Theme } from "./theme.ts";

/**
 * Draws a chart.
 *
 * @param spec The chart.
 * @param theme Its colors and fonts.
 * @returns The text of an SVG file.
 */
export async function drawChart(
  spec: ChartSpec,
  theme: Theme,
): Promise<string> {
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
