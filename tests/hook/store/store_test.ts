import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { encode } from "../../../bpf/encode.ts";
import type { Entry } from "../../../hook/store/entry.ts";
import { digestFields } from "../../../hook/store/digest.ts";
import { RefusedError } from "../../../hook/error.ts";
import { openStore, type Store } from "../../../hook/store/store.ts";
import { has, needs } from "../../machine.ts";
import { namesIn } from "../shared.ts";

const test = needs("mounts");

const KILL = encode([{ op: "ret.k", jt: 0, jf: 0, k: 0 }]);

const STORE_MODULE = new URL(
  "../../../hook/store/store.ts",
  import.meta.url,
).href;

async function entryOf(
  section: string,
  environment = "0123456789abcdef",
): Promise<Entry> {
  const key = await digestFields(["test", section, environment]);
  return { key, environment, about: "test", bytes: KILL, section };
}

async function namesAndInodes(
  directory: string,
): Promise<ReadonlyMap<string, number | null>> {
  const found = new Map<string, number | null>();
  for (const name of await namesIn(directory)) {
    found.set(name, (await Deno.lstat(join(directory, name))).ino);
  }
  return found;
}

async function withStore(
  work: (store: Store, directory: string) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "seccomp-tree-store-" });
  try {
    const store = await openStore(join(parent, "s"), { create: true });
    assert(store !== undefined);
    await work(store, store.directory);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("openStore() makes a folder that only its owner can enter", async () => {
  await withStore(async (_store, directory) => {
    const { mode } = await Deno.lstat(directory);
    assertEquals((mode ?? 0) & 0o7777, 0o700);
    assertEquals(await openStore(join(directory, "missing")), undefined);
    const deep = join(directory, "missing/deep");
    assertEquals(await openStore(deep, { create: true }), undefined);
  });
});

Deno.test("openStore() refuses folders that others could change", async () => {
  await withStore(async (_store, directory) => {
    const refused = async (path: string, seen: string): Promise<void> => {
      const error = await assertRejects(() => openStore(path), RefusedError);
      assertEquals(error.code, "doubtful-store", path);
      assert(error.message.includes(seen), error.message);
    };
    for (const mode of [0o720, 0o702, 0o777, 0o1777]) {
      await Deno.chmod(directory, mode);
      await refused(directory, "others may write");
    }
    await Deno.chmod(directory, 0o700);
    const inner = join(directory, "inner");
    await Deno.mkdir(inner, { mode: 0o700 });
    await Deno.chmod(directory, 0o770);
    await refused(inner, "others may write");
    // In a sticky folder, no other user can replace what is ours.
    await Deno.chmod(directory, 0o1777);
    assert(await openStore(inner) !== undefined);
    await Deno.chmod(directory, 0o700);
    if (has("root", "folders of other users")) {
      await Deno.chown(inner, 1234, 1234);
      await refused(inner, "user 1234");
    }
    await Deno.symlink(directory, join(directory, "link"));
    await refused(join(directory, "link"), "symbolic link");
    await Deno.writeTextFile(join(directory, "file"), "");
    await refused(join(directory, "file"), "not a directory");
  });
  for (const path of ["store", "/a/../b", "/a//b", "/a/./b", ""]) {
    const error = await assertRejects(() => openStore(path), RefusedError);
    assertEquals(error.code, "bad-settings", path);
  }
});

Deno.test("Store.lookup() returns what was stored", async () => {
  await withStore(async (store, directory) => {
    for (
      const section of ["{}", '{"a":\n"é\\u0001"}\n', "x\nend\n", "\nend\n"]
    ) {
      const entry = await entryOf(section);
      assertEquals(
        await store.lookup(entry.environment, entry.section),
        undefined,
      );
      assertEquals((await store.put(entry)).kind, "stored");
      const before = await namesAndInodes(directory);
      assertEquals((await store.put(entry)).kind, "stored", "a second writer");
      const after = await namesAndInodes(directory);
      assertEquals([...after.keys()], [...before.keys()]);
      const [changed] = [...after].filter(([name, ino]) =>
        before.get(name) !== ino
      );
      assert(changed !== undefined, "replaced as a whole, not written over");
      assertEquals(await store.lookup(entry.environment, entry.section), entry);
    }
    for await (const { name } of Deno.readDir(directory)) {
      const { mode } = await Deno.lstat(join(directory, name));
      assertEquals((mode ?? 0) & 0o7777, 0o600, name);
    }
  });
});

Deno.test("Store.lookup() puts an entry aside that was changed in any byte, cut, or made writable", async () => {
  await withStore(async (store, directory) => {
    const entry = await entryOf('{"defaultAction":"SCMP_ACT_KILL"}');
    const result = await store.put(entry);
    assert(result.kind === "stored");
    const path = join(directory, result.name);
    const bytes = await Deno.readFile(path);
    const refused = async (what: string): Promise<void> => {
      const found = await store.lookup(entry.environment, entry.section);
      assertEquals(found, undefined, what);
      assertEquals(await namesIn(directory), [`${result.name}.bad`], what);
      const name = `${result.name}.bad`;
      const problem = "it was damaged, and made again";
      assertEquals(await store.list(), [{ name, problem }], what);
      await Deno.rename(`${path}.bad`, path);
    };
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      await Deno.writeFile(path, changed);
      await refused(`byte ${i}`);
    }
    for (const length of [0, 1, bytes.length - 1]) {
      await Deno.writeFile(path, bytes.slice(0, length));
      await refused(`${length} bytes`);
    }
    await Deno.writeFile(path, bytes);
    assertEquals(await store.lookup(entry.environment, entry.section), entry);
    await Deno.chmod(path, 0o620);
    await refused("group may write");
    await Deno.chmod(path, 0o600);
    if (has("root", "entries of other users")) {
      await Deno.chown(path, 1234, 0);
      await refused("another owner");
      await Deno.chown(path, 0, 0);
    }
    // A whole entry under the name of another section.
    const other = await store.put(await entryOf("{}"));
    assert(other.kind === "stored");
    await Deno.copyFile(join(directory, other.name), path);
    assertEquals(
      await store.lookup(entry.environment, entry.section),
      undefined,
    );
  });
});

