/**
 * The tree behind what the exact search remembers.
 *
 * @module
 */

import type { ExactSearch } from "./exact.ts";
import type { Line } from "./line.ts";
import { UNBOUNDED, underBound } from "./memo.ts";
import type { TestTree } from "./problem.ts";
import { eq, ge, leaf } from "./tree.ts";
import { createView, fillView } from "./view.ts";

/**
 * Builds the tree of a line that was solved under a bound on depth.
 *
 * @param room As in `ExactSearch.solve`.
 */
export function rebuild(
  line: Line,
  search: ExactSearch,
  room: number,
): TestTree {
  const { memo } = search;
  const view = createView(line.n);
  const classOf = (rank: number): number => {
    const run = line.candidateRun[rank];
    return run === undefined ? -1 : line.classes[run] ?? -1;
  };
  const build = (id: number): TestTree => {
    const one = memo.one[id] ?? 0;
    const two = memo.two[id] ?? 0;
    const heavy = memo.heavy[id] ?? 0;
    const chain = heavy + (memo.light[id] ?? 0);
    fillView(
      line,
      view,
      memo.i[id] ?? 0,
      memo.j[id] ?? 0,
      classOf(one),
      one,
      two,
    );
    const tested: number[] = [];
    for (let t = 0; t < chain; t++) {
      const { m, from, to, left1, left2 } = view;
      const heaviest = left1[m] ?? 0;
      const other = left2[m] ?? 0;
      tested.push(t < heavy ? heaviest : other);
      fillView(
        line,
        view,
        from[0] ?? 0,
        to[m - 1] ?? 0,
        classOf(heaviest),
        t < heavy ? heaviest + 1 : heaviest,
        t < heavy ? other : other + 1,
      );
    }
    let tree = leaf(view.cls[0] ?? 0);
    const cut = memo.cut[id] ?? -1;
    if (cut >= 0) {
      const { m, from, to, left1, left2, right1, right2 } = view;
      const left = memo.room[id] ?? 0;
      const below = left === UNBOUNDED ? left : left - chain - 1;
      let p = 1;
      while (from[p] !== cut) p++;
      const no = memo.find(
        from[0] ?? 0,
        to[p - 1] ?? 0,
        left1[p] ?? 0,
        left2[p] ?? 0,
        UNBOUNDED,
      );
      const yes = memo.find(
        cut,
        to[m - 1] ?? 0,
        right1[p] ?? 0,
        right2[p] ?? 0,
        UNBOUNDED,
      );
      tree = ge(
        line.starts[cut] ?? 0,
        build(underBound(memo, yes, below)),
        build(underBound(memo, no, below)),
      );
    }
    for (const rank of tested.reverse()) {
      const value = line.candidateValue[rank] ?? 0;
      tree = eq(value, leaf(classOf(rank)), tree);
    }
    return tree;
  };
  return build(search.root(room));
}
