/**
 * The text of the page. Every figure in it is computed from the run, and the
 * page reports no difference if the intervals overlap.
 *
 * @module
 */

import { PRECOMPILED } from "../experiments/build.ts";
import { SETUPS } from "../experiments/containers.ts";
import { machineLine } from "../machine.ts";
import {
  CRUN_SETUPS,
  crunHeadline,
  type CrunReport,
  crunSections,
} from "./crun_text.ts";
import { PICTURE_LENGTH, type Ratio, ratiosOf, worstPlace } from "./ratios.ts";
import type { Report } from "../report.ts";
import { sectionsOf } from "./text.ts";
import { ALLOW, LINEAR, OURS, TREE } from "../engine/variants.ts";

/**
 * Writes the page.
 *
 * @param report The run.
 * @param charts Names of the charts that were drawn.
 * @param crun Measurements of releases of crun, if there are any.
 */
export function pageText(
  report: Report,
  charts: ReadonlySet<string>,
  crun?: CrunReport,
): string {
  const chart = (name: string, alt: string): string =>
    charts.has(name)
      ? `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="charts/${name}.dark.svg">
  <img src="charts/${name}.light.svg" alt="${alt}">
</picture>`
      : "";
  return `${
    [
      introduction(report),
      headline(report, crun),
      noGain(report),
      `## The original experiment`,
      picture(report),
      chart("position", "Nanoseconds added by place in the list"),
      chart("lengths", "Nanoseconds added by length of the list"),
      `The published figures are ticks of another processor under an older kernel, so only the shapes can be compared. For the measurements without the cache, the same programs start with an additional load, at which the kernel's cache emulator gives up. A kernel before 5.11 also runs the filter for every call.`,
      chart("published", "The published experiment and its repetition"),
      `## Calls that always run the filter`,
      `Every kernel runs the filter for calls that arguments decide, denied calls, unknown calls, and all x32 calls. i386 calls enter by \`int $0x80\`, whose own cost hides the filter here.`,
      chart("calls", "Nanoseconds of a call by filter"),
      `## Container start`,
      `A runtime builds and attaches a filter at each start, and attaches it again at each exec. Without a cache, libseccomp builds the filter at each start. With precompiled bytes, the runtime only decodes base64.`,
      chart("attach", "Attach and build times by filter"),
      `The attach time is the sum of a constant, a part proportional to the size, and the time of the kernel's emulation of all numbers.`,
      chart("law", "Predicted against measured attach times"),
      `## Containers`,
      containerWords(report),
      chart("containers", "Processor time of container starts and probes"),
      ...(crun === undefined ? [] : crunPart(crun)),
      `## Kernel memory`,
      memoryWords(),
      chart("memory", "Bytes of kernel memory by filter"),
      `## Growth`,
      growthWords(report),
      chart("growth", "Growth with listed calls and argument rules"),
      `All stacked filters run on every call that the cache does not answer.`,
      chart("stacked", "A call under stacked filters"),
      `## Workloads`,
      `These figures are counts of executed instructions for a mean call under recorded histograms, not times. They matter if every call runs the filter.`,
      chart("workloads", "Executed instructions by histogram"),
      `## Figures`,
      `Times are medians of the rounds; the middle half of the rounds is in parentheses.`,
      ...sectionsOf(report).map(({ title, rows }) =>
        `### ${title}\n\n${markdownTable(rows)}`
      ),
      leftOut(report),
    ].filter((part) => part !== "").join("\n\n")
  }\n`;
}

function introduction(report: Report): string {
  return `# Benchmarks

This page compares the cost of filters: no filter, a single instruction that allows everything, libseccomp's linear list as crun loads it, libseccomp's binary tree as runc loads it, and ours. All are built from the same profile (${report.source} for ${
    report.arches.join(", ")
  }; with the system call names that the host's libseccomp knows)${
    provedAlike(report) ? ", and each is proved equal to it" : ""
  }.

All measurements are interleaved in one run. Machine code in cloned children makes the calls, pinned to one processor and timed by its counter. Each round keeps its fastest batch. A result is the median of the rounds, and its interval is their middle half. If two intervals overlap, this page reports no difference.

