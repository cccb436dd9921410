import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { BitTree } from "../../compiler/bits.ts";
import { createDecisionGraph, type Decision } from "../../compiler/decision.ts";
import { countSharedTests, shareTests } from "../../compiler/share.ts";
import { treeOfCells } from "../../compiler/tree.ts";
import { SEED } from "./shared.ts";

/** Cells of random lengths, some of them far longer than the samples. */
const anyCells = fc.tuple(
  fc.array(
    fc.tuple(
      fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: 1, max: 9 }) },
        { weight: 1, arbitrary: fc.integer({ min: 500, max: 1100 }) },
        { weight: 1, arbitrary: fc.constant(0x4000_0000) },
      ),
      fc.integer({ min: 0, max: 2 }),
    ),
    { minLength: 2, maxLength: 70 },
  ),
  fc.integer({ min: 0, max: 300 }),
);

Deno.test("treeOfCells() decides alike if it shares parts, at no more tests", () => {
  fc.assert(
    fc.property(anyCells, fc.infiniteStream(fc.nat()), ([lengths], random) => {
      const graph = createDecisionGraph();
      const cells: { first: number; last: number; node: Decision }[] = [];
      let first = 0;
      for (const [length, cls] of lengths) {
        if (first + length >= 2 ** 32 - 1) break;
        cells.push({ first, last: first + length - 1, node: graph.leaf(cls) });
        first += length;
      }
      cells.push({ first, last: 2 ** 32 - 1, node: graph.leaf(9) });
      const weighted = cells.map((cell) => ({ ...cell, weight: 1 }));
      const options = { bits: true, prove: false, sizePenalty: 100 };
      const tree = treeOfCells(graph, 0, weighted, options).node;
      const shared = treeOfCells(graph, 0, weighted, {
        ...options,
        shares: true,
      }).node;
      assert(testsOf(shared) <= testsOf(tree));
      for (const cell of cells) {
        const span = cell.last - cell.first;
        const values = [cell.first, cell.last, cell.last - (span >> 1)];
        for (let i = 0; i < 20; i++) {
          values.push(cell.first + Number(random.next().value) % (span + 1));
        }
        for (const value of values) {
          assertEquals(follow(shared, value), cell.node, `${value}`);
        }
      }
    }),
    { seed: SEED, numRuns: 40 },
  );
});

function follow(root: Decision, value: number): Decision {
  let node = root;
  while (node.kind === "branch") {
    const { op, k } = node;
    const holds = op === "eq"
      ? value === k
      : op === "ge"
      ? value >= k
      : (value & k) !== 0;
    node = holds ? node.yes : node.no;
  }
  return node;
}

function testsOf(root: Decision): number {
  const seen = new Set<Decision>();
  const visit = (node: Decision): void => {
    if (node.kind !== "branch" || seen.has(node)) return;
    seen.add(node);
    visit(node.yes);
    visit(node.no);
  };
  visit(root);
  return seen.size;
}

Deno.test("shareTests() decides the same pattern in two places once", () => {
  const leaf = (cls: number): BitTree => ({ kind: "leaf", cls });
  const test = (
    op: "eq" | "ge" | "set",
    k: number,
    yes: BitTree,
    no: BitTree,
  ): BitTree => ({ kind: "test", op, k, yes, no });
  const [no, yes] = [leaf(0), leaf(1)];
  const marked = Array.from({ length: 32 }, (_, value) => value)
    .filter((value) => (value & 5) !== 0);
  // Below 16 by one JSET, above by a list.
  const list = marked.filter((value) => value >= 16)
    .reduceRight((rest, k) => test("eq", k, yes, rest), no);
  const tree = test(
    "ge",
    16,
    test("ge", 32, no, list),
    test("set", 5, yes, no),
  );
  const cells: { first: number; last: number; cls: number }[] = [];
  for (let value = 0; value <= 32; value++) {
    const cls = marked.includes(value) ? 1 : 0;
    const last = value < 32 ? value : 2 ** 32 - 1;
    cells.push({ first: value, last, cls });
  }
  assertEquals(countSharedTests(tree), 15);
  const shared = shareTests(tree, cells);
  assertEquals(countSharedTests(shared), 2);
  const found: number[] = [];
  for (let value = 0; value < 1000; value++) {
    let node = shared;
    while (node.kind === "test") {
      const { op, k } = node;
      const holds = op === "set" ? (value & k) !== 0 : value >= k;
      node = holds ? node.yes : node.no;
    }
    if (node.cls === 1) found.push(value);
  }
  assertEquals(found, marked);
});
