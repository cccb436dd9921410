/**
 * Charts of calls, attaches and builds under one profile.
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
import type { Report } from "../report.ts";
import type { Theme } from "./theme.ts";
import { ALLOW, LINEAR, OURS, TREE } from "../engine/variants.ts";

/** Calls that always run the filter. */
export function callsChart(
  { calls, source }: Report,
  theme: Theme,
): readonly NamedChart[] {
  const shown = [LINEAR, TREE, OURS];
  const values = calls.filter(({ variant }) => shown.includes(variant)).map((
    row,
  ) => ({ ...row, name: `${row.call}: ${row.why}`, ...flat(row.ns) }));
  if (values.length === 0) return [];
  const abis = [...new Set(values.map(({ abi }) => abi))];
  const panel = (abi: string): ChartSpec => ({
    title: { text: abi, fontSize: 13 },
    data: { values: values.filter((row) => row.abi === abi) },
    width: 430,
    height: { step: 11 },
    encoding: {
      y: {
        field: "name",
        type: "nominal",
        sort: null,
        title: null,
        axis: { labelLimit: 400 },
      },
      yOffset: { field: "variant", sort: shown },
      color: colorBy(theme, shown),
    },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 4, opacity: 0.4 },
        encoding: interval("x"),
      },
      {
        mark: { type: "point", filled: true, size: 45, opacity: 1 },
        encoding: {
          x: {
            field: "median",
            type: "quantitative",
            title: "nanoseconds",
            scale: { zero: false },
          },
        },
      },
    ],
  });
  return [["calls", {
    title: {
      text: `Time of a call under ${source}`,
      subtitle:
        "point: median of the rounds; bar: their middle half; axes do not begin at 0",
    },
    vconcat: abis.map(panel),
  }]];
}

/** Attach and build. */
export function attachChart(
  { attach, build }: Report,
  theme: Theme,
): readonly NamedChart[] {
  const values = attach.map(({ variant, us }) => ({
    variant,
    group: variant.startsWith(OURS) ? OURS : variant,
    ...flat(us),
  }));
  if (values.length === 0) return [];
  const range = (name: string): string | undefined => theme.colors[name];
  const groups = [ALLOW, LINEAR, TREE, OURS];
  const bars = (
    title: string,
    rows: readonly unknown[],
    field: string,
    axis: string,
    from: number,
  ): ChartSpec => ({
    title: { text: title, fontSize: 13 },
    data: { values: rows },
    width: 400,
    height: { step: 26 },
    encoding: {
      y: {
        field,
        type: "nominal",
        sort: null,
        title: null,
        axis: { labelLimit: 400 },
      },
      x: {
        field: "median",
        type: "quantitative",
        title: axis,
        scale: from === 0 ? {} : { type: "log", domainMin: from },
      },
    },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          x2: { datum: from },
          color: {
            field: "group",
            legend: null,
            scale: { domain: groups, range: groups.map(range) },
          },
        },
      },
      {
        mark: { type: "text", align: "left", dx: 4, color: theme.text },
        encoding: {
          text: { field: "median", type: "quantitative", format: ",.0f" },
        },
      },
    ],
  });
  const builds = build.map(({ way, us }) => ({
    way,
    group: way.startsWith(OURS) ? OURS : way,
    ...flat(us),
  }));
  return [["attach", {
    title: { text: "What happens when a container starts" },
    vconcat: [
      bars("attach: seccomp(2) alone", values, "variant", "microseconds", 0),
      bars(
        "making the bytes, processor time",
        builds,
        "way",
        "microseconds, logarithmic",
        1,
      ),
    ],
  }]];
}
