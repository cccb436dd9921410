/**
 * The exact search: minimum-cost trees of `eq` and `ge` tests, with proof.
 *
 * Let K be the set of values that can still occur at a node, with weights w,
 * all different (the order of candidates breaks ties: the best tree for
 * slightly changed weights is also best for the original ones).
 *
 * Lemma. Below a test `x == h` of an optimal tree follow the path that h itself
 * would take, had the test not caught it, down to a leaf Z. Each side that
 * leaves this path weighs less than w(h).
 *   Proof. Let the path be x1…xm, u, …, and let T leave it at u, W(T) > w(h).
 *   If u is `x == g`, exchange g and h: cheaper. Otherwise u is a threshold k, with
 *   h on side S and T on the other. Each xi serves one side of k only: a
 *   threshold among them lies outside of S or outside of T, an `eq` names a
 *   value of one side. Put u on top, below it on T's side the xi that serve T,
 *   on S's side the xi that serve S and then `x == h`. With s of the xi on S's
 *   side: what left at an xi is no deeper, T rises by s + 1, the rest of S does
 *   not sink, h sinks by s + 1. As W(T) > w(h), this is cheaper. The number of
 *   tests is the same, so a penalty on tests changes nothing.  QED
 * Consequences:
 *   1. All values of K that are heavier than h end in Z, so they are all of one
 *      class, which is not h's class (else the test could be omitted).
 *   2. So only two candidates can be the target of an `eq` at a node: the
 *      heaviest of K, or the heaviest of another class than that one's. (If h
 *      is not the heaviest value v of K, no value heavier than h has another
 *      class than v.)
 *   3. For one class c, the values removed by `eq` are always the candidates of
 *      c before one rank and those of other classes before another rank: a
 *      state is (first run, last run, two ranks), so there are polynomially
 *      many.
 *   4. `pathBound`: after `x == h`, all but Z leaves in sides lighter than h.
 *
 * The program: states with memory, branch and bound. At a state try all chains
 * of zero or more `eq` tests (2), each followed by a leaf or by a threshold
 * (only between parts, `line.ts`) that obeys the lemma for all tested values. A
 * state is queried with a budget; it returns its cost, or a lower bound above
 * the budget, and either is remembered. If the budget is the cost of a tree,
 * failing to meet it proves that tree.
 *
 * Literature: for keys that are classes of their own, only the heaviest is
 * worth an `eq` (Anderson, Kannan, Karloff, Ladner, J. Algorithms 44, 2002).
 * That is false here: a light denied value between allowed ones must be peeled.
 * For classes: Chrobak and Young, WADS 2023, arXiv 2302.09692 (first polynomial
 * algorithm).
 *
 * Under a depth bound the lemma fails; the search then finds good trees,
 * unproven.
 *
 * @module
 */

import { present } from "../present.ts";
import { firstTestBound, leastDepth, levelBound, pathBound } from "./bounds.ts";
import { Frame } from "./frame.ts";
import { leastTests } from "./least_tests.ts";
import type { Line } from "./line.ts";
import { Memo, UNBOUNDED } from "./memo.ts";
import { View } from "./view.ts";

/**
 * A point in the tree under construction, after the tests above it in its
 * state.
 */
interface Point {
  /** Index of the view that is left there. */
  readonly level: number;
  /** Number of tested values that were the heaviest of another class. */
  readonly light: number;
  /** Cost of the tests from the state to here. */
  readonly base: number;
  /** Number of tests that may follow, or `UNBOUNDED`. */
  readonly room: number;
}

/** An `eq` test and its effect. */
interface EqTest {
  readonly rank: number;
  /** Maximum weight of the leaf at the place of the tested value. */
  readonly leaf: number;
  /**
   * Candidates below these ranks are removed then: of the kept class, of
   * others.
   */
  readonly low: number;
  readonly lowOther: number;
  /** `Point.light` after it. */
  readonly light: number;
}

/** A search that can be run repeatedly and remembers its results. */
export class ExactSearch {
  /** Results for each state. */
  readonly memo: Memo;
  readonly #line: Line;
  /** Views by the number of nested tests. */
  readonly #views: View[] = [];
  /** Minimum number of tests of each range, at i * n + j. */
  readonly #fewest: Int32Array;
  /** Scratch of the bounds. */
  readonly #masses: Float64Array;
  readonly #classWeight: Float64Array;
  #work = 0;
  #workLimit = 0;
  #stopped = false;

  /** Makes a search for a line. */
  constructor(line: Line) {
    this.#line = line;
    this.memo = new Memo(line.n, line.candidateWeight.length);
    this.#fewest = leastTests(line);
    this.#masses = new Float64Array(line.n);
    this.#classWeight = new Float64Array(Math.max(...line.classes) + 1);
  }

  /** Work so far. */
  get work(): number {
    return this.#work;
  }

