import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  compareReports,
  formatComparison,
  readReport,
} from "../../bench/report/compare.ts";
import {
  CRUN_SETUPS,
  type CrunReport,
  type CrunRun,
} from "../../bench/report/crun_text.ts";
import { pageText } from "../../bench/report/page_text.ts";
import { ratiosOf } from "../../bench/report/ratios.ts";
import type { Report } from "../../bench/report.ts";
import type { Spread } from "../../bench/engine/summary.ts";
import { formatReport } from "../../bench/report/text.ts";

function spread(median: number, half = 1): Spread {
  return {
    min: median - half,
    low: median - half,
    median,
    high: median + half,
    rounds: 9,
  };
}

/** A run with an attach and two calls, of which one shows no difference. */
function reportOf(attach: number): Report {
  const call = (
    variant: string,
    name: string,
    ns: number,
  ): Report["calls"][0] => ({
    variant,
    call: name,
    abi: "x86_64",
    why: "denied",
    ns: spread(ns),
  });
  return {
    schemaVersion: 1,
    command: "seccomp-tree bench",
    taken: "2026-01-02T03:04:05.000Z",
    seconds: 1,
    quick: false,
    machine: {
      cpu: "a processor",
      cpus: 2,
      kernel: "6.1.0",
      clock: "rdtsc",
      jit: { bpf_jit_enable: "1" },
      allowCache: true,
      mitigations: {},
      load: [0, 0],
      libseccomp: "2.5.4",
      deno: "2.9.6",
      runtimes: {},
    },
    source: "default:docker",
    arches: ["x86_64"],
    variants: [],
    attach: [
      { variant: "libseccomp linear", us: spread(700), predictedUs: 700 },
      { variant: "libseccomp tree", us: spread(230), predictedUs: 230 },
      { variant: "seccomp-tree", us: spread(attach), predictedUs: 65 },
    ],
    calls: [
      call("libseccomp linear", "acct", 200),
      call("libseccomp tree", "acct", 121),
      call("seccomp-tree", "acct", 120),
    ],
    position: [],
    published: [],
    build: [],
    memory: [],
    growth: [],
    stacked: [],
    containers: [],
    storm: [],
    workloads: [],
    leftOut: ["memory: not root"],
  };
}

Deno.test("ratiosOf() divides medians and compares intervals", () => {
  assertEquals(ratiosOf(reportOf(70)), [
    { name: "attach / libseccomp linear", ratio: 0.1, comparison: "lower" },
    {
      name: "attach / libseccomp tree",
      ratio: 70 / 230,
      comparison: "lower",
    },
    {
      name: "x86_64 acct / libseccomp linear",
      ratio: 0.6,
      comparison: "lower",
    },
    {
      name: "x86_64 acct / libseccomp tree",
      ratio: 120 / 121,
      comparison: "same",
    },
  ]);
});

Deno.test("compareReports() measures the difference of two runs", () => {
  const [attach] = compareReports(reportOf(70), reportOf(77));
  assertEquals(attach?.name, "attach / libseccomp linear");
  assert(Math.abs((attach?.apart ?? 0) - 0.1) < 1e-9, String(attach?.apart));
  const text = formatComparison(reportOf(70), reportOf(78));
  assert(text.includes("differs"), text);
  assert(text.includes("4 ratios, 2 more than 10 % apart"), text);
  assert(!formatComparison(reportOf(70), reportOf(71)).includes("differs"));
});

Deno.test("readReport() refuses data that is not a report", () => {
  const report = reportOf(70);
  assertEquals(readReport(JSON.stringify(report), "a.json"), report);
  for (const text of ["", "null", "[]", '{"schemaVersion":2}']) {
    assertThrows(() => readReport(text, "a.json"), RangeError, "a.json");
  }
});

Deno.test("the report and the page claim no difference if intervals overlap", () => {
  for (
    const text of [
      formatReport(reportOf(70)),
      pageText(reportOf(70), new Set()),
    ]
  ) {
    const line = text.split("\n").find((l) =>
      l.includes("acct / libseccomp tree")
    );
    assert(line !== undefined, "the ratio is printed");
    assert(line.includes("no difference"), line);
    assert(!line.includes("lower"), line);
    assert(text.includes("memory: not root"), "reports what was skipped");
    assert(text.includes("a processor, 2 processors"), "tells the machine");
  }
});

/** A run of one crun whose wrapper takes some milliseconds. */
function crunReport(wrapperMs: number): CrunReport {
  const cost = (setup: string, ms: number): CrunRun["containers"][number] => ({
    command: "run",
    setup,
    cpuMs: spread(ms, 0.1),
  });
  const { cold, list, tree, hit } = CRUN_SETUPS;
  return {
    schemaVersion: 1,
    taken: "2026-11-30T00:00:00.000Z",
    machine: "some machine",
    rounds: 3,
    batch: 20,
    runs: [{
      crun: "1.21",
      containers: [
        ...[cost(cold, 16), cost(list, 6), cost(tree, 5)],
        cost(hit, wrapperMs),
      ],
      filters: [
        { setup: list, instructions: 1025, attachUs: spread(700) },
        {
          ...{ setup: tree, instructions: 197, attachUs: spread(70) },
          imageBytes: 2048,
        },
      ],
      crowds: [
        { setup: tree, containers: 200, programBytes: 819200, packs: 0 },
        { setup: list, containers: 200, programBytes: 2457600, packs: 1 },
      ],
    }],
  };
}

Deno.test("the page has a table per release of crun, and shows where we cost more", () => {
  const report = reportOf(70);
  const page = (wrapperMs?: number): string =>
    pageText(
      report,
      new Set(),
      wrapperMs === undefined ? undefined : crunReport(wrapperMs),
    );
  assert(!page().includes("by release of crun"));
  const costly = page(9);
  const [wrapper] = costly.split("\n")
    .filter((line) => line.startsWith("| crun 1.21 run, CPU: by our wrapper"));
  assert(wrapper?.includes("1.500 | **ours is higher**"), wrapper);
  assert(costly.includes("cost more than they save"), costly);
  assert(costly.includes("A tree makes a start cheaper."));
  assert(!page(6).includes("cost more than they save"), "they overlap");
  const { tree, list } = CRUN_SETUPS;
  // 200 images of 2 KiB; the other size is unknown.
  for (
    const row of [
      `| 1.21 | ${tree} | 200 | 400 | 800 | 0 |`,
      `| 1.21 | ${list} | 200 | – | 2400 | 1 |`,
    ]
  ) assert(costly.includes(row), row);
});
