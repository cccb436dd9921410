/**
 * Weightless stretches: four or more neighbouring runs without weight (x32 on
 * a filter whose weights are those of native calls) become one run with a class
 * of its own, a *free* run, and get a tree of their own.
 *
 * This costs no weight. Take a tree for the whole line and look at the tests
 * that tell the runs z1…zm of the stretch (m >= 4, neighbours differ) apart.
 * 1. None of them is a threshold at an edge of z1…zm. Then all zi take one path
 *    and at least two of them leave it by `eq`. Turn the upper of these two
 *    tests into a threshold before z1 and the lower into one behind zm: values
 *    with weight meet no more tests than before.
 * 2. The first threshold among them has i of the zi on its left. As m >= 4, one
 *    side has two or more; say the left. There a test tells z1 from z2. Move
 *    the threshold behind zm and turn that test into a threshold before z1.
 * Either way the stretch ends in one place of its own, and no test was added
 * to the path of a value with weight. The converse is plain: hang the tree of
 * the stretch where its leaf is.
 *
 * @module
 */

import { type Line, slice } from "./line.ts";

/** A free run and what it stands for. */
export interface FreeRun {
  /** Class that stands for the stretch, not below the number of classes. */
  readonly cls: number;
  /** The stretch as a line. */
  readonly line: Line;
}

/** A line without weightless stretches. */
export interface Collapsed {
  /** What is left to search. */
  readonly line: Line;
  /** The stretches that were taken out. */
  readonly free: readonly FreeRun[];
}

/** Stretches of fewer runs stay. */
const LEAST = 32;

/**
 * Takes weightless stretches out.
 *
 * @param line The line.
 * @param weightless 1 per run without weight of its own (the tie-break weight does not count).
 */
export function collapse(line: Line, weightless: Uint8Array): Collapsed {
  const { n } = line;
  const newRun = new Int32Array(n);
  const keepFirst: number[] = [];
  const free: FreeRun[] = [];
  const classOf: number[] = [];
  for (let i = 0; i < n;) {
    let end = i;
    while (end < n && weightless[end] === 1) end++;
    if (end - i >= LEAST && end - i < n) {
      const cls = line.classIds.length + free.length;
      newRun.fill(-1, i, end);
      keepFirst.push(i);
      classOf.push(cls);
      free.push({ cls, line: slice(line, i, end - 1) });
      i = end;
    } else {
      newRun[i] = keepFirst.length;
      keepFirst.push(i);
      classOf.push(line.classes[i] ?? 0);
      i++;
    }
  }
  if (free.length === 0) return { line, free };
  return { line: rebuild(line, keepFirst, classOf, newRun), free };
}

/** Makes the line whose runs begin at the old runs `keepFirst`. */
function rebuild(
  line: Line,
  keepFirst: readonly number[],
  classOf: readonly number[],
  newRun: Int32Array,
): Line {
  const n = keepFirst.length;
  const sums = new Float64Array(n + 1);
  const peelable = new Uint8Array(n);
  const first = new Int32Array(n + 1);
  const ranks: number[] = [];
  // Candidates of free runs vanish; the others are ranked anew in the same order.
  const rankOf = new Map<number, number>();
  const kept: number[] = [];
  for (const [rank, run] of line.candidateRun.entries()) {
    if ((newRun[run] ?? -1) < 0) continue;
    rankOf.set(rank, kept.length);
    kept.push(rank);
  }
  for (let run = 0; run < n; run++) {
    const old = keepFirst[run] ?? 0;
    const end = keepFirst[run + 1] ?? line.n;
    sums[run + 1] = line.sums[end] ?? 0;
    if ((newRun[old] ?? -1) >= 0) {
      peelable[run] = line.peelable[old] ?? 0;
      for (let p = line.first[old] ?? 0; p < (line.first[old + 1] ?? 0); p++) {
        ranks.push(rankOf.get(line.ranks[p] ?? 0) ?? 0);
      }
    }
    first[run + 1] = ranks.length;
  }
  return {
    n,
    starts: Uint32Array.from(keepFirst, (run) => line.starts[run] ?? 0),
    classes: Int32Array.from(classOf),
    classIds: line.classIds,
    sums,
    peelable,
    candidateRun: Int32Array.from(
      kept,
      (rank) => newRun[line.candidateRun[rank] ?? 0] ?? 0,
    ),
    candidateValue: Uint32Array.from(
      kept,
      (rank) => line.candidateValue[rank] ?? 0,
    ),
    candidateWeight: Float64Array.from(
      kept,
      (rank) => line.candidateWeight[rank] ?? 0,
    ),
    first,
    ranks: Int32Array.from(ranks),
    testCost: line.testCost,
    tie: line.tie,
  };
}