  /** True if the limit stopped the last search. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Searches the whole line.
   *
   * @param budget Maximum cost of the tree.
   * @param room Maximum number of tests on a path, or `UNBOUNDED`.
   * @param workLimit Limit on `work`.
   * @returns Its cost, or a lower bound above the budget; if it was stopped,
   * the cost of a tree that it found, or Infinity.
   */
  solve(budget: number, room: number, workLimit: number): number {
    this.#workLimit = workLimit;
    this.#stopped = false;
    return this.#solveState(0, this.root(room), budget);
  }

  /** Returns the number in `memo` of the whole line. */
  root(room: number): number {
    const { n } = this.#line;
    const view = this.#viewAt(0);
    view.fill(this.#line, {
      first: 0,
      last: n - 1,
      cls: -1,
      low: 0,
      lowOther: 0,
    });
    const one = present(view.left1[view.m]);
    const two = present(view.left2[view.m]);
    const id = this.#touch(0, 0, n - 1, one, two);
    return this.memo.underBound(id, room);
  }

  /** Returns the class of a candidate; -1 for none. */
  classOf(rank: number): number {
    const { classes, candidateRun } = this.#line;
    return rank < candidateRun.length
      ? present(classes[present(candidateRun[rank])])
      : -1;
  }

  #weightOf(rank: number): number {
    const { candidateWeight } = this.#line;
    return rank < candidateWeight.length ? present(candidateWeight[rank]) : 0;
  }

  #viewAt(level: number): View {
    return this.#views[level] ??= new View(this.#line.n);
  }

  /** Returns the minimum number of tests for a view of the runs i…j. */
  #testsOf({ m, holes }: View, i: number, j: number): number {
    const fewest = present(this.#fewest[i * this.#line.n + j]);
    return Math.max(m >> 1, m > 3 ? 2 : 0, fewest - holes);
  }

  /**
   * Returns the number of a state without a bound on depth; a new one gets a
   * lower bound. The view after `level` is scratch. Takes numbers for the same
   * reason as `Memo.find`.
   */
  #touch(
    level: number,
    i: number,
    j: number,
    one: number,
    two: number,
  ): number {
    const { memo } = this;
    const known = memo.count;
    const id = memo.find(i, j, one, two, UNBOUNDED);
    if (memo.count === known) return id;
    const view = this.#viewAt(level + 1);
    const cls = this.classOf(one);
    view.fill(this.#line, { first: i, last: j, cls, low: one, lowOther: two });
    this.#work += 2 * (j - i + 1);
    const weight = Math.max(
      firstTestBound(view, 0, view.m - 1, this.#weightOf(one), 0),
      levelBound(view, this.#masses),
    );
    const bound = weight + this.#testsOf(view, i, j) * this.#line.testCost;
    memo.value[id] = bound * (1 - 1e-14);
    return id;
  }

  #solveState(level: number, id: number, budget: number): number {
    const { memo } = this;
    const value = present(memo.value[id]);
    if (memo.exact[id] === 1 || value > budget) return value;
    if (this.#work > this.#workLimit) {
      this.#stopped = true;
      return Infinity;
    }
    const frame = new Frame(budget);
    const { i, j, one, two } = memo.stateOf(id);
    const cls = this.classOf(one);
    this.#viewAt(level)
      .fill(this.#line, { first: i, last: j, cls, low: one, lowOther: two });
    const room = present(memo.room[id]);
    this.#goOn(frame, { level, light: 0, base: 0, room });
    if (frame.best < Infinity && (!this.#stopped || level === 0)) {
      memo.exact[id] = 1;
      memo.heavy[id] = frame.heavy;
      memo.light[id] = frame.light;
      memo.cut[id] = frame.cut;
      memo.depth[id] = frame.depth;
      return memo.value[id] = frame.best;
    }
    if (this.#stopped) return Infinity;
    // Above the budget, despite rounding.
    const above = budget + Math.abs(budget) * 2 ** -51 + Number.MIN_VALUE;
    return memo.value[id] = Math.max(frame.lowerBound, above);
  }

  /** Tries all continuations after the tests of a frame. */
  #goOn(frame: Frame, at: Point): void {
    const { level, light, base, room } = at;
    const view = this.#viewAt(level);
    const { m } = view;
    this.#work += m;
    if (room < leastDepth(m)) return;
    if (m === 1) {
      const depth = present(this.#line.heights[present(view.from[0])]);
      if (depth <= room) frame.offer(base, { light, cut: -1, depth });
      return;
    }
    const below: Point = {
      level,
      light,
      base: base + present(view.sums[m]) + this.#line.testCost,
      room: room === UNBOUNDED ? UNBOUNDED : room - 1,
    };
    this.#tryThresholds(frame, below);
    if (!this.#stopped) this.#tryEqs(frame, below);
  }

  /**
   * Tries all thresholds, from the middle outward: good trees early make
   * budgets tight.
   */
  #tryThresholds(frame: Frame, below: Point): void {
    const view = this.#viewAt(below.level);
    const { m, sums } = view;
    const total = present(sums[m]);
    let middle = 1;
    while (middle < m - 1 && present(sums[middle]) * 2 < total) middle++;
    frame.leftLow = frame.rightLow = 0;
    for (let k = 0; k < 2 * m; k++) {
      const p = middle + ((k & 1) === 1 ? (k + 1) >> 1 : -(k >> 1));
      if (p < 1 || p >= m || !frame.obeysLemma(this.#line, view, p)) continue;
      this.#tryThreshold(frame, below, p, p - middle);
      if (this.#stopped) return;
    }
  }

  /**
   * Tries the threshold before part p.
   *
   * @param below The point below it.
   * @param offset Its distance to the right of the first threshold that was
   * tried.
   */
  #tryThreshold(frame: Frame, below: Point, p: number, offset: number): void {
    const { memo } = this;
    const { level, light, base, room } = below;
    const view = this.#viewAt(level);
    const { m, from, to } = view;
    const { testCost } = this.#line;
    const heaviestL = this.#weightOf(present(view.left1[p]));
    const heaviestR = this.#weightOf(present(view.right1[p]));
    let boundL = firstTestBound(view, 0, p - 1, heaviestL, testCost);
    let boundR = firstTestBound(view, p, m - 1, heaviestR, testCost);
    // A longer side costs no less: a bound on the previous cut is a bound on
    // this one.
    if (offset > 0) boundL = Math.max(boundL, frame.leftLow);
    if (offset < 0) boundR = Math.max(boundR, frame.rightLow);
    if (frame.giveUp(base + boundL + boundR)) return;
    let idL = this.#touch(
      level,
      present(from[0]),
      present(to[p - 1]),
      present(view.left1[p]),
      present(view.left2[p]),
    );
    boundL = Math.max(boundL, present(memo.value[idL]));
    if (offset >= 0) frame.leftLow = boundL;
    if (frame.giveUp(base + boundL + boundR)) return;
    const cut = present(from[p]);
    let idR = this.#touch(
      level,
      cut,
      present(to[m - 1]),
      present(view.right1[p]),
      present(view.right2[p]),
    );
    boundR = Math.max(boundR, present(memo.value[idR]));
    if (offset <= 0) frame.rightLow = boundR;
    if (frame.giveUp(base + boundL + boundR)) return;
    idL = memo.underBound(idL, room);
    const budgetL = frame.limit - base - boundR;
    const costL = this.#solveState(level + 1, idL, budgetL);
    if (this.#stopped) return;
    if (costL > budgetL) {
      frame.giveUp(Math.max(frame.limit, base + costL + boundR));
      return;
    }
    idR = memo.underBound(idR, room);
    const budgetR = frame.limit - base - costL;
    const costR = this.#solveState(level + 1, idR, budgetR);
    if (this.#stopped) return;
    const cost = base + costL + costR;
    if (costR > budgetR) frame.giveUp(Math.max(frame.limit, cost));
    else {
      const depth = Math.max(
        present(memo.depth[idL]),
        present(memo.depth[idR]),
      );
      frame.offer(cost, { light, cut, depth: depth + 1 });
    }
  }

  /** Tries both candidates for an `eq` test; `below` is the point below it. */
  #tryEqs(frame: Frame, below: Point): void {
    const view = this.#viewAt(below.level);
    const { m, left1, left2 } = view;
    const none = this.#line.candidateWeight.length;
    const one = present(left1[m]);
    const two = present(left2[m]);
    if (one === none) return;
    const { light } = below;
    const most = view.weighClasses(this.#classWeight);
    const kept = present(this.#classWeight[this.classOf(one)]);
    if (light === 0) {
      const leaves = { low: one + 1, lowOther: two };
      this.#tryEq(frame, below, { rank: one, leaf: most, ...leaves, light });
    }
    if (two < none && !this.#stopped) {
      const leaves = { low: one, lowOther: two + 1, light: light + 1 };
      this.#tryEq(frame, below, { rank: two, leaf: kept, ...leaves });
    }
  }

  #tryEq(
    frame: Frame,
    { level, base, room }: Point,
    { rank, leaf, low, lowOther, light }: EqTest,
  ): void {
    const view = this.#viewAt(level);
    const { m, sums, from, to } = view;
    const first = present(from[0]);
    const last = present(to[m - 1]);
    const weight = this.#weightOf(rank);
    const rest = present(sums[m]) - weight;
    const bound = pathBound(this.#line, {
      total: rest,
      most: weight,
      leaf: Math.min(leaf, rest),
      tests: this.#testsOf(view, first, last) - 1,
    });
    if (frame.giveUp(base + bound)) return;
    const cls = this.classOf(present(view.left1[m]));
    this.#viewAt(level + 1)
      .fill(this.#line, { first, last, cls, low, lowOther });
    frame.tested.push(rank);
    this.#goOn(frame, { level: level + 1, light, base, room });
    frame.tested.pop();
  }
}
