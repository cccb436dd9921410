/**
 * Weightless stretches: four or more neighboring runs without weight (x32 on a
 * filter whose weights are those of native calls) become one run with a
 * separate class, a *free* run, and get a separate tree.
 *
 * This costs no weight. Take a tree for the whole line and consider the tests
 * that separate the runs z1…zm of the stretch (m >= 4, neighbors differ).
 * 1. None of them is a threshold at an edge of one of z1…zm. Then all zi take
 *    one path and at least two of them leave it by `eq`. Turn the upper of
 *    these two tests into a threshold before z1 and the lower into one after
 *    zm: values with weight meet no more tests than before.
 * 2. The first threshold among them has i of the zi on its left. As m >= 4, one
 *    side has two or more; say the left. There a test separates z1 from z2. Move
 *    the threshold after zm and turn that test into a threshold before z1.
 * Either way, the stretch ends in one separate place, and no test was added
 * to the path of a value with weight. The converse is plain: hang the tree of
 * the stretch where its leaf is. The only possible loss is one or two tests of size: a
 * stretch can no longer share an `eq` or a leaf with its neighbors.
 *
 * @module
 */

import { present } from "../present.ts";
import { fromRuns, type Line, type LineRun, toRuns } from "./line.ts";

/** A free run and its stretch. */
export interface FreeRun {
  /** Class of the stretch, not below the number of classes. */
  readonly cls: number;
  /** The stretch as a line. */
  readonly line: Line;
}

/** A line without weightless stretches. */
export interface Collapsed {
  /** The remaining line to search. */
  readonly line: Line;
  /** The stretches that were removed. */
  readonly free: readonly FreeRun[];
}

/** Neighboring runs `first`…`end - 1`. */
export interface Stretch {
  readonly first: number;
  readonly end: number;
}

/**
 * Removes weightless stretches.
 *
 * @param line The line.
 * @param stretches Stretches to remove, in rising order, of at least 4 runs
 * each.
 */
export function collapse(
  line: Line,
  stretches: readonly Stretch[],
): Collapsed {
  if (stretches.length === 0) return { line, free: [] };
  const runs = toRuns(line);
  const kept: LineRun[] = [];
  const free: FreeRun[] = [];
  let from = 0;
  for (const { first, end } of stretches) {
    const stretch = runs.slice(first, end);
    const cls = line.classIds.length + free.length;
    free.push({ cls, line: fromRuns(line, stretch) });
    kept.push(...runs.slice(from, first), {
      start: present(line.starts[first]),
      cls,
      weight: stretch.reduce((sum, run) => sum + run.weight, 0),
      peelable: false,
      height: Math.ceil(Math.log2(stretch.length)),
      ranks: [],
    });
    from = end;
  }
  kept.push(...runs.slice(from));
  return { line: fromRuns(line, kept), free };
}

/**
 * Finds the stretches of `least` runs or more; none if there is no weight at
 * all.
 *
 * @param weightless 1 for each run without weight of its own (the tie-break
 * weight does not count).
 */
export function stretchesOf(
  weightless: Uint8Array,
  least: number,
): readonly Stretch[] {
  const found: Stretch[] = [];
  if (!weightless.includes(0)) return found;
  for (let first = 0; first < weightless.length; first++) {
    let end = first;
    while (weightless[end] === 1) end++;
    if (end - first >= least) found.push({ first, end });
    first = end;
  }
  return found;
}