\`\`\`sh
deno run -A cli/main.ts bench --weights redis.json --weights nginx.json --weights node-http.json --page docs
deno run -A cli/main.ts bench --quick                # a short run of 20 seconds
deno run -A cli/main.ts bench --compare a.json b.json # do two runs agree?
deno task cached 10 --json docs/charts/crun.json     # releases of crun with a cache; then bench --page
deno task cold                                       # a complete compilation process, pass by pass
\`\`\`

Measured ${report.taken.slice(0, 10)} in ${report.seconds} s${
    report.quick ? ", with --quick" : ""
  }. The data is in [charts/bench.json](charts/bench.json); \`bench --report docs/charts/bench.json --page docs\` generates this page from it.

Machine: ${machineLine(report.machine)}.`;
}

function provedAlike({ variants }: Report): boolean {
  return variants.every(({ variant, equal }) => variant === ALLOW || equal);
}

function headline(report: Report, crun: CrunReport | undefined): string {
  const rows = ratiosOf(report).filter(({ name }) =>
    !/^(?:x86_64|x32|i386|native) /.test(name) || name.includes(" acct ")
  );
  const later = crun === undefined ? [] : crunHeadline(crun);
  const old = report.machine.runtimes["crun"];
  const version = old === undefined ? "" : ` ${old}`;
  return `## Summary

${
    markdownTable([
      ["ours / theirs", "ratio", ""],
      ...rows.map(({ name, ratio, comparison }) => [
        name.replace(/^crun /, `crun${version} `),
        ratio.toFixed(3),
        wordFor(comparison),
      ]),
      ...later.map(([name, ratio, comparison]) => [
        name,
        ratio.toFixed(3),
        wordFor(comparison),
      ]),
    ])
  }`;
}

/** The section about releases of crun that cache filters. */
function crunPart(crun: CrunReport): readonly string[] {
  const compared = crunHeadline(crun);
  const all = (
    part: string,
    wanted: Ratio["comparison"],
    words: string,
  ): string => {
    const rows = compared.filter(([name]) => name.includes(part));
    return rows.length > 0 && rows.every(([, , how]) => how === wanted)
      ? ` ${words}`
      : "";
  };
  const { tree, hit, list } = CRUN_SETUPS;
  return [
    `## Containers by release of crun`,
    `crun 1.14 and later cache the filter that libseccomp has built for a section, so only the first container with a section pays for the build. Later starts and all execs pay only for the attach.${
      all(
        `run, CPU: ${tree} / ${list}`,
        "lower",
        "A tree makes a start cheaper.",
      )
    }${all(`exec, CPU: ${tree}`, "lower", "It makes an exec cheaper.")}${
      all(
        `run, CPU: ${hit}`,
        "higher",
        "Our wrapper and hook cost more than they save with these releases; `--mode cache` runs nothing per container.",
      )
    }`,
    `Measured ${
      crun.taken.slice(0, 10)
    }, each release in a separate root, ${crun.rounds} rounds of ${crun.batch}; medians, with the middle half in parentheses. Machine: ${crun.machine}.`,
    ...crunSections(crun).map(({ title, rows }) =>
      `### ${title}\n\n${markdownTable(rows)}`
    ),
    `The size of JIT images is the size of one image times the number of containers, because the kernel lists only packs of 2 MiB. The size of translated programs is taken from the kernel's list.`,
  ];
}

function wordFor(comparison: Ratio["comparison"]): string {
  switch (comparison) {
    case undefined:
      return "counted";
    case "lower":
      return "ours is lower";
    case "higher":
      return "**ours is higher**";
    case "same":
      return "no difference";
  }
}

function noGain(report: Report): string {
  const not = ratiosOf(report).filter(({ comparison }) =>
    comparison === "same" || comparison === "higher"
  );
  const list = not.map(({ name, ratio, comparison }) =>
    `- ${name}: ${ratio.toFixed(3)}, ${
      comparison === "higher" ? "ours is slower" : "no difference"
    }`
  );
  return `## Cases without a gain

- Allowed calls on a kernel with the allow cache (5.11 and later): they never run any filter.
- Two trees on a kernel with a JIT: they differ by a few nanoseconds per call.
- Lists of a few calls: the linear list is as small as a tree, and our filter may be larger.
- Many rules on one argument: our filter decides by a search, so it runs faster than libseccomp's list, but is larger and takes longer to attach (see Growth).
- A runtime that has cached libseccomp's filter: only the attach differs.
- Starts through our wrapper: the lookup takes ${
    wrapperShare(report)
  } of the time that the annotation saves; annotate bundles ahead of time if possible.

In this run:

${list.length === 0 ? "- none" : list.join("\n")}`;
}

