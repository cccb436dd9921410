/**
 * The cache of real crun (1.21, of Debian 13): the live filters of containers
 * and their execs after `cache optimize`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { decode } from "../../bpf/encode.ts";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { listEntries, openCache } from "../../hook/cache/cache.ts";
import {
  optimizeCache,
  restoreCache,
} from "../../hook/cache/optimize_cache.ts";
import { ask } from "../../host/command.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { needs, pathOf } from "../machine.ts";
import { ociConfig, writeJson } from "./config.ts";
import { makeDebianRoot } from "../../tools/debian_root.ts";
import { dockerDefault } from "./docker_default.ts";

/** Command of the containers until they are killed. */
const SLEEP = ["/bin/busybox", "sleep", "600"];

needs("x86_64", "dump", "busybox", "debian-mirror")(
  "crun 1.14 and later runs containers and execs under trees out of its cache",
  async (t) => {
    const root = await makeDebianRoot("trixie", ["crun"]);
    assert(typeof root !== "string", String(root));
    await using _ = root;
    const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
    const state = join(folder, "state");
    await createBundle(folder);
    const { words } = root.runtime("crun");
    // A detached container would keep a pipe open: its output goes to a file.
    const crun = async (...args: readonly string[]): Promise<void> => {
      const said = join(folder, "said");
      const { code } = await ask(
        [
          ...["env", `SHARED=${folder}`, "sh", "-c"],
          ...['exec "$@" >"$0" 2>&1', said],
          ...[...words, "--root", state, ...args],
        ],
        { limitMs: 60_000 },
      );
      const text = await Deno.readTextFile(said);
      assertEquals(code, 0, `${args.join(" ")}: ${text}`);
    };
    const start = async (id: string): Promise<number> => {
      const file = join(folder, id);
      await crun("run", "--detach", "--pid-file", file, "-b", folder, id);
      return Number(await Deno.readTextFile(file));
    };
    const exec = async (id: string): Promise<number> => {
      const file = join(folder, `${id}-exec`);
      await crun("exec", "--detach", "--pid-file", file, id, ...SLEEP);
      return Number(await Deno.readTextFile(file));
    };
    const live = (pid: number): Uint8Array<ArrayBuffer> => {
      const [bytes, ...more] = dumpFilters(pid);
      assert(bytes !== undefined && more.length === 0);
      return bytes;
    };

    try {
      const first = live(await start("first"));
      const cache = await openCache(state);
      assert(cache !== undefined, "crun keeps a cache");
      const [change] = await optimizeCache(cache);
      assertEquals(change?.kind, "replaced", change?.detail);
      assert((change?.after ?? 0) < (change?.before ?? 0) / 3);

      await t.step("the next container and its execs", async () => {
        const second = live(await start("second"));
        assertEquals(second.length / 8, change?.after);
        const proof = proveEquivalent(decode(first), decode(second));
        assertEquals(proof.kind, "equal");
        assertEquals(live(await exec("second")), second);
        const [entry] = await listEntries(cache);
        assertEquals([entry?.state, entry?.containers], ["tree", 1]);
      });
      await t.step("those that ran before keep what they had", async () => {
        assertEquals(live(await exec("first")), first);
      });
      await t.step("after it was restored", async () => {
        await restoreCache(cache);
        assertEquals(live(await start("third")), first);
      });
    } finally {
      for (const id of ["first", "second", "third"]) {
        await crun("delete", "--force", id).catch(() => {});
      }
      await Deno.remove(folder, { recursive: true });
    }
  },
);

async function createBundle(folder: string): Promise<void> {
  const rootfs = join(folder, "rootfs");
  for (const name of ["bin", "proc", "dev"]) {
    await Deno.mkdir(join(rootfs, name), { recursive: true });
  }
  await Deno.copyFile(pathOf("busybox") ?? "", join(rootfs, "bin/busybox"));
  const config = ociConfig({ args: SLEEP, seccomp: dockerDefault() });
  await Deno.writeTextFile(join(folder, "config.json"), writeJson(config));
}
