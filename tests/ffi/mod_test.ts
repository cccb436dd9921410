import { assertEquals } from "@std/assert";

Deno.test("importing ffi/mod.ts needs no permission and opens nothing", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-lock",
      import.meta.resolve("../../ffi/mod.ts"),
    ],
    stdin: "null",
    stderr: "piped",
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
});
