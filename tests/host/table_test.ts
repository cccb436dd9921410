import { assertEquals } from "@std/assert";
import { formatTable } from "../../host/table.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../cli/harness.ts";

Deno.test("formatTable() keeps columns with wide and combining characters", () => {
  assertEquals(
    formatTable([
      ["name", "n"],
      ["設定", "1"],
      ["e\u0301te\u0301", "22"],
      ["\u{1f433}", "3"],
    ]),
    "name   n\n設定   1\ne\u0301te\u0301   22\n\u{1f433}     3\n",
  );
});

Deno.test("formatTable() shows control characters instead of sending them", () => {
  assertEquals(
    formatTable([["a\x1b[2J\nb", "x"], ["c", "\u202ey"]], { left: [0, 1] }),
    "a\\u001b[2J\\u000ab  x\nc                  \\u202ey\n",
  );
});

Deno.test("stats keeps columns with a file name of wide characters", async () => {
  await using folder = await createFolder();
  const wide = await folder.write("設定ファイル.json", SMALL_PROFILE);
  const { out, code } = await call(["stats", ...FIXED, wide, wide]);
  assertEquals(code, 0);
  // Each of the six wide characters takes two columns.
  const columns = out.split("\n\n")[0]?.split("\n").map((line) =>
    [...line].length + 6 * Number(line.includes("設"))
  );
  assertEquals(new Set(columns?.filter((n) => n > 0)).size, 1, out);
});
