/**
 * Common parts of several charts.
 *
 * @module
 */

import type { Spread } from "../engine/summary.ts";
import type { Theme } from "./theme.ts";

/** A specification of Vega-Lite. */
export type ChartSpec = Readonly<Record<string, unknown>>;

/** A chart with the name of its file. */
export type NamedChart = readonly [file: string, spec: ChartSpec];

/** Converts a spread to fields of a row. */
export function flat(
  { median, low, high }: Spread,
): Readonly<Record<"median" | "low" | "high", number>> {
  return { median, low, high };
}

/** The interval of a row, for a mark from end to end. */
export function interval(axis: "x" | "y"): ChartSpec {
  return {
    [axis]: { field: "low", type: "quantitative" },
    [`${axis}2`]: { field: "high" },
  };
}

/** A color for each filter. */
export function colorBy(theme: Theme, variants: readonly string[]): ChartSpec {
  return {
    field: "variant",
    type: "nominal",
    title: null,
    sort: variants,
    scale: {
      domain: variants,
      range: variants.map((name) => theme.colors[name]),
    },
  };
}
