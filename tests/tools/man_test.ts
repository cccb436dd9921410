import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { createApp } from "../../cli/app.ts";
import { COMMANDS } from "../../cli/registry.ts";
import { commandsOf } from "../../cli/output/reflect.ts";
import { manualPages } from "../../tools/man.ts";
import { needs } from "../machine.ts";

const RELEASE = { version: "1.2.3", date: "2026-01-02" };

Deno.test("manualPages(): one for the program and each command, those of managers in section 8", async () => {
  const pages = await manualPages(RELEASE);
  const wanted = COMMANDS.map(({ name }) =>
    name === "hook" || name === "runtime"
      ? `man8/seccomp-tree-${name}.8`
      : `man1/seccomp-tree-${name}.1`
  );
  assertEquals([...pages.keys()], ["man1/seccomp-tree.1", ...wanted]);
});

needs("man")(
  "manual pages: roff reads them without a warning, and they print every option",
  async () => {
    const pages = await manualPages(RELEASE);
    const folder = await Deno.makeTempDir({ prefix: "man-" });
    try {
      const commands = commandsOf(await createApp());
      for (const [path, page] of pages) {
        const file = join(folder, path.replace("/", "-"));
        await Deno.writeTextFile(file, page);
        const { code, stdout, stderr } = await new Deno.Command("man", {
          args: ["--warnings=w", "-E", "UTF-8", "-l", file],
          env: { MANWIDTH: "300", LC_ALL: "C.UTF-8" },
        }).output();
        const decoder = new TextDecoder();
        assertEquals([code, decoder.decode(stderr)], [0, ""], path);
        // Systems differ in the hyphen that they print.
        const text = decoder.decode(stdout).replace(/[\u2010\u2212]/g, "-");
        assert(text.includes("seccomp-tree 1.2.3"), path);
        const name = /seccomp-tree-(.*)\.\d$/.exec(path)?.[1];
        const flags = commands.find((each) => each.name === name)?.flags ?? [];
        for (const { external, brief } of flags) {
          assert(text.includes(`--${external}`), `${path}: --${external}`);
          assert(text.includes(brief), `${path}: ${brief}`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
