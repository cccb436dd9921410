import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { addBitTests, type BitTree } from "../../compiler/bits.ts";
import type { SearchResult } from "../../compiler/search/problem.ts";
import { searchTree } from "../../compiler/search/search.ts";

/** Classes of the values 0 to n − 1; all values above have the last class. */
const lines = fc.array(fc.integer({ min: 0, max: 2 }), {
  minLength: 2,
  maxLength: 40,
});

function treeOf(line: readonly number[]): SearchResult {
  return searchTree({
    starts: Uint32Array.from(line, (_, i) => i),
    singles: Uint8Array.from(line, (_, i) => i < line.length - 1 ? 1 : 0),
    classes: Int32Array.from(line),
    weights: Float64Array.from(line, () => 1),
  });
}

/** Class and number of tests, by walking the tree. */
function walk(tree: BitTree, value: number): [cls: number, tests: number] {
  let node = tree;
  let tests = 0;
  while (node.kind === "test") {
    const { op, k } = node;
    const holds = op === "eq"
      ? value === k
      : op === "ge"
      ? value >= k
      : (value & k) !== 0;
    node = holds ? node.yes : node.no;
    tests++;
  }
  return [node.cls, tests];
}

function count(tree: BitTree): number {
  return tree.kind === "leaf" ? 0 : 1 + count(tree.yes) + count(tree.no);
}

Deno.test("addBitTests() decides alike, never at a higher cost, and counts what it saves", () => {
  fc.assert(
    fc.property(lines, fc.integer({ min: 0, max: 5 }), (line, price) => {
      const { tree } = treeOf(line);
      const weightOf = (value: number): number => value < line.length ? 1 : 0;
      const result = addBitTests(tree, weightOf, price);
      let before = 0;
      let after = 0;
      for (const value of [...line.keys(), line.length + 5, 0xffff_ffff]) {
        const [oldClass, oldTests] = walk(tree, value);
        const [newClass, newTests] = walk(result.tree, value);
        assertEquals(newClass, oldClass, `class of ${value}`);
        before += oldTests * weightOf(value);
        after += newTests * weightOf(value);
      }
      assertEquals(result.savedTests, count(tree) - count(result.tree));
      assert(Math.abs(before - after - result.savedCost) < 1e-9, "saved cost");
      assert(
        after + price * count(result.tree) <= before + price * count(tree),
        "dearer",
      );
    }),
    { numRuns: 400, seed: 20261124 },
  );
});

Deno.test("addBitTests() finds the bit that alternating values share", () => {
  const around = Array.from({ length: 16 }, () => 2);
  const alternating = Array.from({ length: 16 }, (_, i) => i % 2);
  const { tree } = treeOf([...around, ...alternating, 2]);
  const result = addBitTests(tree, () => 1, 0);
  assertEquals([count(tree), count(result.tree)], [11, 7]);
});
