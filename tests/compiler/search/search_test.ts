import { assert, assertEquals, assertThrows } from "@std/assert";
import type {
  SearchOptions,
  SearchProblem,
  SearchResult,
} from "../../../compiler/search/problem.ts";
import { searchTree } from "../../../compiler/search/search.ts";
import { needs } from "../../machine.ts";
import { bruteForce, type Cells } from "./brute.ts";
import { dockerProblem, histogram } from "./docker.ts";
import { createRandom, randomCells, toProblem } from "./random.ts";

const test = needs("shared");

const SEED = Number(Deno.env.get("SEARCH_SEED") ?? 20230209);
const CASES = Number(Deno.env.get("SEARCH_CASES") ?? 5000);

/** The tree's answer for a value, and the number of tests. */
function walk(result: SearchResult, value: number): [number, number] {
  let node = result.tree;
  let tests = 0;
  while (node.kind === "test") {
    tests++;
    node = (node.op === "eq" ? value === node.k : value >= node.k)
      ? node.yes
      : node.no;
  }
  return [node.cls, tests];
}

/** Checks every cell's first and last value, and that the figures are the tree's. */
function checkTree(problem: SearchProblem, result: SearchResult): void {
  const { starts, classes, weights } = problem;
  let cost = 0;
  let depth = 0;
  for (let i = 0; i < starts.length; i++) {
    const first = starts[i] ?? 0;
    const last = (starts[i + 1] ?? 2 ** 32) - 1;
    const [cls, tests] = walk(result, first);
    assertEquals(cls, classes[i], `class of ${first}`);
    assertEquals(walk(result, last), [cls, tests], `${first} and ${last}`);
    cost += tests * (weights[i] ?? 0);
    depth = Math.max(depth, tests);
  }
  assert(Math.abs(cost - result.cost) <= 1e-9 * cost, `cost ${result.cost}`);
  assertEquals(result.depth, depth);
}

/** n single values with alternating classes, the last cell open. */
function line(
  n: number,
  weightOf: (i: number) => number,
  classOf = (i: number) => i % 2,
): SearchProblem {
  return toProblem({
    starts: Array.from({ length: n }, (_, i) => i),
    singles: Array.from({ length: n }, (_, i) => i < n - 1),
    classes: Array.from({ length: n }, (_, i) => classOf(i)),
    weights: Array.from({ length: n }, (_, i) => weightOf(i)),
  });
}

Deno.test("searchTree() finds the optimum of a brute force, and proves it", () => {
  const random = createRandom(SEED);
  for (let i = 0; i < CASES; i++) {
    const cells = randomCells(random, 9);
    const penalty = [0, 0, 0, 1, 5, 1000][random(6)] ?? 0;
    const problem = toProblem(cells);
    const result = searchTree(problem, { sizePenalty: penalty });
    const best = bruteForce(cells, penalty);
    const what = `seed ${SEED}, case ${i}: ${
      JSON.stringify({ cells, penalty })
    }`;
    assertEquals(result.cost + penalty * result.tests, best.price, what);
    assertEquals(result.tests, best.tests, what);
    assert(result.proven, what);
    assertEquals(result.lowerBound, best.price, what);
    checkTree(problem, result);
  }
});

Deno.test("searchTree() keeps a depth bound and never undercuts the bounded optimum", () => {
  const random = createRandom(SEED + 1);
  let same = 0;
  let cases = 0;
  for (let i = 0; i < 800; i++) {
    const cells = randomCells(random, 8);
    const runs = cells.classes.filter((c, j) => c !== cells.classes[j - 1]);
    const maxDepth = Math.ceil(Math.log2(runs.length)) + random(2);
    const problem = toProblem(cells);
    const result = searchTree(problem, { maxDepth });
    const best = bruteForce(cells, 0, maxDepth);
    const free = bruteForce(cells, 0);
    const what = `seed ${SEED + 1}, case ${i}: ${
      JSON.stringify({ cells, maxDepth })
    }`;
    checkTree(problem, result);
    assert(result.depth <= maxDepth, what);
    assert(result.cost >= best.price, what);
    assert(result.lowerBound <= free.price, what);
    assertEquals(result.proven, result.cost === free.price, what);
    if (result.cost === best.price) same++;
    cases++;
  }
  assert(same >= 0.97 * cases, `${same} of ${cases} are optimal`);
});

