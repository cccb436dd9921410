import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  ARCH_LEVEL,
  createSymbols,
  NR_LEVEL,
} from "../../../verify/core/symbols.ts";
import { constant } from "../../../verify/core/word.ts";

const LIMITS = { nodes: 10_000, steps: 10_000 };
/** Words from `arg 0` on, as they lie below `arch` and `nr`. */
const BELOW = [16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 8, 12];

Deno.test("createSymbols() lays out the variables as its picture shows", () => {
  for (const order of ["word", "bit"] as const) {
    const symbols = createSymbols(order, LIMITS);
    const levels = (offset: number): readonly number[] =>
      symbols.input(offset).map(symbols.diagram.level).toReversed();
    const from = (first: number, step: number): readonly number[] =>
      Array.from({ length: 32 }, (_, i) => first + step * i);
    assertEquals(levels(4), from(0, 1), `${order}: arch`);
    assertEquals(levels(0), from(32, 1), `${order}: nr`);
    assertEquals([levels(4)[0], levels(0)[0]], [ARCH_LEVEL, NR_LEVEL]);
    for (const [i, offset] of BELOW.entries()) {
      const expected = order === "word"
        ? from(64 + 32 * i, 1)
        : from(64 + i, 14);
      assertEquals(levels(offset), expected, `${order}: ${offset}`);
    }
    assertEquals([...symbols.words.keys()], [4, 0, ...BELOW]);
    assertEquals(symbols.input(0), symbols.words.get(0) ?? []);
  }
});

Deno.test("leaf() gives a word one leaf, and wordOf() the word of a leaf", () => {
  const { leaf, wordOf, input } = createSymbols("word", LIMITS);
  const words = [
    constant(0),
    constant(1),
    constant(2 ** 31),
    input(0),
    input(4),
  ];
  const leaves = words.map(leaf);
  assertEquals(new Set(leaves).size, words.length);
  assertEquals(words.map(leaf), leaves);
  assertEquals(leaves.map(wordOf), words);
  assertNotEquals(leaf(constant(2)), leaf(constant(3)));
  assertThrows(() => wordOf(0), Error, "a leaf of no word");
});
