import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { PACKED } from "../../../host/packed.ts";
import { call, createFolder } from "../harness.ts";

const REPORT = fromFileUrl(
  new URL("../../../docs/charts/bench.json", import.meta.url),
);

Deno.test("bench --page draws the charts of a report", async () => {
  await using folder = await createFolder();
  const page = join(folder.path, "page");
  const drawn = await call(["bench", "--report", REPORT, "--page", page]);
  assertEquals(drawn.code, 0, drawn.err);
  const svg = await Deno.readTextFile(join(page, "charts/attach.light.svg"));
  const kept = new URL("attach.light.svg", `file://${REPORT}`);
  assertEquals(svg, await Deno.readTextFile(kept));
});

Deno.test("bench --page without the chart libraries prints the remedy before it measures or writes", async () => {
  await using folder = await createFolder();
  const page = join(folder.path, "page");
  // The way the single file hands out modules.
  Reflect.set(
    globalThis,
    PACKED,
    () => `throw new TypeError("Failed loading vega\\nmore");`,
  );
  try {
    for (const words of [[], ["--report", REPORT]]) {
      const { code, err } = await call(["bench", ...words, "--page", page]);
      assertEquals(code, 5, err);
      assertStringIncludes(
        err,
        "Cannot draw charts: Deno cannot load Vega from npm (Failed loading vega); keep the figures",
      );
    }
  } finally {
    Reflect.deleteProperty(globalThis, PACKED);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});
