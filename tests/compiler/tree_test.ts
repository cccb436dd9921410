import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  createDecisionGraph,
  type Decision,
  type DecisionGraph,
} from "../../compiler/decision.ts";
import type { WeightedInterval } from "../../compiler/cost.ts";
import { treeOfCells } from "../../compiler/tree.ts";
import { ALLOW, call, EPERM, follow, LOG, SEED, show, TRAP } from "./shared.ts";

const VALUES = [ALLOW, EPERM, LOG, TRAP];

/** Cells from the first value of each and its class. */
function cellsFrom(
  graph: DecisionGraph,
  starts: readonly (readonly [first: number, cls: number, weight?: number])[],
): readonly WeightedInterval[] {
  return starts.map(([first, cls, weight], i) => ({
    first,
    last: (starts[i + 1]?.[0] ?? 0x1_0000_0000) - 1,
    node: graph.leaf(VALUES[cls] ?? 0),
    weight: weight ?? 1,
  }));
}

function answerOf(node: Decision, nr: number): number {
  return follow(node, call(nr)).value;
}

/** Expected tests, counted by following every cell. */
function costOf(node: Decision, cells: readonly WeightedInterval[]): number {
  return cells.reduce(
    (sum, { first, weight }) =>
      sum + weight * follow(node, call(first)).tests.length,
    0,
  );
}

Deno.test("treeOfCells() finds the least tests", () => {
  const table: readonly (readonly [
    string,
    readonly (readonly [number, number, number?])[],
    string,
  ])[] = [
    ["one cell", [[0, 0]], "7fff0000"],
    ["neighbors alike", [[0, 0], [5, 0]], "7fff0000"],
    ["two cells", [[0, 0], [5, 1]], "[0] ge 5 ? (50001) : (7fff0000)"],
    ["a hole", [[0, 0], [5, 1], [6, 0]], "[0] eq 5 ? (50001) : (7fff0000)"],
    [
      "the last value",
      [[0, 0], [0xffff_ffff, 1]],
      "[0] eq 4294967295 ? (50001) : (7fff0000)",
    ],
    [
      "the heavy one first",
      [[0, 0, 1], [5, 1, 9], [6, 2, 1]],
      "[0] eq 5 ? (50001) : ([0] ge 6 ? (7ffc0000) : (7fff0000))",
    ],
  ];
  for (const [name, starts, expected] of table) {
    const graph = createDecisionGraph();
    const { node } = treeOfCells(graph, 0, cellsFrom(graph, starts));
    // `eq` of the last value is `ge` as well.
    const seen = show(node).replace("ge 4294967295", "eq 4294967295");
    assertEquals(seen, expected, name);
  }
});

const anyStarts = fc.uniqueArray(
  fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  ),
  { maxLength: 20 },
).chain((firsts) =>
  fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 5 })),
    { minLength: firsts.length + 1, maxLength: firsts.length + 1 },
  ).map((drawn) =>
    [0, ...firsts.toSorted((a, b) => a - b)].map((first, i) =>
      [first, ...(drawn[i] ?? [0, 1])] as const
    )
  )
);

