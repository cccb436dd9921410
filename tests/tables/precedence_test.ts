import { assertEquals } from "@std/assert";
import { precedence, prevailing } from "../../tables/precedence.ts";

Deno.test("precedence() orders the actions as seccomp(2) does, whatever the data", () => {
  const order = [
    0x8000_0000,
    0x0000_0000,
    0x0003_0000,
    0x0005_0000,
    0x7fc0_0000,
    0x7ff0_0000,
    0x7ffc_0000,
    0x7fff_0000,
  ];
  const ranks = order.map(precedence);
  assertEquals([...ranks].sort((a, b) => a - b), ranks);
  assertEquals(new Set(ranks).size, ranks.length);
  for (const value of order) {
    assertEquals(precedence((value | 0xffff) >>> 0), precedence(value));
  }
  // An unknown action takes part with its own number: 0xffff_0000 is −65536.
  assertEquals(precedence(0xffff_1234), -0x1_0000);
  assertEquals(precedence(0x8000_0000), -(2 ** 31));
});

Deno.test("prevailing() returns the strictest answer, the newest among equals", () => {
  assertEquals(prevailing([]), 0x7fff_0000);
  assertEquals(prevailing([0x7fff_0001]), 0x7fff_0001);
  assertEquals(prevailing([0x0005_0001, 0x7fff_0000]), 0x0005_0001);
  assertEquals(prevailing([0x7fff_0000, 0x0005_0001]), 0x0005_0001);
  assertEquals(prevailing([0x0005_0001, 0x0005_0002]), 0x0005_0002, "newest");
  assertEquals(
    prevailing([0x8000_0000, 0x0000_0000, 0x0005_0001]),
    0x8000_0000,
  );
});
