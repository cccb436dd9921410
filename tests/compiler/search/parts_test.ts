import { assert, assertEquals } from "@std/assert";
import { alphabeticDepths } from "../../../compiler/search/alphabetic.ts";
import { certify } from "../../../compiler/search/certify.ts";
import {
  intervalTree,
  solveBoundedIntervals,
  solveIntervals,
} from "../../../compiler/search/interval.ts";
import { leastTests } from "../../../compiler/search/least_tests.ts";
import { toLine } from "../../../compiler/search/line.ts";
import { Memo, UNBOUNDED } from "../../../compiler/search/memo.ts";
import { bruteForce } from "./brute.ts";
import { createRandom, randomCells, toProblem } from "./random.ts";

const SEED = 1977;

Deno.test("leastTests() counts as a brute force without weights does", () => {
  const random = createRandom(SEED);
  for (let i = 0; i < 1000; i++) {
    const cells = randomCells(random, 9);
    const weightless = { ...cells, weights: cells.weights.map(() => 0) };
    const line = toLine(toProblem(weightless), 0);
    const what = `seed ${SEED}, case ${i}: ${JSON.stringify(cells)}`;
    const tests = leastTests(line)[line.n - 1];
    assertEquals(tests, bruteForce(weightless, 1).price, what);
  }
});

Deno.test("certify() agrees with a brute force wherever it proves", () => {
  const random = createRandom(SEED + 1);
  let proofs = 0;
  for (let i = 0; i < 2000; i++) {
    const cells = randomCells(random, 9);
    const line = toLine(toProblem(cells), 0);
    const table = solveIntervals(line);
    if (!certify(line, table)) continue;
    proofs++;
    const best = bruteForce(cells, 0).price;
    const cost = table.cost[line.n - 1] ?? 0;
    const what = `seed ${SEED + 1}, case ${i}: ${JSON.stringify(cells)}`;
    assertEquals(Math.round(cost), best, what);
  }
  assert(proofs > 500, `${proofs} proofs`);
});

Deno.test("solveBoundedIntervals() fills the table of solveIntervals() if the bound never binds", () => {
  const random = createRandom(SEED + 3);
  let lines = 0;
  while (lines < 60) {
    const cells = randomCells(random, 140);
    const line = toLine(toProblem(cells), random(3));
    if (line.n < 32) continue;
    lines++;
    const what = `seed ${SEED + 3}, line ${lines}: ${JSON.stringify(cells)}`;
    const table = solveIntervals(line);
    const other = solveBoundedIntervals(line, line.n);
    assertEquals(table.cost, other.cost, what);
    assertEquals(table.choice, other.choice, what);
    const tree = intervalTree(line, table, 0, line.n - 1);
    assertEquals(tree, intervalTree(line, other, 0, line.n - 1), what);
  }
});

Deno.test("alphabeticDepths() costs what the O(n^3) program does", () => {
  const random = createRandom(SEED + 2);
  for (let i = 0; i < 300; i++) {
    const n = 1 + random(30);
    const scale = [3, 100, 1e6][random(3)] ?? 1;
    const weights = Float64Array.from({ length: n }, () => 1 + random(scale));
    const depths = alphabeticDepths(weights);
    const cost = depths.reduce((sum, d, j) => sum + d * (weights[j] ?? 0), 0);
    const what = `seed ${SEED + 2}, case ${i}: ${weights.join()}`;
    assertEquals(cost, alphabeticCost(weights), what);
    // Kraft's equality and the order of the leaves: some tree has these depths.
    assertEquals(depths.reduce((sum, d) => sum + 2 ** -d, 0), 1, what);
  }
});

/** Cost of an optimal alphabetic tree, by the recurrence alone. */
function alphabeticCost(weights: Float64Array): number {
  const memo = new Map<string, number>();
  const cost = (i: number, j: number): number => {
    if (i === j) return 0;
    const key = `${i},${j}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    let best = Infinity;
    for (let k = i; k < j; k++) {
      best = Math.min(best, cost(i, k) + cost(k + 1, j));
    }
    for (let k = i; k <= j; k++) best += weights[k] ?? 0;
    memo.set(key, best);
    return best;
  };
  return cost(0, weights.length - 1);
}

Deno.test("Memo.find() finds each state again after it has grown", () => {
  const memo = new Memo(40, 60);
  const state = (k: number): [number, number, number, number, number] => [
    k % 40,
    Math.floor(k / 40) % 40,
    k % 61,
    Math.floor(k / 7) % 61,
    k % 3 === 0 ? UNBOUNDED : k % 11,
  ];
  const ids = new Map<string, number>();
  for (let k = 0; k < 40_000; k++) {
    const key = state(k).join();
    const known = memo.count;
    const id = memo.find(...state(k));
    assertEquals(ids.get(key) ?? known, id);
    if (memo.count > known) {
      ids.set(key, id);
      memo.value[id] = k;
      memo.cut[id] = k + 1;
    }
  }
  assert(memo.count === ids.size && ids.size > 30_000, `${ids.size} states`);
  for (let k = 0; k < 40_000; k++) {
    const id = memo.find(...state(k));
    assertEquals(memo.cut[id], (memo.value[id] ?? 0) + 1);
    assertEquals(state(memo.value[id] ?? 0), state(k));
  }
});
