/**
 * The minimum cost of a tree by trying every test on every set of cells: it
 * shares neither code nor reasoning with the search.
 *
 * @module
 */

/** Cells as plain arrays. */
export interface Cells {
  /** First value of each. */
  readonly starts: readonly number[];
  /** True for a single value. */
  readonly singles: readonly boolean[];
  /** Class of each. */
  readonly classes: readonly number[];
  /** Weight of each. */
  readonly weights: readonly number[];
}

/** The cost of the best trees. */
export interface Best {
  /** Least cost + penalty * tests. */
  readonly price: number;
  /** Fewest tests among the trees of that price. */
  readonly tests: number;
}

/**
 * Finds the least price over all trees, at most `maxDepth` deep.
 *
 * @param cells At most about ten.
 */
export function bruteForce(
  cells: Cells,
  penalty: number,
  maxDepth?: number,
): Best {
  const { singles, classes, weights } = cells;
  const n = classes.length;
  const memo = new Map<string, Best>();
  const best = (set: number, depth: number): Best => {
    const seen = new Set<number>();
    let weight = 0;
    for (let i = 0; i < n; i++) {
      if ((set >> i) & 1) {
        seen.add(classes[i] ?? 0);
        weight += weights[i] ?? 0;
      }
    }
    if (seen.size <= 1) return { price: 0, tests: 0 };
    if (depth === 0) return { price: Infinity, tests: Infinity };
    const key = `${set},${depth}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    let found: Best = { price: Infinity, tests: Infinity };
    const offer = (yes: number): void => {
      const no = set & ~yes;
      if ((set & yes) === 0 || no === 0) return;
      const a = best(set & yes, depth - 1);
      const b = best(no, depth - 1);
      const price = weight + penalty + a.price + b.price;
      const tests = 1 + a.tests + b.tests;
      if (
        price < found.price || (price === found.price && tests < found.tests)
      ) found = { price, tests };
    };
    for (let i = 0; i < n; i++) {
      offer(-1 << i);
      if (singles[i]) offer(1 << i);
    }
    memo.set(key, found);
    return found;
  };
  return best((1 << n) - 1, maxDepth ?? Infinity);
}
