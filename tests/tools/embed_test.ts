import { assertEquals } from "@std/assert";
import { embed } from "../../tools/embed.ts";
import { has } from "../machine.ts";

Deno.test("embedded programs match their sources", async () => {
  const compared: string[] = [];
  for (const { path, text } of await embed()) {
    if (text === undefined && !has("as", "the bytes of ffi/stub.s")) continue;
    const module = new URL(`../../${path}`, import.meta.url);
    assertEquals(
      await Deno.readTextFile(module),
      text,
      `${path}: run deno task embed`,
    );
    compared.push(path);
  }
  assertEquals(compared[0], "hook/dispatcher/dispatcher_code.ts");
});
