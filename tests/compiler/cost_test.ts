import { assertEquals } from "@std/assert";
import { weigh } from "../../compiler/cost.ts";
import { createDecisionGraph } from "../../compiler/decision.ts";
import { ALLOW, EPERM } from "./shared.ts";

const X86_64 = 0xc000_003e;

Deno.test("weigh() gives all numbers the same weight for size", () => {
  const graph = createDecisionGraph();
  const intervals = [
    { first: 0, last: 9, node: graph.leaf(ALLOW) },
    { first: 10, last: 99, node: graph.leaf(EPERM) },
    { first: 100, last: 0xffff_ffff, node: graph.leaf(ALLOW) },
  ];
  for (const more of [{}, { background: 0.001 }, { background: 1000 }]) {
    const [a, b, rest] = weigh(intervals, X86_64, {
      objective: "size",
      ...more,
    });
    assertEquals([a?.weight, b?.weight], [10, 90], JSON.stringify(more));
    // Numbers that calls may have end at 470.
    assertEquals(rest?.weight, 370, JSON.stringify(more));
  }
});
