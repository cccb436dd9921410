import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cellsOf } from "../../compiler/cells.ts";
import { knowWord, type MaskedFact } from "../../compiler/part.ts";
import { narrow, residualOf } from "../../compiler/residual.ts";
import type { Condition } from "../../profile/policy.ts";
import { EPERM, LOG, rule, SEED, when, WORD } from "./shared.ts";

const LAST = 0xffff_ffff;

function cells(
  conditions: readonly Condition[],
  word: number,
  facts: readonly MaskedFact[] = [],
): readonly (readonly [number, number])[] {
  const residual = residualOf(conditions.map((c) => rule(1, LOG, c)), EPERM);
  return cellsOf(residual, word, facts).map((c) => [c.first, c.last]);
}

Deno.test("cellsOf() cuts at the values of the comparisons", () => {
  const table: readonly (readonly [
    string,
    ReturnType<typeof cells>,
    ReturnType<typeof cells>,
  ])[] = [
    ["another word", cells([when(0, "eq", 5n, WORD)], 1), [[0, LAST]]],
    ["eq", cells([when(0, "eq", 5n, WORD)], 0), [[0, 4], [5, 5], [6, LAST]]],
    ["eq 0", cells([when(0, "eq", 0n, WORD)], 0), [[0, 0], [1, LAST]]],
    ["eq of the largest", cells([when(0, "eq", WORD, WORD)], 0), [
      [0, LAST - 1],
      [LAST, LAST],
    ]],
    ["lt of one word cuts once", cells([when(0, "lt", 5n, WORD)], 0), [
      [0, 4],
      [5, LAST],
    ]],
    [
      "the high word of lt: below, at, above",
      cells([
        when(0, "lt", (5n << 32n) | 7n),
      ], 1),
      [[0, 4], [5, 5], [6, LAST]],
    ],
  ];
  for (const [name, seen, expected] of table) {
    assertEquals(seen, expected, name);
  }
});

Deno.test("cellsOf() gives values that facts rule out to their neighbor", () => {
  const conditions = [when(0, "eq", 4n, WORD), when(0, "eq", 5n, WORD)];
  const odd = { mask: 1, value: 1, holds: true };
  assertEquals(cells(conditions, 0, [odd]), [[0, 4], [5, 5], [6, LAST]]);
  const even = { ...odd, holds: false };
  assertEquals(cells(conditions, 0, [even]), [[0, 3], [4, 5], [6, LAST]]);
});

Deno.test("cellsOf() never puts two answers into one cell", () => {
  const condition = fc.record({
    op: fc.constantFrom<Condition["op"]>("eq", "ne", "lt", "le", "gt", "ge"),
    wide: fc.boolean(),
    value: fc.oneof(
      fc.bigInt(0n, 9n),
      fc.bigInt(0n, 9n).map((v) => (v << 32n) | v),
      fc.constantFrom(WORD, WORD - 1n, WORD << 32n),
    ),
  }).map(({ op, wide, value }) =>
    wide ? when(0, op, value) : when(0, op, value & WORD, WORD)
  );
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 0, max: 1 }),
      (conditions, word) => {
        const rules = conditions.map((c, i) => rule(1, LOG + i, c));
        const residual = residualOf(rules, EPERM);
        let next = 0;
        for (const { first, last } of cellsOf(residual, word, [])) {
          assertEquals(first, next);
          assert(last >= first);
          next = last + 1;
          const keys = [first, Math.min(first + 1, last), last].map((seen) =>
            narrow(residual, word, (p) => knowWord(p, word, seen)).key
          );
          assertEquals(new Set(keys).size, 1);
        }
        assertEquals(next, LAST + 1);
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});
