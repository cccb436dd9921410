import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readBundle, rewriteBundle } from "../../hook/bundle.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { openLog } from "../../hook/log.ts";
import type { RewriteContext } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { absence, has, PATIENCE_S } from "../machine.ts";
import { namesIn, smallConfig } from "./shared.ts";

function context(): Promise<RewriteContext> {
  return gatherContext(
    { ...DEFAULTS, store: undefined, names: "builtin" },
    startDeadline(1000 * PATIENCE_S),
    openLog("stderr"),
  );
}

async function withBundle(
  work: (bundle: string, config: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-bundle-" });
  try {
    const bundle = join(directory, "bundle");
    await Deno.mkdir(bundle);
    const config = join(bundle, "config.json");
    await Deno.writeTextFile(config, smallConfig());
    await work(bundle, config);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("rewriteBundle() keeps mode and owner, and replaces the file at once", async () => {
  await withBundle(async (bundle, config) => {
    await Deno.chmod(config, 0o640);
    const gid = absence("root") === undefined ? 1234 : Deno.gid() ?? 0;
    await Deno.chown(config, null, gid);
    const { ino } = await Deno.lstat(config);
    const rewrite = await rewriteBundle(bundle, await context());
    assertEquals(rewrite.kind, "added");
    assertEquals(await Deno.readTextFile(config), rewrite.text);
    const info = await Deno.lstat(config);
    assertEquals((info.mode ?? 0) & 0o7777, 0o640);
    assertEquals([info.uid, info.gid], [Deno.uid(), gid]);
    assert(info.ino !== ino, "a reader of the old file has the whole old file");
    assertEquals(await namesIn(bundle), ["config.json"]);
    // Nothing to do the second time, so nothing is written.
    const again = await rewriteBundle(bundle, await context());
    assertEquals(again.kind, "unchanged");
    assertEquals((await Deno.lstat(config)).ino, info.ino);
  });
});

Deno.test("rewriteBundle() follows a link to a bundle, but none out of it", async () => {
  await withBundle(async (bundle, config) => {
    const link = join(bundle, "../link");
    await Deno.symlink(bundle, link);
    assertEquals((await rewriteBundle(link, await context())).kind, "added");
    const outside = join(bundle, "../outside");
    await Deno.writeTextFile(outside, smallConfig());
    await Deno.remove(config);
    await Deno.symlink("../outside", config);
    const error = await assertRejects(
      async () => await rewriteBundle(bundle, await context()),
      RefusedError,
    );
    assertEquals(error.code, "bad-bundle");
    assertEquals(await Deno.readTextFile(outside), smallConfig());
    assert((await Deno.lstat(config)).isSymlink);
  });
});

Deno.test("readBundle() refuses what others could change, and names that lead elsewhere", async () => {
  await withBundle(async (bundle, config) => {
    const refused = async (name?: string): Promise<void> => {
      await assertRejects(() => readBundle(bundle, name), RefusedError);
    };
    for (const name of ["", ".", "..", "a/b", "/etc/passwd", "missing"]) {
      await refused(name);
    }
    await Deno.chmod(config, 0o622);
    await refused();
    await Deno.chmod(config, 0o600);
    if (has("root", "bundles of other users")) {
      await Deno.chown(config, 1234, 0);
      await refused();
      await Deno.chown(config, 0, 0);
    }
    await Deno.chmod(bundle, 0o777);
    await refused();
    await Deno.chmod(bundle, 0o755);
    assertEquals((await readBundle(bundle)).text, smallConfig());
    await Deno.remove(config);
    await Deno.mkdir(config);
    await refused();
  });
});

Deno.test("rewriteBundle() that refuses leaves the bundle as it was", async () => {
  await withBundle(async (bundle, config) => {
    const text = smallConfig({
      head: '"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},',
    });
    await Deno.writeTextFile(config, text);
    const { ino } = await Deno.lstat(config);
    await assertRejects(
      async () => await rewriteBundle(bundle, await context()),
      RefusedError,
    );
    assertEquals(await Deno.readTextFile(config), text);
    assertEquals((await Deno.lstat(config)).ino, ino);
    assertEquals(await namesIn(bundle), ["config.json"]);
  });
});
