import { assertEquals, assertMatch } from "@std/assert";
import { ask } from "../../host/command.ts";

Deno.test("ask() gives a program its input, and none by default", async () => {
  const input = new TextEncoder().encode("line\n".repeat(50_000));
  const words = ["sh", "-c", "wc -c; echo warning >&2; exit 7"];
  assertEquals(await ask(words, { input }), {
    code: 7,
    stdout: `${input.length}\n`,
    stderr: "warning\n",
  });
  assertEquals((await ask(words)).stdout, "0\n");
  // One that ends before it has read all.
  assertEquals((await ask(["true"], { input })).code, 0);
});

Deno.test("ask() reports what takes too long with 124, what does not start with 127", async () => {
  const late = await ask(["sleep", "600"], { limitMs: 100 });
  assertEquals(late.code, 124);
  const none = await ask(["/no/such/program"]);
  assertEquals([none.code, none.stdout], [127, ""]);
  assertMatch(none.stderr, /no such|not found|failed to spawn/i);
});
