/**
 * The exact search: trees of `eq` and `ge` tests of least cost, with proof.
 *
 * Let K be the values that can still occur at a node, w their weights, all
 * different (the order of candidates breaks ties: what is best for weights that
 * are changed by a little enough is best for the weights).
 *
 * Lemma. Below a test `x == h` of an optimal tree follow the path that h itself
 * would take, had the test not caught it, down to a leaf Z. Each side that
 * leaves this path weighs less than w(h).
 *   Proof. Let the path be x1…xm, u, …, and let T leave it at u, W(T) > w(h).
 *   If u is `x == g`, exchange g and h: cheaper. Else u is a threshold k, with
 *   h on side S and T on the other. Each xi serves one side of k only: a
 *   threshold among them lies outside of S or outside of T, an `eq` names a
 *   value of one side. Put u on top, below it on T's side the xi that serve T,
 *   on S's side the xi that serve S and then `x == h`. With s of the xi on S's
 *   side: what left at an xi is no deeper, T rises by s + 1, the rest of S does
 *   not sink, h sinks by s + 1. As W(T) > w(h), this is cheaper. The number of
 *   tests is the same, so a penalty on tests changes nothing.  QED
 * Consequences:
 *   1. What is heavier than h in K ends in Z, so it is all of one class, and
 *      that is not h's class (else the test could go).
 *   2. So only two candidates can be the target of an `eq` at a node: the
 *      heaviest of K, or the heaviest of another class than that one's. (If h
 *      is not the heaviest value v of K, nothing heavier than h has another
 *      class than v.)
 *   3. What is gone by `eq` is always, for one class c, the candidates of c
 *      before one rank and those of other classes before another rank: a state
 *      is (first run, last run, two ranks), so there are polynomially many.
 *   4. `pathBound`: after `x == h`, all but Z leaves in sides lighter than h.
 *
 * The program: states with memory, branch and bound. At a state try all chains
 * of zero or more `eq` tests (2), each followed by a leaf or by a threshold
 * (between parts only, `line.ts`) that obeys the lemma for all tested values.
 * A state is asked with a budget; it answers with its cost or with a lower
 * bound above the budget, and either is remembered. Where the budget came from
 * a tree, failing to meet it proves that tree.
 *
 * Literature: for keys that are classes of their own only the heaviest is worth
 * an `eq` (Anderson, Kannan, Karloff, Ladner, J. Algorithms 44, 2002); that is
 * false here, a light denied value between allowed ones must be peeled. For
 * classes: Chrobak and Young, WADS 2023, arXiv 2302.09692 (first polynomial one).
 *
 * Under a depth bound the lemma fails; this then finds good trees, unproven.
 *
 * @module
 */

import { depthBound, firstTestBound, leastDepth, pathBound } from "./bounds.ts";
import { leastTests } from "./least_tests.ts";
import type { Line } from "./line.ts";
import { createFrame, type Frame, giveUp, obeysLemma, offer } from "./frame.ts";
import { createMemo, type Memo, UNBOUNDED, underBound } from "./memo.ts";
import { createView, fillView, type View, weighClasses } from "./view.ts";

/** A search that can be asked more than once and remembers. */
export interface ExactSearch {
  /** What is known of each state. */
  readonly memo: Memo;
  /** Number in `memo` of the whole line. */
  root(room: number): number;
  /**
   * Searches the whole line.
   *
   * @param budget What the tree may cost.
   * @param room Most tests on a path, or `UNBOUNDED`.
   * @param workLimit Where to stop, in units of `work`.
   * @returns Its cost, or a lower bound above the budget; where it was stopped, the cost of a tree that it met, or Infinity.
   */
  solve(budget: number, room: number, workLimit: number): number;
  /** Work so far. */
  work(): number;
  /** Whether the limit stopped the last search. */
  stopped(): boolean;
}

