/**
 * The text of the page. Every figure in it is computed from the run, and
 * nothing is called faster if the intervals overlap.
 *
 * @module
 */

import { PRECOMPILED } from "../experiments/build.ts";
import { SETUPS } from "../experiments/containers.ts";
import { machineLine } from "../machine.ts";
import { PICTURE_LENGTH, type Ratio, ratiosOf, worstPlace } from "./ratios.ts";
import type { Report } from "../report.ts";
import { sectionsOf } from "./text.ts";
import { ALLOW, LINEAR, OURS, TREE } from "../engine/variants.ts";

/**
 * Writes the page.
 *
 * @param report The run.
 * @param charts Names of the charts that were drawn.
 */
export function pageText(
  report: Report,
  charts: ReadonlySet<string>,
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
      headline(report),
      noGain(report),
      `## The original picture`,
      picture(report),
      chart("position", "Nanoseconds added by place in the list"),
      chart("lengths", "Nanoseconds added by length of the list"),
      `The published figures are ticks of another processor under an older kernel: what compares is the shape. The cache-less half of ours runs the same programs with one leading load, at which the kernel's cache emulator gives up; a kernel before 5.11 runs the filter for every call, too.`,
      chart("published", "The published experiment and its repetition"),
      `## Calls that always run the filter`,
      `What arguments decide, what is denied, what is unknown, and every x32 call goes through the filter on every kernel. i386 calls enter by \`int $0x80\`, whose own cost hides the filter here.`,
      chart("calls", "Nanoseconds of a call by filter"),
      `## Start of a container`,
      `A filter is built and attached at each start, and attached again at each exec. Building is libseccomp's work at each start where the runtime has no cache; with precompiled bytes only base64 is left of it.`,
      chart("attach", "Attach and build times by filter"),
      `The attach follows a law: a constant, the size, and the walk of the kernel over all numbers.`,
      chart("law", "Predicted against measured attach times"),
      `## Containers`,
      containerWords(report),
      chart("containers", "Processor time of container starts and probes"),
      `## Kernel memory`,
      memoryWords(),
      chart("memory", "Bytes of kernel memory by filter"),
      `## Growth`,
      growthWords(report),
      chart("growth", "Growth with listed calls and argument rules"),
      `Stacked filters all run on every call that the cache does not answer.`,
      chart("stacked", "A call under stacked filters"),
      `## Workloads`,
      `Counted, not timed: executed instructions of a mean call under recorded histograms. They matter where every call runs the filter.`,
      chart("workloads", "Executed instructions by histogram"),
      `## All figures`,
      `Times are medians of the rounds, in parentheses the middle half of them.`,
      ...sectionsOf(report).map(({ title, rows }) =>
        `### ${title}\n\n${markdownTable(rows)}`
      ),
      leftOut(report),
    ].filter((part) => part !== "").join("\n\n")
  }\n`;
}

function introduction(report: Report): string {
  return `# Benchmarks

What filters cost, measured: no filter, one instruction that allows, libseccomp's linear list as crun loads it, libseccomp's binary tree as runc loads it, and ours, all of the same profile (${report.source} for ${
    report.arches.join(", ")
  }; system call names that the host's libseccomp knows)${
    provedAlike(report) ? ", each proved to mean the same" : ""
  }.

Everything that is compared is interleaved in one run: calls are made by machine code in cloned children, timed by the processor's counter, pinned to one processor. A round keeps its fastest batch; a result is the median of the rounds, its interval their middle half. Where two intervals overlap this page says that no difference was seen.

\`\`\`sh
deno run -A cli/main.ts bench --weights redis.json --weights nginx.json --weights node-http.json --page docs
deno run -A cli/main.ts bench --quick                # a look, within 20 seconds
deno run -A cli/main.ts bench --compare a.json b.json # whether two runs agree
deno task cold                                       # a whole process that compiles, pass by pass
\`\`\`

Measured ${report.taken.slice(0, 10)} in ${report.seconds} s${
    report.quick ? ", with --quick" : ""
  }; the document is [charts/bench.json](charts/bench.json), and \`bench --report docs/charts/bench.json --page docs\` writes this page from it.

Machine: ${machineLine(report.machine)}.`;
}

function provedAlike({ variants }: Report): boolean {
  return variants.every(({ variant, equal }) => variant === ALLOW || equal);
}

