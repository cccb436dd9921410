/**
 * The charts, as Vega-Lite specifications.
 *
 * @module
 */

import { attachChart, callsChart } from "./chart_calls.ts";
import { containerCharts } from "./chart_containers.ts";
import { growthCharts } from "./chart_growth.ts";
import { colorBy, flat, interval, type NamedChart } from "./chart_parts.ts";
import { PICTURE_LENGTH, worstPlace } from "./ratios.ts";
import type { Report } from "../report.ts";
import type { Theme } from "./theme.ts";
import { ALLOW, LINEAR, OURS, TREE } from "../engine/variants.ts";

const MODES = {
  uncached: "without the allow cache (kernels before 5.11)",
  cached: "with the allow cache",
} as const;

/**
 * Lists the charts of a run by the names of their files.
 *
 * @param report The run.
 * @param theme The colors.
 */
export function chartsOf(report: Report, theme: Theme): readonly NamedChart[] {
  return [
    ...positionChart(report, theme),
    ...lengthsChart(report, theme),
    ...publishedChart(report, theme),
    ...callsChart(report, theme),
    ...attachChart(report, theme),
    ...growthCharts(report, theme),
    ...containerCharts(report, theme),
  ];
}

function positionChart(
  report: Report,
  theme: Theme,
): readonly NamedChart[] {
  const values = report.position.filter(({ listed }) =>
    listed === PICTURE_LENGTH
  ).map((row) => ({
    ...row,
    mode: MODES[row.mode],
    ...flat(row.addedNs),
  }));
  if (values.length === 0) return [];
  const x = {
    field: "position",
    type: "quantitative",
    title: "place among the listed calls",
    scale: { domain: [0, PICTURE_LENGTH], nice: false },
  };
  const color = colorBy(theme, [LINEAR, TREE, OURS, ALLOW]);
  const worst = worstPlace(report, OURS)?.addedNs.median.toFixed(0) ?? "–";
  return [["position", {
    title: {
      text:
        `Time that a filter of ${PICTURE_LENGTH} calls adds to an allowed call`,
      subtitle:
        `by its place in the list; ours adds ${worst} ns at its slowest place without the cache`,
    },
    data: { values },
    facet: {
      column: {
        field: "mode",
        sort: [MODES.uncached, MODES.cached],
        title: null,
      },
    },
    spec: {
      width: 330,
      height: 260,
      layer: [
        {
          mark: { type: "line", point: { size: 34 }, strokeWidth: 1.8 },
          encoding: {
            x,
            y: {
              field: "median",
              type: "quantitative",
              title: "nanoseconds added",
              scale: { zero: true },
            },
            color,
          },
        },
        {
          mark: { type: "rule", strokeWidth: 3, opacity: 0.4 },
          encoding: { x, ...interval("y"), color },
        },
      ],
    },
  }]];
}

function lengthsChart(report: Report, theme: Theme): readonly NamedChart[] {
  const lengths = [...new Set(report.position.map(({ listed }) => listed))];
  const shown = [LINEAR, TREE, OURS, ALLOW];
  const values = lengths.flatMap((listed) =>
    shown.flatMap((variant) => {
      const row = worstPlace(report, variant, listed);
      return row === undefined
        ? []
        : [{ variant, listed, ...flat(row.addedNs) }];
    })
  );
  if (values.length === 0) return [];
  return [["lengths", {
    title: {
      text: "Time added at the slowest place, by the length of the list",
      subtitle: "without the allow cache",
    },
    data: { values },
    width: 420,
    height: 240,
    mark: { type: "line", point: { size: 34 }, strokeWidth: 1.8 },
    encoding: {
      x: { field: "listed", type: "quantitative", title: "listed calls" },
      y: {
        field: "median",
        type: "quantitative",
        title: "nanoseconds added",
        scale: { zero: true },
      },
      color: colorBy(theme, shown),
    },
  }]];
}

function publishedChart(
  { published }: Report,
  { shades }: Theme,
): readonly NamedChart[] {
  if (published.length === 0) return [];
  const kinds = [
    "published",
    "here, without the allow cache",
    "here, with it",
  ];
  const values = published.flatMap((row) => [
    ...(row.publishedTicks === undefined
      ? []
      : [{ layout: row.layout, kind: kinds[0], ticks: row.publishedTicks }]),
    { layout: row.layout, kind: kinds[1], ticks: row.uncachedTicks.min },
    { layout: row.layout, kind: kinds[2], ticks: row.cachedTicks.min },
  ]);
  return [["published", {
    title: {
      text: "The published experiment and its repetition",
      subtitle:
        `getppid under a filter of ${PICTURE_LENGTH} calls; minimum ticks of the time-stamp counter; different processors`,
    },
    data: { values },
    width: 520,
    height: { step: 34 },
    mark: { type: "point", filled: true, size: 90, opacity: 0.9 },
    encoding: {
      y: {
        field: "layout",
        type: "nominal",
        sort: published.map(({ layout }) => layout),
        title: null,
      },
      x: {
        field: "ticks",
        type: "quantitative",
        title: "ticks",
        scale: { zero: true },
      },
      color: {
        field: "kind",
        sort: kinds,
        title: null,
        scale: { domain: kinds, range: shades },
      },
      shape: {
        field: "kind",
        sort: kinds,
        title: null,
        scale: { domain: kinds },
      },
    },
  }]];
}
