import { assertEquals } from "@std/assert";
import { countBits } from "../../tables/bits.ts";

Deno.test("countBits() counts the bits of numbers and of 64-bit words", () => {
  assertEquals([0, 1, 0x80, 0xffff_ffff].map(countBits), [0, 1, 1, 32]);
  for (let width = 0n; width <= 64n; width++) {
    assertEquals(countBits((1n << width) - 1n), Number(width));
    assertEquals(countBits(1n << width), 1);
  }
});
