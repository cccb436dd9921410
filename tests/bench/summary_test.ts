import { assertEquals, assertThrows } from "@std/assert";
import { compareSpreads, summarize } from "../../bench/engine/summary.ts";

Deno.test("summarize() computes quartiles for any order of rounds", () => {
  assertEquals(summarize([5, 1, 4, 2, 3]), {
    min: 1,
    low: 2,
    median: 3,
    high: 4,
    rounds: 5,
  });
  assertEquals(summarize([7]), {
    min: 7,
    low: 7,
    median: 7,
    high: 7,
    rounds: 1,
  });
  assertEquals(summarize([1, 2]).median, 1.5, "between two rounds");
});

Deno.test("summarize() refuses an empty list", () => {
  assertThrows(() => summarize([]), RangeError, "no rounds");
});

Deno.test("compareSpreads() finds a difference only if intervals do not overlap", () => {
  const at = (low: number, high: number): ReturnType<typeof summarize> => ({
    min: low,
    low,
    median: (low + high) / 2,
    high,
    rounds: 9,
  });
  assertEquals(compareSpreads(at(1, 2), at(3, 4)), "lower");
  assertEquals(compareSpreads(at(3, 4), at(1, 2)), "higher");
  assertEquals(compareSpreads(at(1, 3), at(3, 4)), "same", "they touch");
  assertEquals(compareSpreads(at(1, 9), at(4, 5)), "same", "one in the other");
});
