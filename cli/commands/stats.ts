/**
 * `stats`: compares sizes and steps of filters, and shows how far the trees are
 * from the optimum.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { printable } from "../../tables/printable.ts";
import { reportJson } from "../output/json.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { type ProvedTree, weightsFor } from "../../pipeline/compile_profile.ts";
import { readCost } from "../input/cost.ts";
import { EXIT, forEachInput } from "../exit.ts";
import { type CompiledSource, readFilterSource } from "../input/filter.ts";
import {
  COST_FLAGS,
  type CostFlags,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import { lowerBoundSteps } from "../../measure/lower_bound.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import {
  type Measure,
  measure,
  type MeasureWeights,
} from "../../measure/measure.ts";
import { refuseTwoStdins } from "../input/source.ts";
import { formatTable } from "../../host/table.ts";

/** Flags of `stats`. */
export interface StatsFlags extends SourceFlags, CostFlags, OutputFlags {}

/** Measures with a name. */
export interface NamedMeasure extends Measure {
  readonly name: string;
}

/** Facts about the tree of one architecture. */
interface TreeReport {
  readonly name: string;
  readonly arch: string;
  /** Intervals of system call numbers. */
  readonly intervals: number;
  /** Expected executed instructions. */
  readonly expected: number;
  /**
   * The same for the best tree, or a lower bound; `null` if the objective is
   * not a count of steps.
   */
  readonly tree: number | null;
  /** Lower bound on the expected executed instructions of any program. */
  readonly floor: number;
  /** Expected tests on the number. */
  readonly tests: number;
  /**
   * The minimized cost: tests, plus the objective's price for each test in the
   * program.
   */
  readonly cost: number;
  /** Lower bound on the cost of any tree. */
  readonly lowerBound: number;
  /** True if no tree costs less than this one. */
  readonly proven: boolean;
}

/** Reports limits that kept the compiler from minimizing the objective. */
interface LimitReport
  extends Pick<ProvedTree, "madeForSize" | "testedInOrder"> {
  readonly name: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  StatsFlags,
  string[]
>({
  usage: "[OPTION...] [SOURCE...]",
  examples: [
    "stats default:docker --optimum",
    "stats default:docker profile.json filter.bpf -o json",
  ],
  parameters: {
    flags: { ...OUTPUT_FLAG, ...COST_FLAGS, ...SOURCE_FLAGS },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT },
  },
  run: runStats,
});

/** Measures every source. */
export async function runStats(
  io: Io,
  flags: StatsFlags,
  ...words: readonly string[]
): Promise<number> {
  refuseTwoStdins(...words, flags.weights);
  const target = await withOwnSemantics(io, flags, words);
  const cost = await readCost(io, flags);
  const weighing: MeasureWeights = {
    ...(cost.counts === undefined
      ? {}
      : { weights: weightsFor(cost.counts, ARCHES) }),
    ...(flags.background === undefined ? {} : { background: flags.background }),
  };
  const filters: NamedMeasure[] = [];
  const trees: TreeReport[] = [];
  const limited: LimitReport[] = [];
  const sources = words.length === 0 ? ["default:docker"] : words;
  const { failed, code } = await forEachInput(io, sources, async (word) => {
    const filter = await readFilterSource(io, word, target, {
      cost,
      native: true,
    });
    const { arches } = filter;
    const own: NamedMeasure[] = filter.programs.map((program, i) => ({
      name: filter.programs.length > 1 ? `${filter.name}#${i}` : filter.name,
      ...measure(program, arches, weighing),
    }));
    filters.push(...own);
    if (filter.kind === "profile") {
      trees.push(...treesOf(filter, arches, own, weighing));
      const { madeForSize, testedInOrder } = filter.resolved;
      limited.push({ name: filter.name, madeForSize, testedInOrder });
    }
  });
  if (flags.output === "json") {
    const unread = failed.length > 0 ? { unread: failed } : {};
    io.out(
      reportJson({ filters, trees, limited, ...unread }),
    );
    return code;
  }
  if (filters.length === 0 && code !== EXIT.ok) return code;
  io.out(formatMeasures(filters, weighing.weights !== undefined));
  io.out(MEASURES_LEGEND);
  if (trees.length > 0) {
    io.out(`\n${formatTrees(trees)}${treesLegend(trees)}`);
  }
  if (flags.verbose) io.out(trees.map(whyOf).join(""));
  return code;
}

