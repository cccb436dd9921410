/**
 * Charts of growth: with the list, with the rules, with the stack; and the law
 * of the attach.
 *
 * @module
 */

import {
  type ChartSpec,
  colorBy,
  flat,
  type NamedChart,
} from "./chart_parts.ts";
import type { GrowthRow, Report } from "../report.ts";
import type { Theme } from "./theme.ts";
import { ALLOW, LINEAR, OURS, TREE } from "../engine/variants.ts";

const METRICS: readonly (readonly [
  name: string,
  value: (row: GrowthRow) => number | undefined,
])[] = [
  ["instructions", (row) => row.instructions],
  ["attach, µs", (row) => row.attachUs?.median],
  ["a denied call, ns", (row) => row.deniedNs?.median],
  ["build, µs", (row) => row.buildUs?.median],
];

/** Lists the charts. */
export function growthCharts(
  report: Report,
  theme: Theme,
): readonly NamedChart[] {
  return [
    ...growthChart(report, theme),
    ...lawChart(report, theme),
    ...stackedChart(report, theme),
  ];
}

function growthChart({ growth }: Report, theme: Theme): readonly NamedChart[] {
  const values = growth.flatMap((row) =>
    METRICS.flatMap(([metric, valueOf]) => {
      const value = valueOf(row);
      const { variant, what, n } = row;
      return value === undefined ? [] : [{ variant, what, n, metric, value }];
    })
  );
  if (values.length === 0) return [];
  const panel = (what: string, metric: string): ChartSpec => ({
    title: { text: metric, fontSize: 12, fontWeight: "normal", offset: 4 },
    width: 190,
    height: 150,
    transform: [{
      filter: `datum.what == '${what}' && datum.metric == '${metric}'`,
    }],
    mark: { type: "line", point: { size: 24 }, strokeWidth: 1.8 },
    encoding: {
      x: {
        field: "n",
        type: "quantitative",
        title: what,
        scale: { type: "log" },
        axis: { tickCount: 4 },
      },
      y: {
        field: "value",
        type: "quantitative",
        title: null,
        scale: { type: "log" },
        axis: { tickCount: 4 },
      },
      color: colorBy(theme, [LINEAR, TREE, OURS]),
    },
  });
  return [["growth", {
    title: {
      text: "Growth with the listed calls, and with rules on one argument",
      subtitle:
        "both axes logarithmic; libseccomp's tree has lists for arguments",
    },
    data: { values },
    vconcat: ["listed calls", "argument rules"].map((what) => ({
      hconcat: METRICS.map(([metric]) => panel(what, metric)),
    })),
  }]];
}

function lawChart(
  { attach, growth }: Report,
  theme: Theme,
): readonly NamedChart[] {
  const group = (name: string): string => name.startsWith(OURS) ? OURS : name;
  const values = [
    ...attach.map(({ variant, us, predictedUs }) => ({
      variant: group(variant),
      predictedUs,
      ...flat(us),
    })),
    ...growth.flatMap(({ variant, attachUs, predictedUs }) =>
      attachUs === undefined || predictedUs === undefined
        ? []
        : [{ variant, predictedUs, ...flat(attachUs) }]
    ),
  ];
  if (values.length === 0) return [];
  const log = { type: "log", domain: [5, 1000], nice: false };
  return [["law", {
    title: {
      text: "The law of the attach",
      subtitle:
        "predicted: 11.4 µs + 0.1546 µs per instruction + 2.11 ns per step of the kernel's walk",
    },
    width: 380,
    height: 320,
    layer: [
      {
        data: { values: [{ at: 5 }, { at: 1000 }] },
        mark: { type: "line", color: theme.text, strokeDash: [4, 4] },
        encoding: {
          x: { field: "at", type: "quantitative", scale: log },
          y: { field: "at", type: "quantitative", scale: log },
        },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 50 },
        encoding: {
          x: {
            field: "predictedUs",
            type: "quantitative",
            title: "predicted, µs",
            scale: log,
          },
          y: {
            field: "median",
            type: "quantitative",
            title: "measured, µs",
            scale: log,
          },
          color: colorBy(theme, [LINEAR, TREE, OURS, ALLOW]),
        },
      },
    ],
  }]];
}

function stackedChart(
  { stacked }: Report,
  theme: Theme,
): readonly NamedChart[] {
  const calls: Readonly<Record<string, string>> = {
    acct: "acct: denied, every filter runs",
    getppid: "getppid: allowed, from the cache",
  };
  const values = stacked.filter(({ variant }) => variant !== ALLOW).map((
    row,
  ) => ({ ...row, call: calls[row.call] ?? row.call, ...flat(row.ns) }));
  if (values.length === 0) return [];
  return [["stacked", {
    title: { text: "A call under 1 to 16 filters of the same kind" },
    data: { values },
    facet: { column: { field: "call", title: null } },
    resolve: { scale: { y: "independent" } },
    spec: {
      width: 300,
      height: 220,
      mark: { type: "line", point: { size: 24 }, strokeWidth: 1.8 },
      encoding: {
        x: { field: "filters", type: "quantitative", title: "filters" },
        y: {
          field: "median",
          type: "quantitative",
          title: "nanoseconds",
          scale: { zero: true },
        },
        color: colorBy(theme, [LINEAR, TREE, OURS]),
      },
    },
  }]];
}
