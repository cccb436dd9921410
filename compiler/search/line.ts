/**
 * The problem in the form of the searches: adjacent cells of one class are one
 * *run*, thresholds are only at the starts of runs, and values that an `eq` can
 * single out are *candidates* in one fixed order of weight.
 *
 * Why thresholds inside a run never help: let `x >= m` cut a run of class c.
 * In the subtree that answers for the part right of m, let v be the first node
 * that decides a value of the run: a leaf c, or a test `x == g`. The run is the
 * lowest part of that subtree, so a test v may be replaced by `x < end of run`;
 * then all of the run that is right of m ends there, no deeper than before, and
 * nothing else moves. The same holds left of m. Of the two places, take the one
 * that is less deep and move m to the other end of the run: all of the run ends
 * there, no deeper than before, and no test was added.
 *
 * Ties: the search minimizes cost first, then the number of tests, then keeps
 * weightless parts flat. All three are one number: each test costs `testCost`,
 * which is 2^-30 of the total weight in addition to the caller's penalty, and
 * each cell weighs a quantum, 2^-44 of the total, in addition to its own
 * weight. Weights are rounded to whole quanta, so that their sums are exact in
 * a double and "lighter than" is never a matter of rounding; "the total" is the
 * next power of two.
 *
 * @module
 */

import { absent } from "../present.ts";
import type { SearchProblem } from "./problem.ts";

/** Data that a line shares with the lines made from its runs. */
export type LineFacts = Pick<
  Line,
  | "classIds"
  | "candidateValue"
  | "candidateWeight"
  | "testCost"
  | "tie"
  | "noise"
>;

/** Runs, candidates and prices; see the module's text. */
export interface Line {
  /** Number of runs. */
  readonly n: number;
  /** First value of each run. */
  readonly starts: Uint32Array;
  /** Class of each run, an index into `classIds`; neighbors differ. */
  readonly classes: Int32Array;
  /** The caller's classes. */
  readonly classIds: Int32Array;
  /**
   * Weight of the runs before each, n + 1 sums, including the tie-break weight.
   */
  readonly sums: Float64Array;
  /**
   * 1 if every cell of the run is a candidate, so that `eq` tests alone can
   * remove it.
   */
  readonly peelable: Uint8Array;
  /**
   * Minimum depth of the tree that will hang from each run's leaf; 0 for a
   * plain leaf.
   */
  readonly heights: Int32Array;
  /** Per candidate in order of rank (heaviest first): its run. */
  readonly candidateRun: Int32Array;
  /** Per candidate: its value. */
  readonly candidateValue: Uint32Array;
  /** Per candidate: its weight, including the tie-break weight. */
  readonly candidateWeight: Float64Array;
  /** Index of each run's first candidate in `ranks`, n + 1 places. */
  readonly first: Int32Array;
  /** Ranks of the candidates, by run, rising within a run. */
  readonly ranks: Int32Array;
  /** Cost of one test, including the tie-break. */
  readonly testCost: number;
  /** The tie-break part of it. */
  readonly tie: number;
  /** Smaller than the difference of any two different sums of weights. */
  readonly noise: number;
}

/** Shares below this are tie-breaks: 2^-30 of the total for a test. */
const TEST_TIE = 2 ** -30;
/** Weights are whole multiples of 2^-44 of the total: their sums are exact. */
const QUANTUM = 2 ** -44;

/**
 * Checks a problem and joins its cells to runs.
 *
 * Candidates of equal weight are ranked by the length of their run. Any fixed
 * order is correct (see `exact.ts`), but this one removes complete runs first,
 * which keeps the number of states small (15 ms instead of minutes on uniform
 * weights).
 *
 * @param problem The cells.
 * @param sizePenalty Cost of a test in units of weight.
 * @throws {RangeError} if the cells are not a partition or a weight is invalid.
 */
export function toLine(problem: SearchProblem, sizePenalty: number): Line {
  const { starts, singles, classes, weights } = problem;
  const cells = starts.length;
  checkProblem(problem, sizePenalty);
  let total = 0;
  for (const weight of weights) total += weight;
  const unit = total > 0 ? 2 ** Math.ceil(Math.log2(total)) : 1;
  const quantum = unit * QUANTUM;

  const runs: RunFacts[] = [];
  const found: (Candidate & { readonly size: number })[] = [];
  const classIds = new Map<number, number>();
  let to = 0;
  for (let from = 0; from < cells; from = to) {
    const id = classes[from] ?? absent();
    const known = found.length;
    let weight = 0;
    while (to < cells && classes[to] === id) to++;
    const size = to - from;
    for (let cell = from; cell < to; cell++) {
      const own = (Math.round((weights[cell] ?? absent()) / quantum) + 1) *
        quantum;
      weight += own;
      if (singles[cell] !== 1) continue;
      const value = starts[cell] ?? absent();
      found.push({ run: runs.length, value, weight: own, size });
    }
    const cls = classIds.get(id) ?? classIds.size;
    classIds.set(id, cls);
    runs.push({
      start: starts[from] ?? absent(),
      cls,
      weight,
      peelable: found.length - known === size,
      height: 0,
    });
  }
  found.sort((a, b) =>
    b.weight - a.weight || a.size - b.size || a.value - b.value
  );
  return lineOf(
    {
      classIds: Int32Array.from(classIds.keys()),
      testCost: sizePenalty + unit * TEST_TIE,
      tie: unit * TEST_TIE,
      noise: quantum / 2,
    },
    runs,
    found,
  );
}