Deno.test("Store.lookup() does not return a filter that the kernel would refuse", async () => {
  await withStore(async (store) => {
    const entry = await entryOf("{}");
    const bytes = new Uint8Array([0x20, 0, 0, 0, 0, 0, 0, 0]);
    await store.put({ ...entry, bytes });
    assertEquals(
      await store.lookup(entry.environment, entry.section),
      undefined,
    );
  });
});

Deno.test("Store.gc() removes only old entries and leftovers of dead writers", async () => {
  await withStore(async (store, directory) => {
    const keep = await entryOf("{1}");
    const old = await entryOf("{2}", "ffffffffffffffff");
    const bad = await entryOf("{3}");
    await store.put(keep);
    const oldName = await store.put(old);
    const badName = await store.put(bad);
    assert(oldName.kind === "stored" && badName.kind === "stored");
    await Deno.writeTextFile(join(directory, badName.name), "bad");
    const fresh = `.seccomp-tree.${crypto.randomUUID()}.tmp`;
    const stale = `.seccomp-tree.${crypto.randomUUID()}.tmp`;
    for (const name of [fresh, stale, ".bashrc", "shadow"]) {
      await Deno.writeTextFile(join(directory, name), "half");
      if (name !== fresh) await Deno.utime(join(directory, name), 0, 0);
    }
    const problems = (await store.list()).filter((item) => item.problem);
    assertEquals(
      problems.map((item) => item.name).sort(),
      [".bashrc", badName.name, fresh, "shadow", stale].sort(),
    );
    const names = await namesIn(directory);
    const removed = await store.gc(new Set([keep.environment]));
    assertEquals(
      [...removed].sort(),
      [stale, oldName.name, badName.name].sort(),
    );
    assertEquals(
      new Set(await namesIn(directory)),
      new Set(names).difference(new Set(removed)),
    );
    assertEquals(await store.lookup(keep.environment, keep.section), keep);
    assertEquals(await Deno.readTextFile(join(directory, "shadow")), "half");
  });
});

needs("setpriv")(
  "Store.list() names an entry that cannot be read, and gc() removes it",
  async () => {
    await withStore(async (store, directory) => {
      const [good, bad] = [await entryOf("{1}"), await entryOf("{2}")];
      await store.put(good);
      const put = await store.put(bad);
      assert(put.kind === "stored");
      await Deno.chmod(join(directory, put.name), 0);
      const program = `
      import { openStore } from ${JSON.stringify(STORE_MODULE)};
      const store = await openStore(Deno.args[0]);
      const items = (await store.list()).map((item) => item.problem ?? item.entry.key);
      const removed = await store.gc(new Set(["${bad.environment}"]));
      console.log(JSON.stringify({ items, removed }));
    `;
      const file = join(directory, "../program.ts");
      await Deno.writeTextFile(file, program);
      // Root reads everything unless it gives that up.
      const lower = Deno.uid() === 0
        ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        : ["env"];
      const { stdout, stderr } = await new Deno.Command(lower[0] ?? "", {
        args: [
          ...lower.slice(1),
          ...[Deno.execPath(), "run", "-A", "--no-config", "--no-lock", file],
          directory,
        ],
      }).output();
      const text = new TextDecoder();
      assertEquals(text.decode(stderr), "");
      const { items, removed } = JSON.parse(text.decode(stdout));
      assertEquals(items.length, 2);
      assert(items.includes(good.key), items);
      assert(items.some((item: string) => item.includes("denied")), items);
      assertEquals(removed, [put.name]);
    });
  },
);

test("Store.put() on a full disk stores nothing and reports it", async () => {
  const parent = await Deno.makeTempDir({ prefix: "seccomp-tree-full-" });
  // A file system of 16 KiB, private to the child.
  const program = `
    import { openStore } from ${JSON.stringify(STORE_MODULE)};
    const store = await openStore(Deno.args[0], { create: true });
    const section = "x".repeat(100_000);
    const key = "0".repeat(64), environment = "0".repeat(16);
    const bytes = new Uint8Array([6, 0, 0, 0, 0, 0, 0, 0]);
    const result = await store.put({ key, environment, about: "", bytes, section });
    const names = [...Deno.readDirSync(Deno.args[0])].map((e) => e.name);
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify([result, names, await store.lookup(environment, section) ?? null])));
  `;
  const file = join(parent, "full.ts");
  await Deno.writeTextFile(file, program);
  await Deno.mkdir(join(parent, "disk"));
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      ...["--mount", "--propagation", "private", "sh", "-c"],
      'mount -t tmpfs -o size=16k,mode=700 tmpfs "$1" && exec "$2" run -A --no-config --no-lock "$3" "$1/s"',
      ...["sh", join(parent, "disk"), Deno.execPath(), file],
    ],
  }).output();
  const text = new TextDecoder();
  const [result, names, found] = JSON.parse(
    text.decode(stdout) || `["${text.decode(stderr)}"]`,
  );
  assertEquals(result.kind, "not-stored", JSON.stringify(result));
  assertEquals(names, []);
  assertEquals(found, null);
  await Deno.remove(parent, { recursive: true });
});
