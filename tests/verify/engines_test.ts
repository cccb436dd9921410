import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../machine.ts";
import { bundleForBrowsers } from "./engines/bundle.ts";
import { digests } from "./engines/digests.ts";

needs("node")("digestOf() returns the same in Node as in Deno", async () => {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-node-" });
  try {
    const file = join(directory, "digests.mjs");
    await Deno.writeTextFile(
      file,
      `${await bundleForBrowsers()}\nconsole.log(await digests());\n`,
    );
    const { code, stdout, stderr } = await new Deno.Command("node", {
      args: [file],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const lines = await digests();
    assert(
      lines.split("\n").every((line) =>
        /"st1(?:-bits)?:[0-9a-f]{64}"/.test(line)
      ),
    );
    assertEquals(new TextDecoder().decode(stdout), `${lines}\n`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
