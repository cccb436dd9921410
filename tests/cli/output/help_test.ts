import { assert, assertStringIncludes } from "@std/assert";
import { call } from "../harness.ts";

Deno.test("help wraps long explanations and keeps every word of them", async () => {
  const { out } = await call(["compile", "--help"]);
  for (const line of out.split("\n")) assert(line.length <= 80, line);
  const words = out.replaceAll(/\s+/g, " ");
  for (
    const text of [
      "Output format: raw, base64, hex, asm, c, go, rust, json, annotation (default: base64)",
      "Handling of unknown syscall names: deny-error, error, warn, ignore (default: deny-error)",
    ]
  ) assertStringIncludes(words, text);
});
