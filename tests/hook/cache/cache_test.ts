/**
 * Tests of crun's cache as files: the files that are replaced, those that are
 * kept, and the remains of a process that dies. Real crun is in
 * tests/containers/cache_test.ts.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parseFilters } from "../../../bpf/text.ts";
import { encode } from "../../../bpf/encode.ts";
import { decodeFilter } from "../../../bpf/filter.ts";
import {
  type CrunCache,
  listEntries,
  openCache,
} from "../../../hook/cache/cache.ts";
import {
  optimizeCache,
  restoreCache,
} from "../../../hook/cache/optimize_cache.ts";
import { optimizeCaches } from "../../../hook/cache/run.ts";
import { RefusedError } from "../../../hook/error.ts";
import { proveEquivalent } from "../../../verify/equivalence.ts";
import { needs } from "../../machine.ts";

/** Older than an entry that may be about to change. */
const AN_HOUR_AGO = new Date(Date.now() - 3_600_000);

interface Setup extends AsyncDisposable {
  readonly root: string;
  readonly cache: CrunCache;
  /** Path of an entry. */
  path(name: string): string;
}

/** An allow-list as libseccomp writes it: comparisons in sequence. */
function list(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const tests = numbers.map((nr) => `jeq #${nr}, yes`).join("\n");
  const text =
    `ld [4]\njeq #0xc000003e, native, no\nnative: ld [0]\n${tests}\nno: ret #0x50001\nyes: ret #0x7fff0000\n`;
  const [program] = parseFilters(text).programs;
  assert(program !== undefined);
  return encode(program, { littleEndian: true });
}

const LONG = list(Array.from({ length: 120 }, (_, i) => 2 * i));
const NAME = "0123456789abcdef".repeat(4);
const OTHER = "fedcba9876543210".repeat(4);

async function createSetup(
  entries: Readonly<Record<string, Uint8Array>> = { [NAME]: LONG },
): Promise<Setup> {
  const root = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  const folder = join(root, ".cache/seccomp");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of Object.entries(entries)) {
    await Deno.writeFile(join(folder, name), bytes, { mode: 0o700 });
    await Deno.utime(join(folder, name), AN_HOUR_AGO, AN_HOUR_AGO);
  }
  const cache = await openCache(root);
  assert(cache !== undefined);
  return {
    root,
    cache,
    path: (name) => join(folder, name),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Everything in a folder, by path: content, mode and number of links. */
async function snapshot(root: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory) await visit(path);
      else {
        const { mode, nlink, ino } = await Deno.lstat(path);
        const content = (await Deno.readFile(path)).toHex();
        all[path.slice(root.length)] = `${mode} ${nlink} ${ino} ${content}`;
      }
    }
  };
  await visit(root);
  return all;
}

Deno.test("optimizeCache() replaces an entry, and containers that run keep their file", async () => {
  await using setup = await createSetup();
  const running = join(setup.root, "seccomp.bpf");
  await Deno.link(setup.path(NAME), running);
  const [change, ...more] = await optimizeCache(setup.cache);
  assertEquals(more, []);
  assertEquals(change?.kind, "replaced");
  assertEquals(change?.before, LONG.length / 8);
  const bytes = await Deno.readFile(setup.path(NAME));
  assertEquals(bytes.length / 8, change?.after);
  assert(bytes.length < LONG.length / 2);
  const proof = proveEquivalent(decodeFilter(LONG), decodeFilter(bytes));
  assertEquals(proof.kind, "equal");
  assertEquals(await Deno.readFile(running), LONG);
  const { mode, uid } = await Deno.lstat(setup.path(NAME));
  assertEquals((mode ?? 0) & 0o7777, 0o1700, "crun evicts no sticky entry");
  assertEquals(uid, Deno.uid());
  const [entry] = await listEntries(setup.cache);
  assertEquals([entry?.state, entry?.containers], ["tree", 0]);
});

Deno.test("optimizeCache() does nothing the second time", async () => {
  const short = list([1]);
  await using setup = await createSetup({ [NAME]: LONG, [OTHER]: short });
  const first = await optimizeCache(setup.cache);
  assertEquals(first.map(({ kind }) => kind), ["replaced", "left"]);
  const before = await snapshot(setup.root);
  const second = await optimizeCache(setup.cache);
  assertEquals(second.map(({ kind }) => kind), ["left"]);
  assertEquals(second[0]?.detail, first[1]?.detail);
  assertEquals(await snapshot(setup.root), before);
});

Deno.test("restoreCache() brings back the very files that crun made", async () => {
  await using setup = await createSetup({ [NAME]: LONG, [OTHER]: list([1]) });
  const before = await snapshot(setup.root);
  await optimizeCache(setup.cache);
  const changes = await restoreCache(setup.cache);
  assertEquals(changes.map(({ kind }) => kind), ["restored"]);
  assertEquals(await snapshot(setup.root), before);
  assertEquals(await restoreCache(setup.cache), []);
});

Deno.test("a dry run of either changes nothing", async () => {
  await using setup = await createSetup();
  const before = await snapshot(setup.root);
  const planned = await optimizeCache(setup.cache, { dryRun: true });
  assertEquals(await snapshot(setup.root), before);
  assertEquals(await optimizeCache(setup.cache), planned);
  const between = await snapshot(setup.root);
  const [restored] = await restoreCache(setup.cache, { dryRun: true });
  assertEquals([restored?.kind, restored?.after], [
    "restored",
    LONG.length / 8,
  ]);
  assertEquals(await snapshot(setup.root), between);
});

