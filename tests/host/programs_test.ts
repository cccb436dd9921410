import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { findProgram } from "../../host/programs.ts";

Deno.test("findProgram() takes the first regular file that can be executed", async () => {
  const top = await Deno.makeTempDir({ prefix: "seccomp-tree-programs-" });
  try {
    const folders = ["a", "b", "c", "d"].map((name) => join(top, name));
    for (const folder of folders) await Deno.mkdir(folder);
    const [a = "", b = "", c = "", d = ""] = folders;
    await Deno.mkdir(join(a, "tool"));
    await Deno.writeTextFile(join(b, "tool"), "", { mode: 0o644 });
    await Deno.writeTextFile(join(d, "tool"), "", { mode: 0o755 });
    await Deno.symlink(join(d, "tool"), join(c, "tool"));
    assertEquals(await findProgram("tool", { folders }), join(c, "tool"));
    assertEquals(await findProgram("none", { folders }), undefined);
    const below = await findProgram("tool", {
      folders: ["/a", "/d"],
      at: (path) => Promise.resolve(`${top}${path}`),
    });
    assertEquals(below, "/d/tool");
  } finally {
    await Deno.remove(top, { recursive: true });
  }
});
