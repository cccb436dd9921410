/**
 * Charts of containers, kernel memory and workloads.
 *
 * @module
 */

import {
  type ChartSpec,
  colorBy,
  flat,
  interval,
  type NamedChart,
} from "./chart_parts.ts";
import { SETUPS } from "../experiments/containers.ts";
import type { Report } from "../report.ts";
import type { Theme } from "./theme.ts";
import { LINEAR, OURS, TREE } from "../engine/variants.ts";

/** Lists the charts. */
export function containerCharts(
  report: Report,
  theme: Theme,
): readonly NamedChart[] {
  return [
    ...memoryChart(report, theme),
    ...startChart(report, theme),
    ...workloadChart(report, theme),
  ];
}

function memoryChart({ memory }: Report, theme: Theme): readonly NamedChart[] {
  if (memory.length === 0) return [];
  const parts = ["JIT image", "translated program", "kept as submitted"];
  const values = memory.flatMap((row) =>
    [row.imageBytes, row.programBytes, row.keptBytes].map((bytes, i) => ({
      variant: row.variant,
      part: parts[i],
      order: i,
      kib: bytes / 1024,
    }))
  );
  return [["memory", {
    title: { text: "Kernel memory of one attached filter" },
    data: { values },
    width: 420,
    height: { step: 40 },
    mark: "bar",
    encoding: {
      y: { field: "variant", type: "nominal", sort: null, title: null },
      x: { field: "kib", type: "quantitative", title: "KiB" },
      order: { field: "order", type: "quantitative" },
      color: {
        field: "part",
        sort: parts,
        title: null,
        scale: {
          domain: parts,
          range: theme.shades,
        },
      },
    },
  }]];
}

function startChart(
  { containers, storm }: Report,
  theme: Theme,
): readonly NamedChart[] {
  if (containers.length === 0) return [];
  const setups = [
    SETUPS.none,
    SETUPS.section,
    SETUPS.annotation,
    SETUPS.hit,
  ];
  const color = {
    field: "setup",
    title: null,
    sort: setups,
    legend: { columns: 2 },
    scale: {
      domain: setups,
      range: [
        theme.series[0],
        theme.series[2],
        theme.series[4],
        theme.shades[1],
      ],
    },
  };
  const values = containers.flatMap((row) =>
    // A miss happens once for each section and would hide the rest.
    row.cpuMs === undefined || row.setup === SETUPS.miss
      ? []
      : [{ ...row, ...flat(row.cpuMs) }]
  );
  const starts: ChartSpec = {
    data: { values },
    width: 400,
    height: { step: 18 },
    encoding: {
      y: { field: "command", type: "nominal", sort: null, title: null },
      yOffset: { field: "setup", sort: setups },
    },
    layer: [
      {
        mark: "bar",
        encoding: {
          x: {
            field: "median",
            type: "quantitative",
            title: "milliseconds of processor time",
          },
          color,
        },
      },
      {
        mark: { type: "rule", strokeWidth: 2, color: theme.text },
        encoding: interval("x"),
      },
    ],
  };
  const probes: ChartSpec = {
    title: {
      text: `${storm[0]?.execs ?? 0} times crun exec, in all`,
      fontSize: 13,
    },
    data: { values: storm },
    width: 400,
    height: { step: 22 },
    mark: "bar",
    encoding: {
      y: { field: "setup", type: "nominal", sort: setups, title: null },
      x: {
        field: "cpuMs",
        type: "quantitative",
        title: "milliseconds of processor time",
      },
      color,
    },
  };
  return [["containers", {
    title: { text: "Processor time of one container start and one exec" },
    vconcat: storm.length === 0 ? [starts] : [starts, probes],
  }]];
}

function workloadChart(
  { workloads }: Report,
  theme: Theme,
): readonly NamedChart[] {
  const compiled = `${OURS}, compiled for it`;
  const shown = [LINEAR, TREE, OURS, compiled];
  const values = workloads.filter(({ variant }) => shown.includes(variant));
  if (values.length === 0) return [];
  const colors = { ...theme.colors, [compiled]: theme.text };
  const most = Math.max(...values.map(({ uncachedShare }) => uncachedShare));
  return [["workloads", {
    title: {
      text: "Executed instructions of a call under recorded histograms",
      subtitle: `counted; with the allow cache at most ${
        (most * 100).toPrecision(1)
      } % of these calls run the filter`,
    },
    data: { values },
    width: 480,
    height: { step: 46 },
    mark: { type: "point", filled: true, size: 80 },
    encoding: {
      y: { field: "histogram", type: "nominal", sort: null, title: null },
      x: {
        field: "steps",
        type: "quantitative",
        title: "instructions per call, logarithmic",
        scale: { type: "log", domainMin: 4 },
      },
      color: colorBy({ ...theme, colors }, shown),
    },
  }]];
}