function headline(report: Report): string {
  const rows = ratiosOf(report).filter(({ name }) =>
    !/^(?:x86_64|x32|i386|native) /.test(name) || name.includes(" acct ")
  );
  return `## In short

${
    markdownTable([
      ["ours / theirs", "ratio", ""],
      ...rows.map(({ name, ratio, comparison }) => [
        name,
        ratio.toFixed(3),
        wordFor(comparison),
      ]),
    ])
  }`;
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
      return "no difference seen";
  }
}

function noGain(report: Report): string {
  const not = ratiosOf(report).filter(({ comparison }) =>
    comparison === "same" || comparison === "higher"
  );
  const list = not.map(({ name, ratio, comparison }) =>
    `- ${name}: ${ratio.toFixed(3)}, ${
      comparison === "higher" ? "ours is slower" : "no difference seen"
    }`
  );
  return `## Where there is no gain

- Allowed calls on a kernel with the allow cache (5.11 and later): they never run the filter, whichever it is.
- Between two trees a call differs by a few nanoseconds on a kernel with a JIT.
- Lists of a few calls: there the linear list is as small as a tree, and ours may be larger.
- Many rules on one argument: our filter decides by a search, so it is fast to run and larger to attach than libseccomp's list (below).
- A runtime that has cached libseccomp's filter: only the difference of the attach is left.
- Starts through our wrapper give back ${
    wrapperShare(report)
  } of what the annotation saves: annotate bundles ahead of time where that is possible.

Of the ratios of this run:

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
  return `The experiment that started this field: the time of a trivial call by its place in a filter of ${PICTURE_LENGTH} listed calls. Here each place is a real call that ends at once; what it costs without a filter is subtracted, round by round. Without the cache ours adds ${
    Math.min(...medians).toFixed(1)
  } to ${
    Math.max(...medians).toFixed(1)
  } ns from the first place to the last; at the slowest place libseccomp's list adds ${
    worst(LINEAR)
  } ns and its tree ${
    worst(TREE)
  } ns. With the cache the place does not matter.`;
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
    : ` One \`crun run\` takes ${section.toFixed(1)} ms with libseccomp and ${
      annotation.toFixed(1)
    } ms with our bytes in the bundle${
      hit === undefined || miss === undefined
        ? ""
        : `; through our wrapper ${
          hit.toFixed(1)
        } ms where its store has the filter, since a shell and an awk look it up, and ${
          miss.toFixed(1)
        } ms the one time that the filter has to be compiled and proved`
    }.`;
  return `Processor time of the whole process tree, by getrusage; wall time, also Podman's, is in the tables.${figures} A runtime that caches libseccomp's filter (crun 1.14 and later with a warm cache) has no build to save: what is left there is the difference of the attach.`;
}

/** The share of the saved time that our wrapper takes on a hit. */
function wrapperShare({ containers }: Report): string {
  const cpu = (setup: string): number =>
    containers.find((row) => row.command === "crun run" && row.setup === setup)
      ?.cpuMs?.median ?? NaN;
  const saved = cpu(SETUPS.section) - cpu(SETUPS.annotation);
  const share = (cpu(SETUPS.hit) - cpu(SETUPS.annotation)) / saved;
  return Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : "some";
}

function memoryWords(): string {
  return "JIT images lie side by side in packs of 2 MiB, which `/proc/vmallocinfo` lists; what `net.core.bpf_jit_limit` limits is these images. A filter is attached until a pack has begun and the next begins: the size of a pack over the filters in between is the size of an image, with what it is rounded up to. The pages of the translated program are listed there as well; the submitted program, which the kernel keeps for checkpoints, is eight bytes an instruction.";
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
  return `A list of n calls costs libseccomp n instructions and a walk of n² steps at attach; a tree n instructions and n log n steps; ours as many instructions as the numbers have intervals, which is fewer once the list is long. With ${most} rules on one argument libseccomp's tree has a list: ${
    of(TREE)
  }; ours: ${
    of(OURS)
  }. Our compilation of such rules takes the longest of all; it happens once, not at each start. Precompiled bytes are read in ${"time proportional to their number"} (\`${PRECOMPILED}\`).`;
}

function leftOut({ leftOut }: Report): string {
  if (leftOut.length === 0) return "";
  return `## Left out

${leftOut.map((line) => `- ${line}`).join("\n")}`;
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = line(head.map((_, i) => i === 0 ? "---" : "--:"));
  return [line(head), rule, ...body.map(line)].join("\n");
}
