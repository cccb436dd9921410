import { assertEquals } from "@std/assert";
import { basename, dirname, fromFileUrl, join } from "@std/path";
import fc from "fast-check";
import { posix } from "node:path";
import { pathToFileURL } from "node:url";

const paths = fc.array(fc.constantFrom("/", "a", "b.c", ".", "..", ".d", " é"))
  .map((parts) => parts.join(""));

Deno.test("the stand-in for @std/path does what node:path does", () => {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const shown = JSON.stringify([a, b]);
      assertEquals(join(a, b), posix.join(a, b), `join ${shown}`);
      assertEquals(
        basename(a),
        posix.basename(a) || rootOf(a),
        `base ${shown}`,
      );
      // Repeated slashes in front of the last part are one here.
      if (a.includes("//")) return;
      assertEquals(dirname(a), posix.dirname(a), `folder ${shown}`);
    }),
    { numRuns: 2000, seed: 20261125 },
  );
  assertEquals(basename("/a/b.ts", ".ts"), "b");
  assertEquals(fromFileUrl(pathToFileURL("/a b/ü%.ts")), "/a b/ü%.ts");
});

/** `@std/path` calls the root "/", node:path calls it "". */
function rootOf(path: string): string {
  return path.startsWith("/") ? "/" : "";
}
