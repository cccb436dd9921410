import { assert, assertEquals } from "@std/assert";

/** Measures the code that must be reviewed before an "equal" can be trusted. */
const CORE = [
  "cases",
  "diagram",
  "meaning",
  "paths",
  "subject",
  "symbols",
  "verdict",
  "word",
];

Deno.test("the core of the checker has less than 660 lines without comments", () => {
  const folder = new URL("../../verify/core/", import.meta.url);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assertEquals(names, CORE.map((name) => `${name}.ts`), "and nothing else");
  let lines = 0;
  for (const name of CORE) {
    const text = Deno.readTextFileSync(
      new URL(`../../verify/core/${name}.ts`, import.meta.url),
    );
    const code = text.replaceAll(/\/\*.*?\*\//gs, "")
      .replaceAll(/^\s*\/\/.*$/gm, "");
    lines += code.split("\n").filter((line) => line.trim() !== "").length;
  }
  assert(lines < 660, `${lines} lines`);
});