Deno.test("searchTree() bounds the trees that keep a depth bound", () => {
  const random = createRandom(SEED + 5);
  let dearer = 0;
  let closed = 0;
  let share = 0;
  for (let i = 0; i < 600; i++) {
    const cells = randomCells(random, 8);
    const runs = cells.classes.filter((c, j) => c !== cells.classes[j - 1]);
    const maxDepth = Math.ceil(Math.log2(runs.length));
    const penalty = [0, 0, 1, 40][random(4)] ?? 0;
    const problem = toProblem(cells);
    const options = { maxDepth, sizePenalty: penalty };
    const plain = searchTree(problem, options);
    const result = searchTree(problem, { ...options, boundWork: 1e6 });
    const best = bruteForce(cells, penalty, maxDepth).price;
    const free = bruteForce(cells, penalty).price;
    const what = `seed ${SEED + 5}, case ${i}: ${
      JSON.stringify({ cells, maxDepth, penalty })
    }`;
    assertEquals({ ...result, lowerBound: plain.lowerBound }, plain, what);
    assert(result.lowerBound <= best, `${what}: ${result.lowerBound}`);
    assert(result.lowerBound >= plain.lowerBound, what);
    if (best === free) continue;
    assert(!result.proven, what);
    dearer++;
    const gap = (result.lowerBound - free) / (best - free);
    share += gap;
    if (gap > 0.99) closed++;
  }
  assert(dearer > 60, `${dearer} cases in which the bound on depth costs`);
  assert(closed > dearer / 2, `${closed} of ${dearer} gaps are closed`);
  assert(share > 0.85 * dearer, `${share} of ${dearer} in the sum`);
});

Deno.test("searchTree() never proves what brute force refutes, for any work limit", () => {
  const random = createRandom(SEED + 6);
  let unproven = 0;
  for (let i = 0; i < 3000; i++) {
    const any = randomCells(random, 9);
    // Weightless stretches are removed, and restored.
    const end = i % 2 === 0 ? 2 + random(6) : 0;
    const cells = {
      ...any,
      weights: any.weights.map((weight, j) => 2 <= j && j < end ? 0 : weight),
    };
    const workLimit = [0, 30, 300, 3000][random(4)] ?? 0;
    const result = searchTree(toProblem(cells), { workLimit });
    const best = bruteForce(cells, 0);
    const what = `seed ${SEED + 6}, case ${i}: ${
      JSON.stringify({ cells, workLimit })
    }`;
    assert(result.cost >= best.price, what);
    assert(result.lowerBound <= best.price, what);
    if (result.proven) assertEquals(result.cost, best.price, what);
    else unproven++;
  }
  assert(unproven > 30, `${unproven} unproven`);
});

Deno.test("searchTree() keeps the better bound of its two searches", () => {
  for (const [seed, workLimit] of [[1, 100_000], [25, 300_000]] as const) {
    const random = createRandom(seed);
    const n = 60 + random(60);
    const weightless = new Uint8Array(n);
    const stretches = 1 + random(3);
    for (let k = 0; k < stretches; k++) {
      const from = random(n - 20);
      weightless.fill(1, from, from + 4 + random(20));
    }
    const classes = Array.from({ length: n }, () => random(3));
    const problem = line(
      n,
      (i) => weightless[i] === 1 ? 0 : Math.floor(2 ** random(12)),
      (i) => classes[i] ?? 0,
    );
    const result = searchTree(problem, { workLimit });
    const full = searchTree(problem, { workLimit: 1e8 });
    const gap = full.cost / result.lowerBound - 1;
    assert(full.proven, `seed ${seed}`);
    assert(gap >= 0 && gap < 0.01, `seed ${seed}: a gap of ${gap}`);
  }
});

