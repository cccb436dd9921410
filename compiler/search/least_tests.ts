/**
 * The minimum number of tests that separate the runs of a range, for any
 * weights.
 *
 * Moving an `eq` test below the thresholds on its path does not change the
 * number of tests. So some smallest tree is thresholds on top, with a peeled
 * leaf in each segment between them, and its tests are
 *
 *     T(i, j) = the least of
 *               peel(i, j)                      one segment, one class is kept
 *               T(i, k - 1) + 1 + peel(k, j)    the last segment begins at k
 *
 * O(n^2) for peel, n^3 / 6 additions for T.
 *
 * @module
 */

import { present } from "../present.ts";
import type { Line } from "./line.ts";

/**
 * Counts for all ranges.
 *
 * @returns T(i, j) at i * n + j.
 */
export function leastTests(line: Line): Int32Array {
  const { n } = line;
  const peel = peelTests(line);
  const tests = new Int32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      let best = present(peel[j * n + i]);
      for (let k = j; k > i; k--) {
        const sum = present(tests[i * n + k - 1]) + 1 +
          present(peel[j * n + k]);
        if (sum < best) best = sum;
      }
      tests[i * n + j] = best;
    }
  }
  return tests;
}

/**
 * Number of tests of a peeled leaf for the runs k…j, at j * n + k; a large
 * number if it is impossible.
 */
function peelTests(line: Line): Int32Array {
  const { n, classes, peelable, first } = line;
  const none = line.candidateValue.length + n;
  const peel = new Int32Array(n * n).fill(none);
  const cells = new Int32Array(Math.max(...classes) + 1);
  for (let k = 0; k < n; k++) {
    cells.fill(0);
    let all = 0;
    let most = 0;
    // The class that cannot be peeled, if there is one.
    let fixed = -1;
    for (let j = k; j < n; j++) {
      const cls = present(classes[j]);
      if (peelable[j] === 0) {
        if (fixed >= 0 && fixed !== cls) break;
        fixed = cls;
      }
      const own = present(first[j + 1]) - present(first[j]);
      const sum = present(cells[cls]) + own;
      cells[cls] = sum;
      all += own;
      most = Math.max(most, sum);
      peel[j * n + k] = all - (fixed >= 0 ? present(cells[fixed]) : most);
    }
  }
  return peel;
}
