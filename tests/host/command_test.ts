import { assertEquals, assertMatch } from "@std/assert";
import { ask } from "../../host/command.ts";

Deno.test("ask() passes input to a program, and none by default", async () => {
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

Deno.test("ask() returns 124 for a program that takes too long, 127 for one that does not start", async () => {
  const late = await ask(["sleep", "600"], { limitMs: 100 });
  assertEquals(late.code, 124);
  const none = await ask(["/no/such/program"]);
  assertEquals([none.code, none.stdout], [127, ""]);
  assertMatch(none.stderr, /no such|not found|failed to spawn/i);
});
