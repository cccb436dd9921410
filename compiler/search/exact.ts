/**
 * exact search (doc later)
 *
 * @module
 */

import type { Line } from "./line.ts";
import { createMemo } from "./memo.ts";
import type { TestTree } from "./problem.ts";
import { eq, ge, leaf } from "./tree.ts";
import { createView, fillView, type View } from "./view.ts";

export interface ExactOptions {
  readonly share: number;
  readonly workLimit: number;
}

export interface ExactSearch {
  solve(budget: number): number;
  tree(): TestTree;
  readonly state: { work: number; aborted: boolean };
  readonly states: () => number;
}

interface Frame {
  limit: number;
  best: number;
  floor: number;
  heavy: number;
  light: number;
  cut: number;
  tested: number[];
}

export function createExact(line: Line, options: ExactOptions): ExactSearch {
  const { n, classes, candidateRun, candidateWeight, testCost } = line;
  const none = candidateWeight.length;
  const memo = createMemo();
  const views: View[] = [];
  const state = { work: 0, aborted: false };
  const classCount = Math.max(...classes) + 1;
  const classWeight = new Float64Array(classCount);

  const classOf = (rank: number): number =>
    rank < none ? classes[candidateRun[rank] as number] as number : -1;
  const weightOf = (rank: number): number =>
    rank < none ? candidateWeight[rank] as number : 0;

  const viewAt = (
    level: number,
    i: number,
    j: number,
    cls: number,
    low: number,
    lowOther: number,
  ): View => {
    let view = views[level];
    if (view === undefined) views[level] = view = createView(n);
    fillView(line, view, i, j, cls, low, lowOther);
    state.work += j - i + 1;
    return view;
  };

  const quick = (view: View, p: number, q: number, one: number): number => {
    const m = q - p + 1;
    if (m === 1) return 0;
    const { sums, cls, sole } = view;
    const start = sums[p] as number;
    const end = sums[q + 1] as number;
    const weight = end - start;
    if (m === 2) return weight + testCost;
    if (m === 3 && sole[p + 1] === 1 && cls[p] === cls[q]) {
      return weight + testCost;
    }
    const first = (sums[p + 1] as number) - start;
    const last = end - (sums[q] as number);
    const most = Math.max(first, last, weightOf(one));
    return 2 * weight - most + Math.max(2, (m - 1) >> 1) * testCost;
  };

  const masses = new Float64Array(n);
  const spread = (view: View): number => {
    const { m, sums } = view;
    const weight = sums[m] as number;
    for (let p = 0; p < m; p++) {
      masses[p] = -((sums[p + 1] as number) - (sums[p] as number));
    }
    const sorted = masses.subarray(0, m).sort();
    let bound = weight + ((m >> 1) * testCost);
    let left = weight;
    let taken = 0;
    for (let all = 3, some = 1; all < m; some += all, all *= 2) {
      while (taken < some) left += sorted[taken++] as number;
      bound += left;
    }
    return bound;
  };

  const touch = (
    level: number,
    i: number,
    j: number,
    r1: number,
    r2: number,
  ): number => {
    const before = memo.count;
    const id = memo.find(i * n + j, r1 * (none + 1) + r2);
    if (memo.count > before) {
      const view = viewAt(level, i, j, classOf(r1), r1, r2);
      memo.value[id] = Math.max(quick(view, 0, view.m - 1, r1), spread(view)) *
        (1 - 1e-14);
    }
    return id;
  };

  const solveState = (
    level: number,
    i: number,
    j: number,
    r1: number,
    r2: number,
    budget: number,
  ): number => {
    const id = touch(level, i, j, r1, r2);
    const value = memo.value[id] as number;
    if (memo.exact[id] === 1 || value > budget) return value;
    if (state.work > options.workLimit) {
      state.aborted = true;
      return Infinity;
    }
    const frame: Frame = {
      limit: budget,
      best: Infinity,
      floor: Infinity,
      heavy: 0,
      light: 0,
      cut: -1,
      tested: [],
    };
    step(frame, level, i, j, classOf(r1), r1, r2, 0, 0, 0);
    if (state.aborted && level > 0) return Infinity;
    if (frame.best < Infinity) {
      memo.exact[id] = 1;
      memo.value[id] = frame.best;
      memo.heavy[id] = frame.heavy;
      memo.light[id] = frame.light;
      memo.cut[id] = frame.cut;
      return frame.best;
    }
    const floor = Math.max(
      frame.floor,
      budget + Math.abs(budget) * 2 ** -51 + 1e-300,
    );
    memo.value[id] = floor;
    return floor;
  };

  const offer = (
    frame: Frame,
    total: number,
    heavy: number,
    light: number,
    cut: number,
  ): void => {
    if (total >= frame.best) return;
    if (total > frame.limit) {
      if (total < frame.floor) frame.floor = total;
      return;
    }
    frame.best = total;
    frame.limit = total;
    frame.heavy = heavy;
    frame.light = light;
    frame.cut = cut;
  };

  const step = (
    frame: Frame,
    level: number,
    i: number,
    j: number,
    cls: number,
    low: number,
    lowOther: number,
    heavy: number,
    light: number,
    base: number,
  ): void => {
    const view = viewAt(level, i, j, cls, low, lowOther);
    const { m, sums, left1, left2, right1, right2, from, to } = view;
    if (m === 1) {
      offer(frame, base, heavy, light, -1);
      return;
    }
    const total = sums[m] as number;
    const through = base + total + testCost;
    // thresholds, from the middle outwards
    let middle = 1;
    while (middle < m - 1 && (sums[middle] as number) * 2 < total) middle++;
    for (let k = 0, side = 0; k < 2 * m; k++) {
      side = k & 1 ? (k + 1) >> 1 : -(k >> 1);
      const p = middle + side;
      if (p < 1 || p >= m) continue;
      state.work++;
      const leftWeight = sums[p] as number;
      if (
        frame.tested.length > 0 &&
        !exitsAreLight(frame, from[p] as number, leftWeight, total - leftWeight)
      ) continue;
      let boundL = quick(view, 0, p - 1, left1[p] as number);
      let boundR = quick(view, p, m - 1, right1[p] as number);
      let bound = through + boundL + boundR;
      if (bound > frame.limit || bound >= frame.best) {
        if (bound < frame.floor) frame.floor = bound;
        continue;
      }
      if (p > 1) {
        const id = touch(
          level + 1,
          from[0] as number,
          to[p - 1] as number,
          left1[p] as number,
          left2[p] as number,
        );
        boundL = Math.max(boundL, memo.value[id] as number);
      }
      if (p < m - 1) {
        const id = touch(
          level + 1,
          from[p] as number,
          to[m - 1] as number,
          right1[p] as number,
          right2[p] as number,
        );
        boundR = Math.max(boundR, memo.value[id] as number);
      }
      bound = through + boundL + boundR;
      if (bound > frame.limit || bound >= frame.best) {
        if (bound < frame.floor) frame.floor = bound;
        continue;
      }
      let costL = boundL;
      if (p > 1) {
        const room = frame.limit - through - boundR;
        costL = solveState(
          level + 1,
          from[0] as number,
          to[p - 1] as number,
          left1[p] as number,
          left2[p] as number,
          room,
        );
        if (state.aborted) return;
        if (costL > room) {
          const f = through + costL + boundR;
          if (f < frame.floor) frame.floor = f;
          continue;
        }
      }
      let costR = boundR;
      if (p < m - 1) {
        const room = frame.limit - through - costL;
        costR = solveState(
          level + 1,
          from[p] as number,
          to[m - 1] as number,
          right1[p] as number,
          right2[p] as number,
          room,
        );
        if (state.aborted) return;
        if (costR > room) {
          const f = through + costL + costR;
          if (f < frame.floor) frame.floor = f;
          continue;
        }
      }
      offer(frame, through + costL + costR, heavy, light, from[p] as number);
    }
    // equality tests
    const one = left1[m] as number;
    const two = left2[m] as number;
    const oneClass = classOf(one);
    const i2 = from[0] as number;
    const j2 = to[m - 1] as number;
    if (one >= none) return;
    let keptWeight = 0; // mass of oneClass
    let mostWeight = 0;
    for (let p = 0; p < m; p++) classWeight[view.cls[p] as number] = 0;
    for (let p = 0; p < m; p++) {
      const c = view.cls[p] as number;
      const w = (classWeight[c] as number) + (sums[p + 1] as number) -
        (sums[p] as number);
      classWeight[c] = w;
      if (w > mostWeight) mostWeight = w;
    }
    keptWeight = classWeight[oneClass] as number;
    if (light === 0) {
      const w = weightOf(one);
      const bound = through +
        exitBound(total - w, w, Math.min(mostWeight, total - w));
      if (w >= options.share * total) {
        if (bound <= frame.limit && bound < frame.best) {
          frame.tested.push(one);
          step(
            frame,
            level + 1,
            i2,
            j2,
            oneClass,
            one + 1,
            two,
            heavy + 1,
            0,
            through,
          );
          frame.tested.pop();
          if (state.aborted) return;
        } else if (bound < frame.floor) frame.floor = bound;
      }
    }
    if (two < none) {
      const w = weightOf(two);
      const bound = through + exitBound(total - w, w, keptWeight);
      if (w >= options.share * total) {
        if (bound <= frame.limit && bound < frame.best) {
          frame.tested.push(two);
          step(
            frame,
            level + 1,
            i2,
            j2,
            oneClass,
            one,
            two + 1,
            heavy,
            light + 1,
            through,
          );
          frame.tested.pop();
        } else if (bound < frame.floor) frame.floor = bound;
      }
    }
  };

  const exitsAreLight = (
    frame: Frame,
    cut: number,
    left: number,
    right: number,
  ): boolean => {
    for (const rank of frame.tested) {
      const far = (candidateRun[rank] as number) >= cut ? left : right;
      if (far > (candidateWeight[rank] as number) + 1e-9 * testCost) {
        return false;
      }
    }
    return true;
  };

  const exitBound = (
    total: number,
    most: number,
    leafWeight: number,
  ): number => {
    const out = total - leafWeight;
    if (out <= testCost * 1e-6) return 0;
    const whole = Math.floor(out / most * (1 - 1e-12));
    const rest = Math.max(0, out - whole * most);
    const count = whole + 1;
    return most * whole * (whole + 1) / 2 + rest * count + leafWeight * count +
      count * testCost;
  };

  const rebuild = (i: number, j: number, r1: number, r2: number): TestTree => {
    const id = memo.find(i * n + j, r1 * (none + 1) + r2);
    const view = createView(n);
    let cls = classOf(r1);
    let low = r1;
    let lowOther = r2;
    fillView(line, view, i, j, cls, low, lowOther);
    if (view.m === 1) return leaf(view.cls[0] as number);
    const path: number[] = [];
    const heavy = memo.heavy[id] as number;
    const all = heavy + (memo.light[id] as number);
    for (let t = 0; t < all; t++) {
      const one = view.left1[view.m] as number;
      const two = view.left2[view.m] as number;
      cls = classOf(one);
      if (t < heavy) {
        path.push(one);
        low = one + 1;
        lowOther = two;
      } else {
        path.push(two);
        low = one;
        lowOther = two + 1;
      }
      fillView(
        line,
        view,
        view.from[0] as number,
        view.to[view.m - 1] as number,
        cls,
        low,
        lowOther,
      );
    }
    const { m, from, to, left1, left2, right1, right2 } = view;
    const cut = memo.cut[id] as number;
    let tree: TestTree;
    if (cut < 0) tree = leaf(view.cls[0] as number);
    else {
      let p = 1;
      while (from[p] !== cut) p++;
      tree = ge(
        line.starts[cut] as number,
        rebuild(
          from[p] as number,
          to[m - 1] as number,
          right1[p] as number,
          right2[p] as number,
        ),
        rebuild(
          from[0] as number,
          to[p - 1] as number,
          left1[p] as number,
          left2[p] as number,
        ),
      );
    }
    for (const rank of path.reverse()) {
      tree = eq(line.candidateValue[rank] as number, leaf(classOf(rank)), tree);
    }
    return tree;
  };

  const root = (): [number, number, number, number] => {
    const view = createView(n);
    fillView(line, view, 0, n - 1, -1, 0, 0);
    return [
      0,
      n - 1,
      view.left1[view.m] as number,
      view.left2[view.m] as number,
    ];
  };

  return {
    state,
    states: () => memo.count,
    solve(budget: number): number {
      const [i, j, r1, r2] = root();
      return solveState(0, i, j, r1, r2, budget);
    },
    tree(): TestTree {
      const [i, j, r1, r2] = root();
      return rebuild(i, j, r1, r2);
    },
  };
}
