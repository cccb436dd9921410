import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { unifiedDiff } from "../../../install/changes/diff.ts";

const SEED = 20261124;
const NAMES = { before: "a", after: "b" };

/** Applies a unified diff as patch(1) would, checking every line of it. */
function patch(text: string, diff: string): string {
  const old = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const result: string[] = [];
  let at = 0;
  const lines = diff.split("\n").slice(2, -1);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const header = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$/.exec(line);
    if (header !== null) {
      const first = Number(header[1]) - (header[2] === "0" ? 0 : 1);
      assert(first <= old.length, `no line ${first}`);
      while (at < first) result.push(old[at++] ?? "");
      continue;
    }
    const cut = lines[i + 1]?.startsWith("\\") === true;
    const content = line.slice(1) + (cut ? "" : "\n");
    if (cut) i++;
    if (line.startsWith("+")) result.push(content);
    else {
      assertEquals(old[at], content, "context");
      if (line.startsWith(" ")) result.push(content);
      at++;
    }
  }
  return result.join("") + old.slice(at).join("");
}

Deno.test("unifiedDiff() leads from one text to the other", () => {
  const text = fc.tuple(
    fc.array(fc.constantFrom("a\n", "b\n", "c\n", "\n"), { maxLength: 30 }),
    fc.constantFrom("", "no end"),
  ).map(([lines, end]) => lines.join("") + end);
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff(before, after, NAMES);
      if (before === after) return assertEquals(diff, "");
      assertEquals(patch(before, diff), after);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("unifiedDiff() shows three lines around a change and joins near ones", () => {
  const lines = Array.from({ length: 20 }, (_, i) => `${i}\n`);
  const after = lines.map((l, i) => i === 4 || i === 11 ? `x${l}` : l);
  assertEquals(
    unifiedDiff(lines.join(""), after.join(""), NAMES).split("\n").filter((l) =>
      l.startsWith("@@")
    ),
    ["@@ -2,14 +2,14 @@"],
  );
});
