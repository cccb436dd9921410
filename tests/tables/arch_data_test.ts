import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readRuns, writeRuns } from "../../tables/arch_data.ts";

Deno.test("readRuns() counts on from the number of each line", () => {
  assertEquals([...readRuns("\n0 read write\n24 sched_yield\n")], [
    ["read", 0],
    ["write", 1],
    ["sched_yield", 24],
  ]);
  assertEquals([...readRuns("")], []);
});

Deno.test("writeRuns() answers lines that readRuns() reads back", () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,30}$/);
  const nr = fc.oneof(fc.nat(60), fc.nat(0xffff_ffff));
  fc.assert(fc.property(fc.array(fc.tuple(name, nr)), (pairs) => {
    const byNumber = new Map(pairs.map(([key, value]) => [value, key]));
    const numbers = new Map([...byNumber].map(([value, key]) => [key, value]));
    const text = writeRuns(numbers);
    for (const line of text.split("\n")) {
      assert(line.length <= 80, line);
    }
    assertEquals(
      [...readRuns(text)],
      [...numbers].sort((a, b) => a[1] - b[1]),
    );
  }));
});
