/**
 * The cost of a filter, defined in one place.
 *
 * A cost is the sum of executed instructions, weighted by the expected
 * frequency of each number, plus a price for every test in the program. Four
 * objectives give the weights:
 *
 * | objective  | a number weighs                                     | a test costs |
 * | ---------- | --------------------------------------------------- | ------------ |
 * | `uncached` | its share of the calls                              | 0 (ties: fewer tests) |
 * | `cached`   | 1 for the attach walk; +100 if arguments decide, +1 if denied | 73 |
 * | `size`     | 1                                                   | 20 to 10,000 |
 * | `balanced` | its share of the calls                              | 0 (ties: fewer tests) |
 *
 * Shares are scaled so that 470 numbers weigh 470 together; without a histogram
 * each weighs 1. `uncached` is the cost on kernels before 5.11, in
 * interpreters, and on architectures without the allow cache: every call runs
 * the filter. From 5.11 on, a constant ALLOW never runs it. The rest is
 * `cached`: calls that arguments decide, denied ones, and the kernel's
 * emulation of every number when the filter is attached, during which one
 * instruction of size costs as much as 73 executed ones (0.1546 µs against
 * 0.00211 µs, Linux 6.18, x86_64). `balanced` has the weights of `uncached`:
 * its optimum is within 4 % of the others'.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import type { Objective } from "../tables/objectives.ts";
import { SECCOMP_RET_ALLOW } from "../tables/uapi.ts";
import type { Decision } from "./decision.ts";

/**
 * Options of the compiler.
 *
 * @category Compile
 */
export interface CompileOptions {
  /** The cost to minimize; `balanced` by default. */
  readonly objective?: Objective;
  /**
   * A histogram: how often each number is called, as any positive numbers, by
   * `AUDIT_ARCH_*`; uniform by default.
   */
  readonly weights?: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Share of the uniform background in a histogram, 0 to 1; 0.5 by default. */
  readonly background?: number;
  /**
   * Maximum number of tests on a number. The default with a histogram of n
   * intervals is `ceil(log2 n) + 7`, which the optima of real profiles keep;
   * without a histogram there is no limit.
   */
  readonly maxDepth?: number;
  /**
   * Work units that the search for the optimum of each architecture may use,
   * about 10^7 per second; 20 million by default, 0 for only the quick search.
   */
  readonly workLimit?: number;
  /**
   * Work units that each architecture may use for a lower bound under
   * `maxDepth`, if that makes the tree costlier; 0 by default.
   */
  readonly boundWork?: number;
}

/** Options that affect the cost. */
type CostOptions = Omit<CompileOptions, "workLimit" | "boundWork">;

/** A histogram of the options. */
export type Weights = NonNullable<CompileOptions["weights"]>;

/** Instructions around the tests of an argument word. */
export const ARGUMENT_COSTS = { load: 1 } as const;

/** Numbers that count: the native ones of a 6.18 kernel, 0 to 469. */
export const COUNTED_NUMBERS = 470;

/** Default share of the uniform background. */
export const DEFAULT_BACKGROUND = 0.5;

/** Weights and a price for the search. */
export interface Attempt {
  /** Objective that gives the weights. */
  readonly objective: Objective;
  /** Cost of one test, in executed instructions. */
  readonly price: number;
  /** True if numbers of x32 are folded onto native ones; false by default. */
  readonly folds?: boolean;
  /**
   * True if parts of a tree are shared; false by default. Not used without
   * `folds` if numbers can be folded.
   */
  readonly shares?: boolean;
  /** True if a redundant load may replace a `ja`; false by default. */
  readonly short?: boolean;
}

const CACHED: Attempt = { objective: "cached", price: 73 };

/**
 * Makes attempts that share parts: with numbers folded, or if there are none to
 * fold.
 *
 * @param attempt The attempt without sharing.
 */
export function sharing(attempt: Attempt): readonly Attempt[] {
  return [true, false].map((folds) => ({ ...attempt, folds, shares: true }));
}

/** Attempts for `size`, without folding. */
const SIZE: readonly Attempt[] = [
  { objective: "size", price: 10_000, short: true },
  { objective: "size", price: 73, short: true },
  { objective: "size", price: 20, short: true },
  { ...CACHED, short: true },
];

/**
 * Attempts for each objective. If there are several, the shortest program is
 * kept: tests are counted in the tree, but only the program shows how much of a
 * tree is shared. The result for `cached` may be the shortest of all.
 */
export const ATTEMPTS: Readonly<Record<Objective, readonly Attempt[]>> = {
  uncached: [{ objective: "uncached", price: 0 }],
  cached: [CACHED],
  size: [
    ...SIZE,
    ...SIZE.map((attempt) => ({ ...attempt, folds: true })),
    ...SIZE.slice(0, 2).flatMap((attempt) => sharing(attempt)),
  ],
  balanced: [{ objective: "balanced", price: 0 }],
};

