import { assertEquals } from "@std/assert";
import { kernelModule } from "../../tools/kernel.ts";

Deno.test("kernel_code.ts is what kernel.wat assembles to", async () => {
  const code = new URL(
    "../../compiler/search/kernel_code.ts",
    import.meta.url,
  );
  assertEquals(await Deno.readTextFile(code), await kernelModule());
});