/** A candidate: a value that an `eq` can single out. */
interface Candidate {
  readonly run: number;
  readonly value: number;
  readonly weight: number;
}

/** A run without its candidates. */
type RunFacts = Omit<LineRun, "ranks">;

/** Makes a line; candidates are in order of rank. */
function lineOf(
  facts: Pick<Line, "classIds" | "testCost" | "tie" | "noise">,
  runs: readonly RunFacts[],
  candidates: readonly Candidate[],
): Line {
  const n = runs.length;
  const count = candidates.length;
  const line = {
    n,
    starts: new Uint32Array(n),
    classes: new Int32Array(n),
    classIds: facts.classIds,
    sums: new Float64Array(n + 1),
    peelable: new Uint8Array(n),
    heights: new Int32Array(n),
    candidateRun: new Int32Array(count),
    candidateValue: new Uint32Array(count),
    candidateWeight: new Float64Array(count),
    first: new Int32Array(n + 1),
    ranks: new Int32Array(count),
    testCost: facts.testCost,
    tie: facts.tie,
    noise: facts.noise,
  };
  const { sums, first, ranks } = line;
  candidates.forEach(({ run, value, weight }, rank) => {
    line.candidateRun[rank] = run;
    line.candidateValue[rank] = value;
    line.candidateWeight[rank] = weight;
    first[run + 1] = (first[run + 1] ?? absent()) + 1;
  });
  runs.forEach((facts, run) => {
    line.starts[run] = facts.start;
    line.classes[run] = facts.cls;
    sums[run + 1] = (sums[run] ?? absent()) + facts.weight;
    line.peelable[run] = facts.peelable ? 1 : 0;
    line.heights[run] = facts.height;
    first[run + 1] = (first[run + 1] ?? absent()) + (first[run] ?? absent());
  });
  const next = first.slice();
  candidates.forEach(({ run }, rank) => {
    const place = next[run] ?? absent();
    ranks[place] = rank;
    next[run] = place + 1;
  });
  return line;
}

/** A run on its own, used to cut and join lines. */
export interface LineRun {
  /** First value. */
  readonly start: number;
  /** Class, as in `Line.classes`. */
  readonly cls: number;
  /** Weight, including the tie-break weight. */
  readonly weight: number;
  /** True if `eq` tests alone can remove it. */
  readonly peelable: boolean;
  /**
   * Minimum depth of the tree that will hang from its leaf; 0 for a plain leaf.
   */
  readonly height: number;
  /** Ranks of its candidates in the original line. */
  readonly ranks: readonly number[];
}

/** Splits a line into its runs. */
export function toRuns(line: Line): LineRun[] {
  return Array.from({ length: line.n }, (_, run) => ({
    start: line.starts[run] ?? absent(),
    cls: line.classes[run] ?? absent(),
    weight: (line.sums[run + 1] ?? absent()) - (line.sums[run] ?? absent()),
    peelable: line.peelable[run] === 1,
    height: line.heights[run] ?? absent(),
    ranks: Array.from(
      line.ranks.subarray(line.first[run], line.first[run + 1]),
    ),
  }));
}

/**
 * Makes a line from runs of `line`; candidates keep their order.
 *
 * @param runs Neighbors differ in class.
 */
export function fromRuns(
  line: LineFacts,
  runs: readonly LineRun[],
): Line {
  const kept: { rank: number; run: number }[] = [];
  runs.forEach(({ ranks }, run) => {
    for (const rank of ranks) kept.push({ rank, run });
  });
  kept.sort((a, b) => a.rank - b.rank);
  const { candidateValue, candidateWeight } = line;
  return lineOf(
    line,
    runs,
    kept.map(({ rank, run }) => ({
      run,
      value: candidateValue[rank] ?? absent(),
      weight: candidateWeight[rank] ?? absent(),
    })),
  );
}

/** Throws unless the cells are a partition of [0, 2^32) with weights. */
function checkProblem(problem: SearchProblem, sizePenalty: number): void {
  const { starts, singles, classes, weights } = problem;
  const cells = starts.length;
  if (cells === 0 || starts[0] !== 0) {
    throw new RangeError(
      `Cannot search a tree: ${cells} cells, the first at ${
        starts[0] ?? "none"
      }; at least one cell at 0 is needed`,
    );
  }
  const lengths = [singles.length, classes.length, weights.length];
  if (lengths.some((length) => length !== cells)) {
    throw new RangeError(
      `Cannot search a tree: ${cells} starts but ${
        lengths.join(", ")
      } singles, classes, weights; all must be as many`,
    );
  }
  for (let i = 0; i < cells; i++) {
    const start = starts[i] ?? absent();
    const end = starts[i + 1] ?? 2 ** 32;
    const weight = weights[i] ?? absent();
    if (end <= start || (singles[i] === 1) !== (end - start === 1)) {
      throw new RangeError(
        `Cannot search a tree: cell ${i} is [${start}, ${end}) with single=${
          singles[i]
        }; starts must rise and singles mark cells of one value`,
      );
    }
    if (!(weight >= 0 && weight < Infinity)) {
      throw new RangeError(
        `Cannot search a tree: weight ${weight} of cell ${i}; weights are finite and not negative`,
      );
    }
  }
  if (!(sizePenalty >= 0 && sizePenalty < Infinity)) {
    throw new RangeError(
      `Cannot search a tree: size penalty ${sizePenalty}; it is finite and not negative`,
    );
  }
}
