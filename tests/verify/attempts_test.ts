import { assert, assertEquals } from "@std/assert";
import { parseFilters } from "../../bpf/text.ts";
import { attemptOrders } from "../../verify/attempts.ts";
import { meaningOf } from "../../verify/core/meaning.ts";
import type { Symbols } from "../../verify/core/symbols.ts";
import { LimitReached } from "../../verify/limits.ts";

/** Compares the result of an operation on two arguments. */
function filterOf(operation: string): ReturnType<typeof parseFilters> {
  return parseFilters(
    `ld [24]\ntax\nld [16]\n${operation}\njeq #5, yes, no\nyes: ret #0x7fff0000\nno: ret #0x50001`,
  );
}

Deno.test("attemptOrders() gives up within one budget of steps, whatever is computed", () => {
  for (const operation of ["mul x", "div x", "lsh x", "rsh x"]) {
    for (const steps of [1, 16, 20_000, 300_000]) {
      const made: Symbols[] = [];
      const limit = attemptOrders({ nodes: 1_000_000, steps }, (symbols) => {
        made.push(symbols);
        meaningOf(filterOf(operation), false, symbols);
        return { operation };
      });
      assertEquals(limit, "steps", operation);
      const used = made.map(({ diagram }) => diagram.steps());
      const sum = used.reduce((a, b) => a + b);
      // Each of the attempts ends at the step that is one too many.
      assert(sum <= steps + used.length, `${operation} ${steps}: ${used}`);
    }
  }
});

Deno.test("attemptOrders() takes all bits together for a sum, early", () => {
  const orders: string[] = [];
  const result = attemptOrders(
    { nodes: 1_500_000, steps: 4_000_000 },
    (symbols, order) => {
      orders.push(order);
      meaningOf(filterOf("add x"), false, symbols);
      return { nodes: symbols.diagram.nodes() };
    },
  );
  assertEquals(orders, ["word", "word", "bit"]);
  assert(typeof result !== "string" && result.nodes < 2_000);
});

Deno.test("attemptOrders() keeps to the requested orders and ends when interrupted", () => {
  const seen: string[] = [];
  const fail = (_: Symbols, order: string): { order: string } => {
    seen.push(order);
    throw new LimitReached(seen.length < 4 ? "nodes" : "interrupted");
  };
  const limits = { nodes: 100, steps: 100 };
  assertEquals(attemptOrders(limits, fail, ["word"]), "nodes");
  assertEquals(seen, ["word", "word", "word"]);
  assertEquals(attemptOrders(limits, fail), "interrupted");
  assertEquals(seen.length, 4);
});
