/**
 * The problem as the searches see it: cells of one class that lie side by side
 * are one *run*, thresholds are taken at the starts of runs only, and values
 * that an `eq` can single out are *candidates* in one fixed order of weight.
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
 * weightless parts flat. All three are one number: each test costs `testCost` =
 * 2^-30 of the total weight besides the caller's penalty, each run weighs 2^-44
 * of it besides its own weight. Both are powers of two times a power of two, so
 * that sums of whole-numbered weights stay exact in a double.
 *
 * @module
 */

import type { SearchProblem } from "./problem.ts";

/** Runs, candidates and prices; see the module's text. */
export interface Line {
  /** Number of runs. */
  readonly n: number;
  /** First value of each run. */
  readonly starts: Uint32Array;
  /** Class of each run, an index into `classIds`; neighbours differ. */
  readonly classes: Int32Array;
  /** The caller's classes. */
  readonly classIds: Int32Array;
  /** Weight of the runs before each, n + 1 sums, tie-break weight included. */
  readonly sums: Float64Array;
  /** 1 where every cell of the run is a candidate, so that `eq` tests alone can remove it. */
  readonly peelable: Uint8Array;
  /** Per candidate in order of rank (heaviest first): its run. */
  readonly candidateRun: Int32Array;
  /** Per candidate: its value. */
  readonly candidateValue: Uint32Array;
  /** Per candidate: its weight, tie-break weight included. */
  readonly candidateWeight: Float64Array;
  /** Where each run's candidates begin in `ranks`, n + 1 places. */
  readonly first: Int32Array;
  /** Ranks of the candidates, by run, rising within a run. */
  readonly ranks: Int32Array;
  /** Cost of one test, tie-break included. */
  readonly testCost: number;
  /** The tie-break in it. */
  readonly tie: number;
}

/** Weight below which a share is a tie-break: 2^-30 of the total for a test. */
const TEST_TIE = 2 ** -30;
/** And 2^-44 of the total for a run. */
const RUN_TIE = 2 ** -44;

/**
 * Checks a problem and joins its cells to runs.
 *
 * Candidates of equal weight are ranked by the length of their run: any fixed
 * order is right (see `exact.ts`), but this one removes whole runs first, which
 * keeps the number of states small (15 ms instead of minutes on uniform
 * weights).
 *
 * @param problem The cells.
 * @param sizePenalty Cost of a test in units of weight.
 * @throws {RangeError} when the cells are no partition or a weight is no weight.
 */
export function toLine(problem: SearchProblem, sizePenalty: number): Line {
  const { starts, singles, classes, weights } = problem;
  const cells = starts.length;
  checkProblem(problem, sizePenalty);
  let total = 0;
  for (const weight of weights) total += weight;
  const unit = total > 0 ? 2 ** Math.ceil(Math.log2(total)) : 1;
  const runTie = unit * RUN_TIE;

  const firstCell: number[] = [];
  for (let i = 0; i < cells; i++) {
    if (i === 0 || classes[i] !== classes[i - 1]) firstCell.push(i);
  }
  const n = firstCell.length;
  const classIds = Int32Array.from(new Set(classes));
  const sums = new Float64Array(n + 1);
  const peelable = new Uint8Array(n);
  const found: { run: number; cell: number; weight: number; size: number }[] =
    [];
  for (let run = 0; run < n; run++) {
    const from = firstCell[run] ?? 0;
    const to = firstCell[run + 1] ?? cells;
    let weight = runTie;
    let allSingle = 1;
    for (let cell = from; cell < to; cell++) {
      const own = weights[cell] ?? 0;
      weight += own;
      if (singles[cell] === 1) {
        const tie = runTie / (to - from);
        found.push({ run, cell, weight: own + tie, size: to - from });
      } else allSingle = 0;
    }
    sums[run + 1] = (sums[run] ?? 0) + weight;
    peelable[run] = allSingle;
  }
  found.sort((a, b) =>
    b.weight - a.weight || a.size - b.size || a.cell - b.cell
  );
  return {
    n,
    starts: Uint32Array.from(firstCell, (cell) => starts[cell] ?? 0),
    classes: Int32Array.from(
      firstCell,
      (cell) => classIds.indexOf(classes[cell] ?? 0),
    ),
    classIds,
    sums,
    peelable,
    candidateRun: Int32Array.from(found, (c) => c.run),
    candidateValue: Uint32Array.from(found, (c) => starts[c.cell] ?? 0),
    candidateWeight: Float64Array.from(found, (c) => c.weight),
    ...ranksByRun(n, found.map((c) => c.run)),
    testCost: sizePenalty + unit * TEST_TIE,
    tie: unit * TEST_TIE,
  };
}

/** Lists the ranks of each run's candidates. */
function ranksByRun(
  n: number,
  candidateRun: readonly number[],
): Pick<Line, "first" | "ranks"> {
  const first = new Int32Array(n + 1);
  for (const run of candidateRun) first[run + 1] = (first[run + 1] ?? 0) + 1;
  for (let run = 0; run < n; run++) {
    first[run + 1] = (first[run + 1] ?? 0) + (first[run] ?? 0);
  }
  const next = first.slice();
  const ranks = new Int32Array(candidateRun.length);
  for (const [rank, run] of candidateRun.entries()) {
    const place = next[run] ?? 0;
    ranks[place] = rank;
    next[run] = place + 1;
  }
  return { first, ranks };
}

/**
 * Cuts runs `from`…`to` out as a line of their own. Values below and above do
 * not occur there, so its first start means "the least value".
 *
 * @param from First run.
 * @param to Last run.
 */
export function slice(line: Line, from: number, to: number): Line {
  const keep: number[] = [];
  for (const [rank, run] of line.candidateRun.entries()) {
    if (run >= from && run <= to) keep.push(rank);
  }
  const n = to - from + 1;
  const base = line.sums[from] ?? 0;
  const runs = keep.map((rank) => (line.candidateRun[rank] ?? 0) - from);
  return {
    n,
    starts: line.starts.slice(from, to + 1),
    classes: line.classes.slice(from, to + 1),
    classIds: line.classIds,
    sums: line.sums.slice(from, to + 2).map((sum) => sum - base),
    peelable: line.peelable.slice(from, to + 1),
    candidateRun: Int32Array.from(runs),
    candidateValue: Uint32Array.from(
      keep,
      (rank) => line.candidateValue[rank] ?? 0,
    ),
    candidateWeight: Float64Array.from(
      keep,
      (rank) => line.candidateWeight[rank] ?? 0,
    ),
    ...ranksByRun(n, runs),
    testCost: line.testCost,
    tie: line.tie,
  };
}

/** Throws where the cells are no partition of [0, 2^32) with weights. */
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
    const start = starts[i] ?? 0;
    const end = starts[i + 1] ?? 2 ** 32;
    const weight = weights[i] ?? NaN;
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