Deno.test("searchTree() takes long weightless stretches apart at no cost", () => {
  const random = createRandom(SEED + 2);
  for (let i = 0; i < 40; i++) {
    const hot = Array.from({ length: 8 }, () => 1 + random(20));
    // The stretch stands between the weights; the brute force sees it as one class.
    const at = 1 + random(7);
    const short: Cells = {
      starts: Array.from(
        { length: 9 },
        (_, j) => j < at ? j : j === at ? at : j + 39,
      ),
      singles: Array.from({ length: 9 }, (_, j) => j !== at && j < 8),
      classes: Array.from({ length: 9 }, (_, j) => j === at ? 9 : random(2)),
      weights: Array.from(
        { length: 9 },
        (_, j) => j === at ? 0 : hot[j % 8] ?? 0,
      ),
    };
    const stretch = Array.from({ length: 40 }, (_, j) => j);
    const long: Cells = {
      starts: [
        ...short.starts.slice(0, at),
        ...stretch.map((j) => at + j),
        ...short.starts.slice(at + 1),
      ],
      singles: [
        ...short.singles.slice(0, at),
        ...stretch.map(() => true),
        ...short.singles.slice(at + 1),
      ],
      classes: [
        ...short.classes.slice(0, at),
        ...stretch.map((j) => 3 + j % 2),
        ...short.classes.slice(at + 1),
      ],
      weights: [
        ...short.weights.slice(0, at),
        ...stretch.map(() => 0),
        ...short.weights.slice(at + 1),
      ],
    };
    const problem = toProblem(long);
    const result = searchTree(problem);
    const what = `seed ${SEED + 2}, case ${i}: ${JSON.stringify(short)}`;
    assertEquals(result.cost, bruteForce(short, 0).price, what);
    assert(result.proven, what);
    checkTree(problem, result);
  }
});

test("searchTree() reaches the proven optima of Docker's default profile", () => {
  const cases: [string, "x86_64" | "x86", number, number | undefined][] = [
    // Compares: facts/trees.md, table 4 without the 3 or 4 fixed instructions and the leaf.
    ["uniform", "x86_64", 4.81, undefined],
    ["uniform", "x86", 6.2, undefined],
    ["redis", "x86_64", 1.11, 0],
    ["nginx", "x86_64", 1.97, 0],
    ["node-http", "x86_64", 1.47, 0],
  ];
  for (const [name, arch, most, share] of cases) {
    const weightOf = share === undefined ? () => 1 : histogram(name, arch);
    const problem = dockerProblem(
      arch === "x86" ? ["x86"] : ["x86_64", "x32"],
      weightOf,
    );
    const result = searchTree(problem);
    checkTree(problem, result);
    const total = problem.weights.reduce((sum, weight) => sum + weight, 0);
    const mean = result.cost / total;
    assert(result.proven, `${name} on ${arch} is proven`);
    assert(mean <= most, `${name} on ${arch}: ${mean}`);
  }
});

Deno.test("searchTree() is balanced and correct on long lines", () => {
  const random = createRandom(SEED + 3);
  const skewed = Array.from({ length: 4001 }, () => 1 / (1 + random(1000)));
  const cases: [string, SearchProblem, number, number][] = [
    ["470 alternating", line(471, (i) => i < 470 ? 1 : 0), 9, 9],
    ["1,000 values in a background", line(2001, (i) => i % 2), 11.2, 12],
    ["4,001 alternating", line(4001, () => 1), 12, 13],
    ["4,001 skewed", line(4001, (i) => skewed[i] ?? 0), 12, 24],
    ["600 of 600 classes", line(600, () => 1, (i) => i), 10, 11],
    ["huge ratios", line(700, (i) => 2 ** -i), 2.1, 700],
    ["no weight", line(1500, () => 0), 0, 40],
  ];
  for (const [name, problem, mean, depth] of cases) {
    const result = searchTree(problem);
    checkTree(problem, result);
    const total = problem.weights.reduce((sum, weight) => sum + weight, 0);
    assert(result.cost <= mean * total, `${name}: ${result.cost / total}`);
    assert(result.depth <= depth, `${name}: depth ${result.depth}`);
    assert(result.lowerBound <= result.cost, name);
    assert(result.tests < problem.starts.length, `${name}: ${result.tests}`);
  }
});

