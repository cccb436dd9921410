/**
 * Rebuilds the tree from the exact search's memory.
 *
 * @module
 */

import { present } from "../present.ts";
import type { ExactSearch } from "./exact.ts";
import type { Line } from "./line.ts";
import { UNBOUNDED } from "./memo.ts";
import type { TestTree } from "./problem.ts";
import { eq, ge, leaf } from "./tree.ts";
import { View } from "./view.ts";

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
  const view = new View(line.n);
  return build(search.root(room));

  function build(id: number): TestTree {
    const tested = testsOf(id);
    const cut = present(memo.cut[id]);
    let tree = cut < 0
      ? leaf(present(view.cls[0]))
      : threshold(cut, below(id, tested.length));
    for (const rank of tested.reverse()) {
      const value = present(line.candidateValue[rank]);
      tree = eq(value, leaf(search.classOf(rank)), tree);
    }
    return tree;
  }

  /**
   * Returns the ranks that the `eq` tests of a state name; the view becomes
   * what they leave.
   */
  function testsOf(id: number): number[] {
    const { i, j, one, two } = memo.stateOf(id);
    const heavy = present(memo.heavy[id]);
    const chain = heavy + present(memo.light[id]);
    const cls = search.classOf(one);
    view.fill(line, { first: i, last: j, cls, low: one, lowOther: two });
    const tested: number[] = [];
    for (let t = 0; t < chain; t++) {
      const { m, from, to, left1, left2 } = view;
      const heaviest = present(left1[m]);
      const other = present(left2[m]);
      const isHeavy = t < heavy;
      tested.push(isHeavy ? heaviest : other);
      view.fill(line, {
        first: present(from[0]),
        last: present(to[m - 1]),
        cls: search.classOf(heaviest),
        low: isHeavy ? heaviest + 1 : heaviest,
        lowOther: isHeavy ? other : other + 1,
      });
    }
    return tested;
  }

  /** Returns the number of tests that may follow the threshold of a state. */
  function below(id: number, chain: number): number {
    const left = present(memo.room[id]);
    return left === UNBOUNDED ? left : left - chain - 1;
  }

  /** Builds the threshold at a run of the view, with its sides. */
  function threshold(cut: number, room: number): TestTree {
    const { m, from, to, left1, left2, right1, right2 } = view;
    let p = 1;
    while (present(from[p]) !== cut) p++;
    const no = memo.find(
      present(from[0]),
      present(to[p - 1]),
      present(left1[p]),
      present(left2[p]),
      UNBOUNDED,
    );
    const yes = memo.find(
      cut,
      present(to[m - 1]),
      present(right1[p]),
      present(right2[p]),
      UNBOUNDED,
    );
    return ge(
      present(line.starts[cut]),
      build(memo.underBound(yes, room)),
      build(memo.underBound(no, room)),
    );
  }
}
