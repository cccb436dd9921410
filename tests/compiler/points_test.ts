import { assertEquals } from "@std/assert";
import { leastPrice } from "../../compiler/points.ts";

Deno.test("leastPrice() is exact for at most three runs, and a lower bound for more", () => {
  // classes, weights, cost, tests
  const cases:
    readonly (readonly [string, readonly number[], number, number])[] = [
      ["ab", [1, 2], 3, 1],
      ["aab", [1, 2, 4], 7, 1],
      // One == removes the middle.
      ["aba", [1, 2, 4], 7, 1],
      // A threshold, and another one on the lighter side.
      ["abba", [8, 1, 2, 4], 2 * 15 - 8, 2],
      ["abc", [1, 2, 4], 2 * 7 - 4, 2],
      // One run is done after the first test, at best the heaviest.
      ["abab", [1, 9, 2, 4], 2 * 16 - 9, 2],
      ["abaca", [1, 2, 4, 8, 16], 2 * 31 - 16, 2],
      ["abacada", [1, 1, 1, 1, 1, 1, 1], 2 * 7 - 1, 3],
    ];
  for (const [classes, weights, cost, tests] of cases) {
    const points = weights.map((weight, value) => ({
      value,
      cls: classes.charCodeAt(value),
      weight,
    }));
    const all = 2 ** points.length - 1;
    assertEquals(leastPrice(points, all), { cost, tests }, classes);
  }
});