/** Makes a search for a line. */
export function createExactSearch(line: Line): ExactSearch {
  const { n, classes, candidateRun, candidateWeight, testCost, heights } = line;
  const none = candidateWeight.length;
  const memo = createMemo(n, none);
  const views: View[] = [];
  const fewest = leastTests(line);
  const masses = new Float64Array(n);
  const classWeight = new Float64Array(Math.max(...classes) + 1);
  let work = 0;
  let workLimit = 0;
  let stopped = false;

  // Reads below are within bounds: ranks under `none`, parts under `m`.
  const classOf = (rank: number): number =>
    rank < none ? classes[candidateRun[rank] as number] as number : -1;
  const weightOf = (rank: number): number =>
    rank < none ? candidateWeight[rank] as number : 0;
  const viewAt = (level: number): View => views[level] ??= createView(n);

  /** Fewest tests that can follow. */
  const testsOf = ({ m, holes }: View, i: number, j: number): number =>
    Math.max(m >> 1, m > 3 ? 2 : 0, (fewest[i * n + j] as number) - holes);

  /**
   * Number of a state without a bound on depth; a new one gets a lower bound.
   * The view below `level` is scratch.
   */
  const touch = (
    level: number,
    i: number,
    j: number,
    one: number,
    two: number,
  ): number => {
    const known = memo.count;
    const id = memo.find(i, j, one, two, UNBOUNDED);
    if (memo.count > known) {
      const view = viewAt(level + 1);
      fillView(line, view, i, j, classOf(one), one, two);
      work += 2 * (j - i + 1);
      const { m } = view;
      const first = firstTestBound(view, 0, m - 1, weightOf(one), 0);
      const weight = Math.max(first, depthBound(view, masses));
      const bound = weight + testsOf(view, i, j) * testCost;
      memo.value[id] = bound * (1 - 1e-14);
    }
    return id;
  };

  const solveState = (level: number, id: number, budget: number): number => {
    const value = memo.value[id] as number;
    if (memo.exact[id] === 1 || value > budget) return value;
    if (work > workLimit) {
      stopped = true;
      return Infinity;
    }
    const frame = createFrame(budget);
    const one = memo.one[id] as number;
    const two = memo.two[id] as number;
    const view = viewAt(level);
    fillView(
      line,
      view,
      memo.i[id] as number,
      memo.j[id] as number,
      classOf(one),
      one,
      two,
    );
    step(frame, level, 0, 0, memo.room[id] as number);
    if (frame.best < Infinity && (!stopped || level === 0)) {
      memo.exact[id] = 1;
      memo.heavy[id] = frame.heavy;
      memo.light[id] = frame.light;
      memo.cut[id] = frame.cut;
      memo.depth[id] = frame.depth;
      return memo.value[id] = frame.best;
    }
    if (stopped) return Infinity;
    // Above the budget, whatever was rounded.
    const above = budget + Math.abs(budget) * 2 ** -51 + Number.MIN_VALUE;
    return memo.value[id] = Math.max(frame.floor, above);
  };

  /** Tries what can follow the chain, which costs `base`, on the view of `level`. */
  const step = (
    frame: Frame,
    level: number,
    light: number,
    base: number,
    room: number,
  ): void => {
    const view = viewAt(level);
    const { m, sums, from, to } = view;
    work += m;
    if (room < leastDepth(m)) return;
    if (m === 1) {
      const height = heights[from[0] as number] as number;
      if (height <= room) offer(frame, base, light, -1, height);
      return;
    }
    const total = sums[m] as number;
    const through = base + total + testCost;
    const below = room === UNBOUNDED ? UNBOUNDED : room - 1;
    // From the middle outwards: good trees early make budgets tight.
    let middle = 1;
    while (middle < m - 1 && (sums[middle] as number) * 2 < total) middle++;
    frame.leftLow = frame.rightLow = 0;
    for (let k = 0; k < 2 * m; k++) {
      const p = middle + ((k & 1) === 1 ? (k + 1) >> 1 : -(k >> 1));
      if (p < 1 || p >= m || !obeysLemma(line, frame.tested, view, p)) continue;
      cutAt(frame, level, p, p - middle, light, through, below);
      if (stopped) return;
    }
    const one = view.left1[m] as number;
    const two = view.left2[m] as number;
    if (one === none) return;
    const kept = classOf(one);
    const most = weighClasses(view, classWeight);
    const keptWeight = classWeight[kept] as number;
    const i = from[0] as number;
    const j = to[m - 1] as number;
    const tryEq = (
      rank: number,
      leaf: number,
      low: number,
      lowOther: number,
      lights: number,
    ): void => {
      const weight = weightOf(rank);
      const rest = total - weight;
      const bound = pathBound(
        rest,
        weight,
        Math.min(leaf, rest),
        testsOf(view, i, j) - 1,
        testCost,
        line.noise,
      );
      if (giveUp(frame, through + bound)) return;
      fillView(line, viewAt(level + 1), i, j, kept, low, lowOther);
      frame.tested.push(rank);
      step(frame, level + 1, lights, through, below);
      frame.tested.pop();
    };
    if (light === 0) tryEq(one, most, one + 1, two, 0);
    if (two < none && !stopped) tryEq(two, keptWeight, one, two + 1, light + 1);
  };

  /** Tries the threshold before part p. */
  const cutAt = (
    frame: Frame,
    level: number,
    p: number,
    offset: number,
    light: number,
    through: number,
    room: number,
  ): void => {
    const view = viewAt(level);
    const { m, from, to, left1, left2, right1, right2 } = view;
    const l1 = left1[p] as number;
    const r1 = right1[p] as number;
    const cut = from[p] as number;
    let boundL = firstTestBound(view, 0, p - 1, weightOf(l1), testCost);
    let boundR = firstTestBound(view, p, m - 1, weightOf(r1), testCost);
    // A longer side costs no less: what bounds the cut before bounds this one.
    if (offset > 0) boundL = Math.max(boundL, frame.leftLow);
    if (offset < 0) boundR = Math.max(boundR, frame.rightLow);
    if (giveUp(frame, through + boundL + boundR)) return;
    const i = from[0] as number;
    const j = to[m - 1] as number;
    let idL = touch(level, i, to[p - 1] as number, l1, left2[p] as number);
    boundL = Math.max(boundL, memo.value[idL] as number);
    if (offset >= 0) frame.leftLow = boundL;
    if (giveUp(frame, through + boundL + boundR)) return;
    let idR = touch(level, cut, j, r1, right2[p] as number);
    boundR = Math.max(boundR, memo.value[idR] as number);
    if (offset <= 0) frame.rightLow = boundR;
    if (giveUp(frame, through + boundL + boundR)) return;
    idL = underBound(memo, idL, room);
    const roomL = frame.limit - through - boundR;
    const costL = solveState(level + 1, idL, roomL);
    if (stopped) return;
    if (costL > roomL) {
      giveUp(frame, Math.max(frame.limit, through + costL + boundR));
      return;
    }
    idR = underBound(memo, idR, room);
    const roomR = frame.limit - through - costL;
    const costR = solveState(level + 1, idR, roomR);
    if (stopped) return;
    const cost = through + costL + costR;
    if (costR > roomR) giveUp(frame, Math.max(frame.limit, cost));
    else {
      const depth = Math.max(
        memo.depth[idL] as number,
        memo.depth[idR] as number,
      );
      offer(frame, cost, light, cut, depth + 1);
    }
  };

  const root = (room: number): number => {
    const view = viewAt(0);
    fillView(line, view, 0, n - 1, -1, 0, 0);
    const { m, left1, left2 } = view;
    const id = touch(0, 0, n - 1, left1[m] as number, left2[m] as number);
    return underBound(memo, id, room);
  };

  return {
    memo,
    root,
    solve(budget, room, limit): number {
      workLimit = limit;
      stopped = false;
      return solveState(0, root(room), budget);
    },
    work: () => work,
    stopped: () => stopped,
  };
}
