import { assertEquals } from "@std/assert";
import { didYouMean, editDistance } from "../../tables/suggest.ts";

Deno.test("editDistance() counts edits and swaps", () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["abc", "ab", 1],
    ["abc", "abd", 1],
    ["kitten", "sitting", 3],
  ];
  for (const [a, b, distance] of cases) {
    assertEquals(editDistance(a, b), distance, `${a} ${b}`);
    assertEquals(editDistance(b, a), distance, `${b} ${a}`);
  }
});

Deno.test("didYouMean() suggests near words only", () => {
  const words = ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_ARM"];
  const suggest = (word: string): string | undefined =>
    didYouMean(word, words, "SCMP_ARCH_");
  assertEquals(suggest("x86_64"), "SCMP_ARCH_X86_64");
  assertEquals(suggest("x86-64"), "SCMP_ARCH_X86_64");
  assertEquals(suggest("SCMP_ARCH_AMR"), "SCMP_ARCH_ARM");
  assertEquals(suggest("RISCV64"), undefined);
  assertEquals(suggest("x".repeat(1000)), undefined);
  assertEquals(suggest(""), undefined);
});