function treesOf(
  { name, resolved, objective }: CompiledSource,
  arches: readonly Arch[],
  measures: readonly Measure[],
  weighing: MeasureWeights,
): readonly TreeReport[] {
  return resolved.trees.flatMap((tree) => {
    const arch = arches.find((a) =>
      a.auditArch === tree.auditArch && a.syscallBit === 0
    );
    const counted = measures[0]?.arches.find((a) => a.name === arch?.name);
    if (arch === undefined || counted === undefined) return [];
    const { intervals, tests, cost, lowerBound, proven } = tree;
    const { expected } = counted;
    const inSteps = objective === "balanced" || objective === "uncached";
    return [{
      name,
      arch: tree.names.join("+"),
      intervals,
      expected,
      tree: inSteps ? expected - cost + lowerBound : null,
      floor: lowerBoundSteps(resolved.decision, arch, weighing),
      tests,
      cost,
      lowerBound,
      proven,
    }];
  });
}

/** Explains the columns of {@linkcode formatMeasures}. */
export const MEASURES_LEGEND = `
attach  predicted time of seccomp(2)
mean    executed instructions for the first 470 numbers, arguments zero
worst   executed instructions for the first 470 numbers, any arguments
cached  calls for which the kernel never runs the filter (Linux 5.11 and later)
`;

/** Writes measures as a table, one row per filter and architecture. */
export function formatMeasures(
  measures: readonly NamedMeasure[],
  weighted = false,
): string {
  const rows = [[
    "filter",
    "instructions",
    "attach µs",
    "arch",
    ...(weighted ? ["weighted"] : []),
    "mean",
    "worst",
    "cached",
  ]];
  for (const { name, length, attach, arches } of measures) {
    for (const [i, arch] of arches.entries()) {
      rows.push([
        i === 0 ? name : "",
        i === 0 ? String(length) : "",
        i === 0 ? attach.toFixed(0) : "",
        arch.name,
        ...(weighted ? [arch.expected.toFixed(2)] : []),
        arch.mean.toFixed(2),
        String(arch.worst),
        arch.cached === null ? "–" : String(arch.cached),
      ]);
    }
  }
  return formatTable(rows);
}

function formatTrees(trees: readonly TreeReport[]): string {
  return formatTable([
    [
      "tree",
      "arch",
      "expected",
      "best ==,>= tree",
      "gap",
      "any program",
      "best tree is",
    ],
    ...trees.map((report) => {
      const { name, arch, expected, tree, floor, proven } = report;
      return [
        name,
        arch,
        expected.toFixed(3),
        tree === null ? "–" : `${proven ? "" : "≥ "}${tree.toFixed(3)}`,
        `${(100 * gapOf(report)).toFixed(2)} %`,
        `≥ ${floor.toFixed(3)}`,
        proven ? "proven" : "a bound",
      ];
    }),
  ]);
}

/** Explains the columns of {@linkcode formatTrees}. */
function treesLegend(trees: readonly TreeReport[]): string {
  const percent = (gap: number): string => `${(100 * gap).toFixed(2)} %`;
  const below = trees.map(gapOf).find((gap) => percent(gap).startsWith("-"));
  const what = trees.some(({ tree }) => tree === null)
    ? "cost by the objective"
    : "expected";
  const example = below === undefined
    ? ""
    : `; ${percent(below)} is ${percent(-below)} below the
                best tree of == and >= tests: JSET tests several numbers at once`;
  return `
expected        executed instructions of an average call
best ==,>= tree no tree of == and >= tests executes fewer
any program     no program executes fewer
gap             ${what} against that tree${example}
`;
}

/**
 * How far the filter may be above the best tree of `==` and `>=` tests, or how
 * far below it is, because of JSET.
 */
function gapOf({ expected, tree, cost, lowerBound }: TreeReport): number {
  if (tree !== null) return expected / tree - 1;
  return lowerBound === 0 ? 0 : cost / lowerBound - 1;
}

function whyOf(report: TreeReport): string {
  const { name, arch, intervals, tests, cost, lowerBound, proven } = report;
  const why = proven
    ? cost < lowerBound - 1e-6
      ? "optimal: proven, and JSET in narrow ranges improves on it"
      : "no tree of == and >= tests costs less: optimal: proven"
    : `no tree of == and >= tests costs less than ${
      lowerBound.toFixed(3)
    }; the search ended at its limit, --optimum spends more`;
  return `${printable(name)}: ${arch}: ${intervals} intervals, ${
    tests.toFixed(3)
  } tests expected on the number, cost ${cost.toFixed(3)}; ${why}
`;
}