Deno.test("treeOfCells() answers as its cells do and counts what it costs", () => {
  fc.assert(
    fc.property(anyStarts, fc.boolean(), (starts, cubes) => {
      const graph = createDecisionGraph();
      const cells = cellsFrom(
        graph,
        starts.map(([first, cls, weight]) => [first, cls, weight]),
      );
      const tree = treeOfCells(graph, 0, cells, { cubes });
      let deepest = 0;
      for (const { first, last, node } of cells) {
        for (const nr of [first, last, Math.min(first + 1, last)]) {
          const value = node.kind === "leaf" ? node.value : undefined;
          assertEquals<number | undefined>(answerOf(tree.node, nr), value);
          deepest = Math.max(deepest, follow(tree.node, call(nr)).tests.length);
        }
      }
      assert(Math.abs(costOf(tree.node, cells) - tree.cost) < 1e-6);
      assert(deepest <= tree.depth, `${deepest} deep, not ${tree.depth}`);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("treeOfCells() is never more expensive than bisection by weight", () => {
  // The tree of thresholds that halves the weight at each step.
  const bisect = (cells: readonly WeightedInterval[]): number => {
    if (cells.every((c) => c.node === cells[0]?.node)) return 0;
    const total = cells.reduce((sum, c) => sum + c.weight, 0);
    let best = 1;
    let sum = 0;
    let gap = Infinity;
    for (let i = 1; i < cells.length; i++) {
      sum += cells[i - 1]?.weight ?? 0;
      if (Math.abs(total - 2 * sum) < gap) {
        best = i;
        gap = Math.abs(total - 2 * sum);
      }
    }
    return total + bisect(cells.slice(0, best)) + bisect(cells.slice(best));
  };
  fc.assert(
    fc.property(anyStarts, (starts) => {
      const graph = createDecisionGraph();
      const cells = cellsFrom(graph, starts);
      const { cost } = treeOfCells(graph, 0, cells);
      assert(cost <= bisect(cells) + 1e-6);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("treeOfCells() tests a bit of the last values as well", () => {
  const graph = createDecisionGraph();
  const top = 0xffff_fff0;
  const cells = cellsFrom(graph, [
    [0, 2],
    ...Array.from({ length: 16 }, (_, i) => [top + i, i % 2] as const),
  ]);
  const { node, cost } = treeOfCells(graph, 0, cells, { bits: true });
  for (const { first, last } of cells) {
    const expected = first === 0 ? LOG : first % 2 === 0 ? ALLOW : EPERM;
    assertEquals([answerOf(node, first), answerOf(node, last)], [
      expected,
      expected,
    ]);
  }
  assert(show(node).includes("set 1"), show(node));
  assertEquals(cost, costOf(node, cells));
});

Deno.test("treeOfCells() makes a subcube around 0 one JSET", () => {
  const graph = createDecisionGraph();
  const points = [0, 1, 4, 5];
  const cells = cellsFrom(
    graph,
    [[0, 0, 8], [1, 0], [2, 1], [4, 0], [5, 0], [6, 1]],
  );
  const { node } = treeOfCells(graph, 16, cells, { cubes: true });
  // The only test: none of the bits that are neither 1 nor 4.
  assertEquals(show(node), "[16] set 4294967290 ? (50001) : (7fff0000)");
  for (const value of [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xffff_ffff]) {
    assertEquals(
      follow(node, call(0, [BigInt(value)])).value,
      points.includes(value) ? ALLOW : EPERM,
      `${value}`,
    );
  }
});

Deno.test("treeOfCells() tries many overlapping subcubes in bounded time", () => {
  const points = new Set<number>([0]);
  for (let a = 0; a < 15; a++) {
    points.add(2 ** a);
    for (let b = 0; b < a; b++) points.add(2 ** a + 2 ** b);
  }
  const starts: (readonly [number, number])[] = [];
  for (const point of [...points].sort((a, b) => a - b)) {
    const last = starts[starts.length - 1];
    if (last !== undefined && last[0] === point) starts.pop();
    starts.push([point, 0], [point + 1, 1]);
  }
  const graph = createDecisionGraph();
  const cells = cellsFrom(graph, starts);
  const options = { cubes: true, prove: false };
  const { node } = treeOfCells(graph, 0, cells, options);
  for (let value = 0; value < 40_000; value++) {
    const seen = answerOf(node, value);
    if (seen !== (points.has(value) ? ALLOW : EPERM)) {
      assertEquals(seen, -1, `${value}`);
    }
  }
});

Deno.test("treeOfCells() handles a line of 3,000 cells", () => {
  const graph = createDecisionGraph();
  const cells = cellsFrom(
    graph,
    Array.from({ length: 3000 }, (_, i) => [7 * i, i % 4] as const),
  );
  const { node, depth } = treeOfCells(graph, 0, cells);
  assert(depth <= 2 * Math.log2(3000), `depth ${depth}`);
  for (let i = 0; i < 3000; i++) {
    assertEquals(answerOf(node, 7 * i + 6), VALUES[i % 4] ?? 0);
  }
});