function picture(report: Report): string {
  const places = report.position.filter(({ variant, mode, listed }) =>
    variant === OURS && mode === "uncached" && listed === PICTURE_LENGTH
  );
  if (places.length === 0) return "Not measured here.";
  const medians = places.map(({ addedNs }) => addedNs.median);
  const worst = (name: string): string =>
    worstPlace(report, name)?.addedNs.median.toFixed(1) ?? "–";
  return `This work began with an experiment: the time of a trivial call by its place in a filter of ${PICTURE_LENGTH} listed calls. In this repetition, each place is a real call that returns immediately; its cost without a filter is subtracted in each round. Without the cache, our filter adds ${
    Math.min(...medians).toFixed(1)
  } to ${
    Math.max(...medians).toFixed(1)
  } ns, depending on the place. At the slowest place libseccomp's list adds ${
    worst(LINEAR)
  } ns and its tree ${
    worst(TREE)
  } ns. With the cache, the place does not matter.`;
}

function containerWords({ containers }: Report): string {
  const cpu = (setup: string): number | undefined =>
    containers.find((row) => row.command === "crun run" && row.setup === setup)
      ?.cpuMs?.median;
  const [section, annotation, hit, miss] = [
    cpu(SETUPS.section),
    cpu(SETUPS.annotation),
    cpu(SETUPS.hit),
    cpu(SETUPS.miss),
  ];
  const figures = section === undefined || annotation === undefined
    ? ""
    : ` One \`crun run\` takes ${section.toFixed(1)} ms with libseccomp, and ${
      annotation.toFixed(1)
    } ms with our bytes in the bundle${
      hit === undefined || miss === undefined
        ? ""
        : `. Through our wrapper it takes ${
          hit.toFixed(1)
        } ms if its store has the filter, because a shell and an awk look it up, and ${
          miss.toFixed(1)
        } ms the first time, when the filter is compiled and proved`
    }.`;
  return `The chart shows the processor time of the whole process tree, by getrusage; the tables also have wall times, including Podman's.${figures} A runtime that caches libseccomp's filter (crun 1.14 and later with a warm cache) does not build a filter: only the attach differs, see below.`;
}

/** The part of the saved time that our wrapper takes on a hit. */
function wrapperShare({ containers }: Report): string {
  const cpu = (setup: string): number =>
    containers.find((row) => row.command === "crun run" && row.setup === setup)
      ?.cpuMs?.median ?? NaN;
  const saved = cpu(SETUPS.section) - cpu(SETUPS.annotation);
  const share = (cpu(SETUPS.hit) - cpu(SETUPS.annotation)) / saved;
  return Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : "some";
}

function memoryWords(): string {
  return "JIT images are stored in packs of 2 MiB, which `/proc/vmallocinfo` lists; `net.core.bpf_jit_limit` limits these images. The benchmark attaches a filter repeatedly, from the beginning of one pack to the beginning of the next. The size of a pack divided by the number of filters in between is the size of an image, including rounding. The file also lists the pages of the translated program. The submitted program, which the kernel keeps for checkpoints, has eight bytes per instruction.";
}

function growthWords({ growth }: Report): string {
  const of = (variant: string): string => {
    const row = growth.filter((r) =>
      r.variant === variant && r.what === "argument rules"
    ).at(-1);
    if (row === undefined) return "–";
    return `${row.instructions ?? "–"} instructions, ${
      row.attachUs?.median.toFixed(0) ?? "–"
    } µs to attach, ${
      row.deniedNs?.median.toFixed(0) ?? "–"
    } ns for a denied call`;
  };
  const most = Math.max(
    0,
    ...growth.filter(({ what }) => what === "argument rules").map(({ n }) => n),
  );
  return `For a list of n calls, libseccomp's chain has n instructions and takes n² steps of emulation at attach; its tree has n instructions and takes n log n steps. The size of our filter grows with the number of intervals of call numbers; long lists have fewer intervals than calls. With ${most} rules on one argument, libseccomp's tree contains a list: ${
    of(TREE)
  }; ours: ${
    of(OURS)
  }. Our compilation of such rules takes longest, but happens only once, not at each start. The time to read precompiled bytes is proportional to their number (\`${PRECOMPILED}\`).`;
}

function leftOut({ leftOut }: Report): string {
  if (leftOut.length === 0) return "";
  return `## Not measured

${leftOut.map((line) => `- ${line}`).join("\n")}`;
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = line(head.map((_, i) => i === 0 ? "---" : "--:"));
  return [line(head), rule, ...body.map(line)].join("\n");
}