/** Extra weight under `cached` of a number that arguments decide. */
const ARGUMENT_BONUS = 100;
/** Extra weight under `cached` of a number that is not allowed. */
const DENIED_BONUS = 1;

/** mips numbers start at 4000 (o32), 5000 (n64) or 6000 (n32). */
const BASES: readonly number[] = [6000, 5000, 4000];

/** Values of a word with one decision. */
export interface DecidedInterval extends Range {
  /** The decision. */
  readonly node: Decision;
}

/** Values of a word with one decision and one weight. */
export interface WeightedInterval extends DecidedInterval {
  /** Expected executions per unit, 0 or more. */
  readonly weight: number;
  /**
   * True if it stays separate from neighbors with the same decision, because it
   * is hot.
   */
  readonly apart?: boolean;
}

/**
 * Assigns weights to the numbers of an architecture. Numbers of x32 have no
 * weight: their tests must not slow the native ones down.
 *
 * @param intervals A partition with decisions.
 * @param auditArch The architecture.
 * @param options The objective and the histogram.
 * @returns The intervals, cut at the numbers that the histogram names.
 */
export function weigh(
  intervals: readonly DecidedInterval[],
  auditArch: number,
  options: CostOptions,
): readonly WeightedInterval[] {
  const base = numberBase(intervals);
  const end = base + COUNTED_NUMBERS - 1;
  const objective = options.objective ?? "balanced";
  const shares = objective === "cached" || objective === "size"
    ? undefined
    : sharesOf(auditArch, options);
  const uniform = shares === undefined
    ? 1
    : options.background ?? DEFAULT_BACKGROUND;
  const named = shares ?? [];
  const pieces: WeightedInterval[] = [];
  let next = 0;
  for (const { first, last, node } of intervals) {
    const each = uniform + (objective === "cached" ? bonusOf(node) : 0);
    let from = first;
    for (
      let hot = named[next];
      hot !== undefined && hot.nr <= last;
      hot = named[++next]
    ) {
      const { nr, share } = hot;
      put(from, nr - 1, node, each);
      const weight = share + (base <= nr && nr <= end ? each : 0);
      pieces.push({ first: nr, last: nr, node, weight, apart: true });
      from = nr + 1;
    }
    put(from, last, node, each);
  }
  return pieces;

  /**
   * Splits at the ends of the counted range, so that each piece has uniform
   * weight.
   */
  function put(from: number, last: number, node: Decision, each: number): void {
    let first = from;
    while (first <= last) {
      const stop = first < base ? base - 1 : first <= end ? end : last;
      const to = Math.min(stop, last);
      const counts = base <= first && first <= end;
      const weight = counts ? each * (to - first + 1) : 0;
      pieces.push({ first, last: to, node, weight, apart: false });
      first = to + 1;
    }
  }
}

/** The weight of a number in the histogram, in addition to the background. */
interface Share {
  readonly nr: number;
  readonly share: number;
}

/**
 * Weights of the named numbers, in rising order; together with the background
 * they weigh 470.
 */
function sharesOf(
  auditArch: number,
  { weights, background }: CostOptions,
): readonly Share[] | undefined {
  const counts = weights?.get(auditArch);
  if (counts === undefined) return undefined;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const scale = (1 - (background ?? DEFAULT_BACKGROUND)) * COUNTED_NUMBERS /
    total;
  return [...counts].filter(([, count]) => count > 0)
    .map(([nr, count]) => ({ nr, share: count * scale }))
    .sort((a, b) => a.nr - b.nr);
}

function bonusOf(node: Decision): number {
  if (node.kind !== "leaf") return ARGUMENT_BONUS;
  return node.value === SECCOMP_RET_ALLOW ? 0 : DENIED_BONUS;
}

function numberBase(intervals: readonly DecidedInterval[]): number {
  const second = intervals[1]?.first ?? 0;
  return BASES.find((base) => second >= base && second < base + 1000) ?? 0;
}

/**
 * Returns the maximum depth of a tree.
 *
 * @param intervals Number of intervals with different decisions.
 * @param options The requested limit, and whether there is a histogram.
 * @returns Maximum number of tests on a path; `undefined` for no limit.
 */
export function depthLimit(
  intervals: number,
  options: CostOptions,
): number | undefined {
  if (options.maxDepth !== undefined) return options.maxDepth;
  if (options.weights === undefined) return undefined;
  return Math.ceil(Math.log2(Math.max(2, intervals))) + 7;
}

/**
 * Assigns a weight to a cell of an argument word. Most arguments are small, and
 * 0 is the most frequent; the real distribution is unknown.
 *
 * @param first First value, a u32.
 * @returns 8 for the cell that contains 0, else 1.
 */
export function argumentWeight(first: number): number {
  return first === 0 ? 8 : 1;
}
