/**
 * The document of `deno task cached` and its tables: the cost of a container
 * with crun's own cache, for each release of crun.
 *
 * @module
 */

import type { AttachRow, ContainerRow, MemoryRow } from "../report.ts";
import { compareSpreads, type Spread } from "../engine/summary.ts";

/** Name of the document beside `bench.json`. */
export const CRUN_DOCUMENT = "crun.json";

/** Ways to start a container, or to run something in it. */
export const CRUN_SETUPS = {
  none: "no filter",
  cold: "first with its section",
  list: "libseccomp's list in crun's cache",
  tree: "our tree in crun's cache",
  annotation: "our tree by annotation",
  hit: "by our wrapper or hook, from the store",
} as const;

/** Memory of the filters of containers that run at the same time. */
export interface CrowdRow {
  /** One of {@link CRUN_SETUPS}. */
  readonly setup: string;
  readonly containers: number;
  /** Translated programs, as listed by the kernel, in bytes. */
  readonly programBytes: number;
  /** New packs of JIT images, 2 MiB each. */
  readonly packs: number;
}

/** Everything that was measured for one crun. */
export interface CrunRun {
  /** Its version. */
  readonly crun: string;
  /** Starts and execs; without wall times, which entering a root would dominate. */
  readonly containers: readonly Pick<
    ContainerRow,
    "command" | "setup" | "cpuMs"
  >[];
  /** The filters themselves, as they are in crun's cache. */
  readonly filters: readonly {
    readonly setup: string;
    readonly instructions: number;
    readonly attachUs: AttachRow["us"];
    /** Size of a JIT image in bytes; absent if it could not be measured. */
    readonly imageBytes?: MemoryRow["imageBytes"];
  }[];
  readonly crowds: readonly CrowdRow[];
}

/** The document. */
export interface CrunReport {
  readonly schemaVersion: 1;
  /** ISO 8601. */
  readonly taken: string;
  /** The machine, as one line. */
  readonly machine: string;
  readonly rounds: number;
  /** Starts per round. */
  readonly batch: number;
  readonly runs: readonly CrunRun[];
}

/** A table with its title; the first row is its head. */
export interface CrunSection {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/**
 * Makes the tables.
 *
 * @param report The document.
 */
export function crunSections(
  { runs }: CrunReport,
): readonly CrunSection[] {
  return [
    { title: "Containers by release of crun, CPU ms", rows: costRows(runs) },
    {
      title: "Filters in crun's cache",
      rows: [
        ["crun", "filter", "instructions", "attach µs", "JIT image bytes"],
        ...runs.flatMap(({ crun, filters }) =>
          filters.map((row) => [
            ...[crun, row.setup, String(row.instructions)],
            ...[formatSpread(row.attachUs), String(row.imageBytes ?? "–")],
          ])
        ),
      ],
    },
    {
      title: "Kernel memory of containers that run at the same time",
      rows: [
        [
          ...["crun", "filter", "containers", "JIT images KiB"],
          ...["translated programs KiB", "new packs of images"],
        ],
        ...runs.flatMap(crowdRows),
      ],
    },
  ];
}

/** One row for each setup, one column for each crun. */
function costRows(runs: readonly CrunRun[]): readonly (readonly string[])[] {
  const keys = new Map(
    runs.flatMap(({ containers }) =>
      containers.map((row) => [`${row.command}\0${row.setup}`, row] as const)
    ),
  );
  return [
    ["what", "setup", ...runs.map(({ crun }) => `crun ${crun}`)],
    ...[...keys.values()].map(({ command, setup }) => [
      command,
      setup,
      ...runs.map((run) => {
        const cpu = findCost(run, command, setup);
        return cpu === undefined ? "–" : formatSpread(cpu);
      }),
    ]),
  ];
}

function findCost(
  { containers }: CrunRun,
  command: string,
  setup: string,
): Spread | undefined {
  return containers.find((row) =>
    row.command === command && row.setup === setup
  )?.cpuMs;
}

function crowdRows(
  { crun, filters, crowds }: CrunRun,
): readonly (readonly string[])[] {
  return crowds.map(({ setup, containers, programBytes, packs }) => {
    const image = filters.find((row) => row.setup === setup)?.imageBytes;
    const images = image === undefined
      ? "–"
      : (containers * image / 1024).toFixed(0);
    return [
      ...[crun, setup, String(containers), images],
      ...[(programBytes / 1024).toFixed(0), String(packs)],
    ];
  });
}

function formatSpread({ median, low, high }: Spread): string {
  const digits = median < 100 ? 2 : 0;
  const [m, l, h] = [median, low, high].map((n) => n.toFixed(digits));
  return `${m} (${l} to ${h})`;
}

/**
 * Compares crun 1.14 and later alone with our additions, for rows of the
 * headline.
 *
 * @param report The document.
 * @returns Name, ratio of medians, and the relation of the intervals.
 */
export function crunHeadline(
  { runs }: CrunReport,
): readonly (readonly [string, number, ReturnType<typeof compareSpreads>])[] {
  const { list, tree, hit, cold } = CRUN_SETUPS;
  const pairs = [
    ["run", tree, list],
    ["run", hit, list],
    ["run", tree, cold],
    ["exec", tree, list],
  ] as const;
  return runs.flatMap((run) => [
    ...pairs.flatMap(([command, ours, theirs]) => {
      const a = findCost(run, command, ours);
      const b = findCost(run, command, theirs);
      return a === undefined || b === undefined
        ? []
        : [compared(`crun ${run.crun} ${command}, CPU: ${ours}`, theirs, a, b)];
    }),
    ...attachOf(run),
  ]);
}

function attachOf({ crun, filters }: CrunRun): ReturnType<typeof crunHeadline> {
  const find = (setup: string): Spread | undefined =>
    filters.find((row) => row.setup === setup)?.attachUs;
  const [ours, theirs] = [find(CRUN_SETUPS.tree), find(CRUN_SETUPS.list)];
  if (ours === undefined || theirs === undefined) return [];
  const name = `crun ${crun}, attach: ${CRUN_SETUPS.tree}`;
  return [compared(name, CRUN_SETUPS.list, ours, theirs)];
}

function compared(
  name: string,
  other: string,
  ours: Spread,
  theirs: Spread,
): ReturnType<typeof crunHeadline>[number] {
  const ratio = ours.median / theirs.median;
  return [`${name} / ${other}`, ratio, compareSpreads(ours, theirs)];
}
