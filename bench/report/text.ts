/**
 * The report as text: one table for each question.
 *
 * @module
 */

import { formatTable } from "../../host/table.ts";
import { machineLine } from "../machine.ts";
import { PICTURE_LENGTH, ratiosOf } from "./ratios.ts";
import type { Report } from "../report.ts";
import type { Comparison, Spread } from "../engine/summary.ts";
import { ALLOW } from "../engine/variants.ts";

const WORDS: Readonly<Record<Comparison, string>> = {
  lower: "lower",
  same: "no difference",
  higher: "higher",
};

/** A table with its head. */
export interface Section {
  readonly title: string;
  /** The first row is the head. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Writes a run as text.
 *
 * @param report The run.
 */
export function formatReport(report: Report): string {
  const parts = [
    `${report.source} on ${report.arches.join("+")}\n${
      machineLine(report.machine)
    }\n${report.taken}, ${report.seconds} s${
      report.quick ? ", short run" : ""
    }\n`,
    ...sectionsOf(report).map(({ title, rows }) =>
      `${title}\n${formatTable(rows)}`
    ),
  ];
  if (report.leftOut.length > 0) {
    parts.push(`skipped\n${report.leftOut.map((l) => `  ${l}\n`).join("")}`);
  }
  return parts.join("\n");
}

/** All tables that have rows. */
export function sectionsOf(report: Report): readonly Section[] {
  return [
    filters(report),
    ratios(report),
    builds(report),
    calls(report),
    positions(report),
    published(report),
    memory(report),
    growth(report),
    stacked(report),
    containers(report),
    storm(report),
    workloads(report),
  ].filter(({ rows }) => rows.length > 1);
}

/** `median (low to high)`. */
export function spread({ median, low, high }: Spread, digits = 1): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${
    high.toFixed(digits)
  })`;
}

function filters({ variants, attach }: Report): Section {
  return {
    title: "Filters",
    rows: [
      [
        "filter",
        "instructions",
        "mean",
        "worst",
        "cached",
        "proved",
        "attach µs",
        "predicted",
      ],
      ...variants.map((row) => {
        const attached = attach.find(({ variant }) => variant === row.variant);
        return [
          row.variant,
          String(row.instructions),
          row.meanSteps.toFixed(2),
          String(row.worstSteps),
          String(row.cached),
          row.variant === ALLOW ? "–" : row.equal ? "yes" : "no",
          attached === undefined ? "–" : spread(attached.us),
          attached === undefined ? "–" : attached.predictedUs.toFixed(1),
        ];
      }),
    ],
  };
}

function ratios(report: Report): Section {
  return {
    title: "Ours over theirs",
    rows: [
      ["ours / theirs", "ratio", "ours is"],
      ...ratiosOf(report).map(({ name, ratio, comparison }) => [
        name,
        ratio.toFixed(3),
        comparison === undefined ? "counted" : WORDS[comparison],
      ]),
    ],
  };
}

function builds({ build }: Report): Section {
  return {
    title: "Making the bytes, processor time",
    rows: [
      ["way", "µs"],
      ...build.map(({ way, us }) => [way, spread(us)]),
    ],
  };
}

function calls({ calls }: Report): Section {
  const variants = [...new Set(calls.map(({ variant }) => variant))];
  const names = [...new Set(calls.map(({ abi, call }) => `${abi} ${call}`))];
  return {
    title: "Nanoseconds of a call",
    rows: [
      ["call", "why", ...variants],
      ...names.map((name) => {
        const rows = calls.filter(({ abi, call }) => `${abi} ${call}` === name);
        return [
          name,
          rows[0]?.why ?? "",
          ...variants.map((variant) => {
            const row = rows.find((r) => r.variant === variant);
            return row === undefined ? "–" : row.ns.median.toFixed(1);
          }),
        ];
      }),
    ],
  };
}

function positions({ position }: Report): Section {
  const shown = position.filter(({ listed }) => listed === PICTURE_LENGTH);
  const columns = [...new Set(shown.map(({ variant }) => variant))]
    .flatMap((variant) =>
      (["uncached", "cached"] as const).map((mode) => ({ variant, mode }))
    );
  const places = [...new Set(shown.map((row) => row.position))]
    .sort((a, b) => a - b);
  return {
    title:
      `Nanoseconds that a filter of ${PICTURE_LENGTH} calls adds, by place`,
    rows: [
      [
        "place",
        ...columns.map(({ variant, mode }) => `${variant}, ${mode}`),
      ],
      ...places.map((place) => [
        String(place),
        ...columns.map(({ variant, mode }) => {
          const row = shown.find((r) =>
            r.position === place && r.variant === variant && r.mode === mode
          );
          return row === undefined ? "–" : row.addedNs.median.toFixed(1);
        }),
      ]),
    ],
  };
}

function published({ published }: Report): Section {
  return {
    title: "The published experiment, ticks of one getppid",
    rows: [
      ["layout", "published", "here, no cache", "here, allow cache"],
      ...published.map((row) => [
        row.layout,
        row.publishedTicks === undefined ? "–" : String(row.publishedTicks),
        spread(row.uncachedTicks, 0),
        spread(row.cachedTicks, 0),
      ]),
    ],
  };
}

function memory({ memory }: Report): Section {
  return {
    title: "Kernel memory of one filter, bytes",
    rows: [
      ["filter", "JIT image", "translated program", "kept as submitted"],
      ...memory.map((row) => [
        row.variant,
        String(row.imageBytes),
        String(row.programBytes),
        String(row.keptBytes),
      ]),
    ],
  };
}

function growth({ growth }: Report): Section {
  return {
    title: "Growth",
    rows: [
      [
        "of",
        "n",
        "filter",
        "instructions",
        "attach µs",
        "denied ns",
        "build µs",
      ],
      ...growth.map((row) => [
        row.what,
        String(row.n),
        row.variant,
        row.instructions === undefined
          ? row.refused ?? "–"
          : String(row.instructions),
        row.attachUs?.median.toFixed(1) ?? "–",
        row.deniedNs?.median.toFixed(1) ?? "–",
        row.buildUs?.median.toFixed(0) ?? "–",
      ]),
    ],
  };
}

function stacked({ stacked }: Report): Section {
  return {
    title: "Stacked filters",
    rows: [
      ["filter", "stacked", "call", "ns", "attach of the last, µs"],
      ...stacked.filter(({ filters }) => Math.log2(filters) % 1 === 0).map((
        row,
      ) => [
        row.variant,
        String(row.filters),
        row.call,
        spread(row.ns),
        row.attachUs.toFixed(1),
      ]),
    ],
  };
}

function containers({ containers }: Report): Section {
  return {
    title: "Containers, milliseconds",
    rows: [
      ["command", "filter", "CPU", "wall"],
      ...containers.map((row) => [
        row.command,
        row.setup,
        row.cpuMs === undefined ? "–" : spread(row.cpuMs, 2),
        spread(row.wallMs, 1),
      ]),
    ],
  };
}

function storm({ storm }: Report): Section {
  return {
    title: `A storm of probes: ${storm[0]?.execs ?? 0} times crun exec`,
    rows: [
      ["filter", "CPU ms", "wall ms", "CPU ms of one"],
      ...storm.map(({ setup, cpuMs, wallMs, execCpuMs }) => [
        setup,
        cpuMs.toFixed(0),
        wallMs.toFixed(0),
        spread(execCpuMs, 2),
      ]),
    ],
  };
}

function workloads({ workloads }: Report): Section {
  return {
    title: "Expected executed instructions of a call",
    rows: [
      ["histogram", "filter", "steps", "run the filter despite the cache"],
      ...workloads.map((row) => [
        row.histogram,
        row.variant,
        row.steps.toFixed(2),
        `${(row.uncachedShare * 100).toFixed(4)} %`,
      ]),
    ],
  };
}
