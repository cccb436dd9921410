/**
 * A status as metrics: the text that Prometheus and the textfile collector of its
 * node exporter read (exposition format 0.0.4).
 *
 * @module
 */

import { COUNTS } from "../../hook/store/counts.ts";
import { FILTER_KINDS } from "../../install/containers.ts";
import type { Status } from "../../install/status.ts";

/** A metric with its samples. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
  /** Kind of the metric; a gauge by default. */
  readonly type?: "counter" | "gauge";
}

/** Labels and a value. */
type Sample = readonly [Readonly<Record<string, string>>, number];

/**
 * Writes a status as metrics.
 *
 * @param status The status.
 * @returns Text that ends in a line break.
 */
export function formatMetrics(
  status:
    & Pick<
      Status,
      "machine" | "managers" | "store" | "caches"
    >
    & {
      readonly containers: readonly Pick<
        Status["containers"][number],
        "filter" | "manager"
      >[];
    },
): string {
  return metricsOf(status).filter(({ samples }) => samples.length > 0)
    .map(formatMetric).join("");
}

function metricsOf(
  { machine, managers, store, caches, containers }: Parameters<
    typeof formatMetrics
  >[0],
): readonly Metric[] {
  const byManager = Object.groupBy(containers, (c) => c.manager ?? "");
  return [
    {
      name: "containers",
      help: "Running containers by manager and origin of their filter.",
      samples: Object.entries(byManager).flatMap(([manager, some = []]) =>
        FILTER_KINDS.map((filter): Sample => [
          { manager, filter },
          some.filter((c) => c.filter === filter).length,
        ])
      ),
    },
    {
      name: "cache_entries",
      help: "Filters that crun keeps, by folder and origin.",
      samples: caches.flatMap(({ root, tree, libseccomp, doubtful }) =>
        Object.entries({ tree, libseccomp, doubtful }).map((
          [filter, count],
        ): Sample => [{ root, filter }, count])
      ),
    },
    {
      name: "store_entries",
      help: "Filters in the store by state.",
      samples: [
        [{ state: "current" }, store.current],
        [{ state: "stale" }, store.stale],
        [{ state: "left" }, store.left.length],
        [{ state: "doubtful" }, store.problems.length],
      ],
    },
    {
      name: "starts_total",
      type: "counter",
      help:
        "Containers that hook and wrapper started or refused, by what became of their filter.",
      samples: COUNTS.map((outcome) => [{ outcome }, store.starts[outcome]]),
    },
    {
      name: "manager_optimized",
      help:
        "1 if the containers of an installed manager are optimized, 0 if not.",
      samples: managers.filter(({ installed }) => installed).map((
        { name, damaged, notOptimized },
      ): Sample => [
        { manager: name },
        damaged.length === 0 && notOptimized === undefined ? 1 : 0,
      ]),
    },
    {
      name: "jit_limit_bytes",
      help: "Memory that the kernel grants to machine code of filters.",
      samples: samplesOf(machine.jitLimit),
    },
    {
      name: "jit_bytes",
      help: "Memory in use by machine code of BPF programs.",
      samples: samplesOf(machine.jitUse),
    },
  ];
}

function samplesOf(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [[{}, value]];
}

function formatMetric({ name, help, samples, type = "gauge" }: Metric): string {
  const full = `seccomp_tree_${name}`;
  return [
    `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n`,
    ...samples.map(([labels, value]) =>
      `${full}${formatLabels(labels)} ${value}\n`
    ),
  ].join("");
}

function formatLabels(labels: Sample[0]): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