Deno.test("searchTree() keeps a depth bound on long lines", () => {
  const cases: [SearchProblem, number][] = [
    [line(700, (i) => 2 ** -i), 11],
    [line(300, (i) => 3 ** -i), 9],
    [line(2001, (i) => i % 2 === 0 ? 0 : 1 / i), 13],
    [line(1500, () => 0), 11],
  ];
  for (const [problem, maxDepth] of cases) {
    const result = searchTree(problem, { maxDepth });
    checkTree(problem, result);
    assert(
      result.depth <= maxDepth,
      `${problem.starts.length} cells: ${result.depth}`,
    );
  }
});

Deno.test("searchTree() keeps a range whose class a neighboring value shares", () => {
  // The heavy value goes first. Then the range and the single value are one
  // run, which tests of single values cannot remove.
  for (const sizes of [[5, 1, 1], [1, 1, 5]]) {
    const middle = sizes.map((size, i) => ({
      size,
      cls: [2, 3, 2][i] ?? 0,
      weight: i === 1 ? 1e6 : size === 1 ? 20 : 0,
    }));
    const side = Array.from(
      { length: 600 },
      (_, i) => ({ size: 1, cls: i % 2, weight: 1 }),
    );
    const cells = [
      ...side,
      ...middle,
      ...side,
      { size: 2, cls: 0, weight: 0 },
    ];
    let start = 0;
    const problem = toProblem({
      starts: cells.map(({ size }) => (start += size) - size),
      singles: cells.map(({ size }) => size === 1),
      classes: cells.map(({ cls }) => cls),
      weights: cells.map(({ weight }) => weight),
    });
    checkTree(problem, searchTree(problem));
  }
});

Deno.test("searchTree() counts work, not time: a small limit gives the same tree twice", () => {
  const random = createRandom(SEED + 4);
  const problem = line(120, () => 1 + random(1000));
  const options: SearchOptions = { workLimit: 500_000 };
  const first = searchTree(problem, options);
  assertEquals(first.proven, false);
  assert(first.lowerBound > 0.5 * first.cost && first.lowerBound <= first.cost);
  assertEquals(searchTree(problem, options), first);
  const full = searchTree(problem, { workLimit: 1e8 });
  assert(full.proven && full.cost <= first.cost);
  assert(full.lowerBound >= first.lowerBound);
});

Deno.test("searchTree() finds the same tree if all weights are scaled down", () => {
  const random = createRandom(SEED + 9);
  for (let i = 0; i < 200; i++) {
    const cells = randomCells(random, 9);
    const scale = 2 ** -60;
    const small = {
      ...cells,
      weights: cells.weights.map((weight) => weight * scale),
    };
    const result = searchTree(toProblem(small));
    const full = searchTree(toProblem(cells));
    const what = `seed ${SEED + 9}, case ${i}: ${JSON.stringify(cells)}`;
    assertEquals(result.tree, full.tree, what);
    assertEquals(result.cost, full.cost * scale, what);
  }
});

Deno.test("searchTree() answers a single class with a leaf", () => {
  const result = searchTree(line(5, () => 1, () => 7));
  assertEquals(result.tree, { kind: "leaf", cls: 7 });
  assertEquals([result.cost, result.tests, result.proven], [0, 0, true]);
});

Deno.test("searchTree() refuses invalid partitions and weights", () => {
  const good = line(3, () => 1);
  const cases: [Partial<SearchProblem>, string][] = [
    [{ starts: Uint32Array.of(1, 2, 3) }, "at least one cell at 0"],
    [{ starts: Uint32Array.of(0, 2, 1) }, "starts must rise"],
    [{ singles: Uint8Array.of(1, 1, 1) }, "singles mark cells of one value"],
    [{ classes: Int32Array.of(1) }, "all must be as many"],
    [{ weights: Float64Array.of(1, -1, 1) }, "weight -1 of cell 1"],
    [{ weights: Float64Array.of(1, NaN, 1) }, "weight NaN of cell 1"],
  ];
  for (const [part, message] of cases) {
    assertThrows(() => searchTree({ ...good, ...part }), RangeError, message);
  }
  assertThrows(() => searchTree(good, { sizePenalty: -1 }), RangeError, "-1");
});