Deno.test("an entry that crun made anew is replaced again, against its own bytes", async () => {
  await using setup = await createSetup();
  await optimizeCache(setup.cache);
  const other = list(Array.from({ length: 90 }, (_, i) => i));
  await Deno.remove(setup.path(NAME));
  await Deno.writeFile(setup.path(NAME), other, { mode: 0o700 });
  const [entry] = await listEntries(setup.cache);
  assertEquals(entry?.state, "libseccomp");
  const [change] = await optimizeCache(setup.cache);
  assertEquals(change?.kind, "replaced", change?.detail);
  const bytes = await Deno.readFile(setup.path(NAME));
  const proof = proveEquivalent(decodeFilter(other), decodeFilter(bytes));
  assertEquals(proof.kind, "equal");
  await restoreCache(setup.cache);
  assertEquals(await Deno.readFile(setup.path(NAME)), other);
});

Deno.test("optimizeCaches() replaces what crun writes while it runs", async () => {
  await using setup = await createSetup();
  let lines = 0;
  const status = await optimizeCaches({
    write: () => {
      if (lines++ > 0) return;
      Deno.writeFileSync(setup.path(OTHER), LONG, { mode: 0o700 });
      Deno.utimeSync(setup.path(OTHER), AN_HOUR_AGO, AN_HOUR_AGO);
    },
  }, [setup.root]);
  assertEquals(status, 0);
  const entries = await listEntries(setup.cache);
  assertEquals(entries.map(({ state }) => state), ["tree", "tree"]);
  assertEquals(lines, 2);
});

Deno.test("entries that are not filters, or that others could have put there, are left", async () => {
  const names = ["1", "2", "3", "4"].map((digit) => digit.repeat(64));
  const [half = "", refused = "", open = "", link = ""] = names;
  await using setup = await createSetup({
    [half]: LONG.subarray(0, 13),
    [refused]: LONG.subarray(0, 16),
    [open]: LONG,
    "not-an-entry": LONG,
  });
  await Deno.chmod(setup.path(open), 0o722);
  await Deno.symlink(setup.path("not-an-entry"), setup.path(link));
  const before = await snapshot(setup.root);
  const changes = await optimizeCache(setup.cache);
  assertEquals(
    changes.map(({ name, kind }) => [name, kind]),
    names.map((name) => [name, "left"]),
  );
  const details = changes.map(({ detail }) => detail).join("\n");
  assert(/others may write to it/.test(details), details);
  assert(/symbolic link/.test(details), details);
  const entries = await listEntries(setup.cache);
  assert(entries.every(({ state }) => state === "doubtful"));
  const after = await snapshot(setup.root);
  assertEquals(
    Object.entries(after).filter(([path]) => !path.includes("seccomp-tree")),
    Object.entries(before),
  );
});

Deno.test("a cache in a folder that others can change is refused", async () => {
  await using setup = await createSetup();
  await Deno.chmod(join(setup.root, ".cache/seccomp"), 0o777);
  const error = await assertRejects(() => openCache(setup.root), RefusedError);
  assertEquals(error.code, "doubtful-store");
});

needs("root")(
  "a cache of another user is refused, by root as well",
  async () => {
    await using setup = await createSetup();
    await Deno.chown(join(setup.root, ".cache/seccomp"), 65534, 65534);
    await assertRejects(
      () => openCache(setup.root),
      RefusedError,
      "belongs to user 65534",
    );
  },
);

Deno.test("a folder without a cache yields undefined", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  assertEquals(await openCache(folder), undefined);
  assertEquals(await openCache(join(folder, "missing")), undefined);
  await Deno.remove(folder);
});

Deno.test("at most 256 unused trees are kept", async () => {
  const count = 259;
  const names = Array.from(
    { length: count },
    (_, i) => i.toString(16).padStart(64, "0"),
  );
  await using setup = await createSetup(
    Object.fromEntries(
      names.map((name) => [name, list([1, 3, 5, 7, 9, 11, 13])]),
    ),
  );
  const changes = await optimizeCache(setup.cache);
  const removed = changes.filter(({ kind }) => kind === "removed");
  assertEquals(removed.length, count - 256);
  assertEquals((await listEntries(setup.cache)).length, 256);
  assertEquals(
    (await snapshot(setup.root))[`/.cache/seccomp-tree/${removed[0]?.name}`],
    undefined,
  );
  assertEquals((await restoreCache(setup.cache)).length, 256);
});

Deno.test("kill -9 at any moment leaves each entry as it was or proved equal", async () => {
  await using setup = await createSetup(
    Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [
        i.toString(16).padStart(64, "0"),
        list(Array.from({ length: 60 + i }, (_, j) => 2 * j + i)),
      ]),
    ),
  );
  const originals = await snapshot(setup.root);
  const module = new URL("../../../cli/main.ts", import.meta.url).pathname;
  let killed = 0;
  for (let i = 0; i < 20; i++) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", module, "cache", "optimize", "--root", setup.root],
      stdout: "null",
      stderr: "null",
    }).spawn();
    await new Promise((resolve) => setTimeout(resolve, 60 + 25 * i));
    try {
      child.kill("SIGKILL");
    } catch {
      // It was faster.
    }
    if (!(await child.status).success) killed++;
    for (const entry of await listEntries(setup.cache)) {
      assert(entry.filter !== undefined, entry.detail);
      if (entry.original === undefined) continue;
      const proof = proveEquivalent(entry.original, entry.filter);
      assertEquals(proof.kind, "equal");
    }
    if (i % 3 === 2) await restoreCache(setup.cache);
  }
  assert(killed > 0);
  await optimizeCache(setup.cache);
  await restoreCache(setup.cache);
  assertEquals(await snapshot(setup.root), originals);
});
