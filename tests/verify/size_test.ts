import { assert } from "@std/assert";

/** What has to be reviewed for an "equal" to be believed. */
const CORE = [
  "cases",
  "diagram",
  "meaning",
  "paths",
  "symbols",
  "verdict",
  "word",
];

Deno.test("the core of the checker has less than 600 lines without comments", async () => {
  let lines = 0;
  for (const name of CORE) {
    const text = await Deno.readTextFile(
      new URL(`../../verify/core/${name}.ts`, import.meta.url),
    );
    const code = text.replaceAll(/\/\*.*?\*\//gs, "")
      .replaceAll(/^\s*\/\/.*$/gm, "");
    lines += code.split("\n").filter((line) => line.trim() !== "").length;
  }
  assert(lines < 600, `${lines} lines`);
});
