import { assertEquals } from "@std/assert";
import { call, SMALL_PROFILE } from "./harness.ts";

/** ECMA-48, SGR: red, yellow and cyan. */
const COLORS: Readonly<Record<string, number>> = {
  error: 31,
  warning: 33,
  note: 36,
};

Deno.test("messages have the color of their severity on a terminal, and none elsewhere", async () => {
  const words = ["compile", "--arch", "x86_64", "-"];
  const seen = new Set<string>();
  for (const stdin of ["{", SMALL_PROFILE]) {
    const plain = await call(words, { stdin });
    const { err } = await call(words, { stdin, color: true });
    const expected = plain.err.replaceAll(
      /^(.*?)(error|warning|note): /gm,
      (_, where: string, word: string) => {
        seen.add(word);
        return `${where}\x1b[1;${COLORS[word]}m${word}\x1b[0m: `;
      },
    );
    assertEquals(err, expected);
  }
  assertEquals([...seen].sort(), Object.keys(COLORS).sort());
});
