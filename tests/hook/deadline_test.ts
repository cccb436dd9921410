import { assertEquals, assertRejects } from "@std/assert";
import { type Read, readWithin } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";

/** Gives some texts, one at a time, each a little later. */
function reader(texts: readonly string[]): Read {
  const left = [...texts];
  return async (buffer) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const text = left.shift();
    return text === undefined
      ? null
      : new TextEncoder().encodeInto(text, buffer).written;
  };
}

Deno.test("readWithin() reads all of it, also under a limit of months", async () => {
  for (const ms of [10_000, 2 ** 31, 1e13]) {
    const bytes = await readWithin(reader(["ab", "", "c"]), 3, ms);
    assertEquals(new TextDecoder().decode(bytes), "abc", `${ms} ms`);
  }
});

Deno.test("readWithin() refuses what is too long or too late", async () => {
  const long = await assertRejects(
    () => readWithin(reader(["ab", "cd"]), 3, 10_000),
    RefusedError,
  );
  assertEquals(long.code, "bad-input");
  // A stream that is open keeps the process alive, as standard input does.
  const timer = setInterval(() => {}, 1000);
  const late = await assertRejects(
    () => readWithin(() => new Promise(() => {}), 3, 20),
    RefusedError,
  );
  clearInterval(timer);
  assertEquals(late.code, "deadline");
});
