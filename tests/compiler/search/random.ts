/**
 * Seeded random instances.
 *
 * @module
 */

import type { SearchProblem } from "../../../compiler/search/problem.ts";
import type { Cells } from "./brute.ts";

/** Whole numbers below a bound (splitmix32). */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e37_79b9) >>> 0;
    let t = state ^ (state >>> 16);
    t = Math.imul(t, 0x21f0_aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a_2d97);
    return ((t ^ (t >>> 15)) >>> 0) % below;
  };
}

/** Up to `most` cells: ties, zeros, powers of two, small and large ratios. */
export function randomCells(
  random: (below: number) => number,
  most: number,
): Cells {
  const n = 1 + random(most);
  const classes = 2 + random(3);
  const kind = random(6);
  const wide = random(3);
  const cells = {
    starts: [] as number[],
    singles: [] as boolean[],
    classes: [] as number[],
    weights: [] as number[],
  };
  let start = 0;
  for (let i = 0; i < n; i++) {
    const single = i < n - 1 && (wide === 0 || random(4) > 0);
    cells.starts.push(start);
    cells.singles.push(single);
    cells.classes.push(random(classes));
    start += single ? 1 : 2 + random(5);
    const weights = [
      1,
      random(4),
      2 ** random(8),
      random(3) > 0 ? 0 : random(10),
      random(100),
      2 ** random(20),
    ];
    cells.weights.push(weights[kind] ?? 0);
  }
  return cells;
}

/** The same in the form of the search. */
export function toProblem(cells: Cells): SearchProblem {
  return {
    starts: Uint32Array.from(cells.starts),
    singles: Uint8Array.from(cells.singles, (single) => single ? 1 : 0),
    classes: Int32Array.from(cells.classes),
    weights: Float64Array.from(cells.weights),
  };
}
