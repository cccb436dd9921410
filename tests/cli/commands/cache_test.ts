/**
 * Tests of `cache`: its output, its refusals, and that `--watch` keeps running.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { call, MAIN } from "../harness.ts";

const NAME = "ab".repeat(32);

async function createRoot(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  await Deno.mkdir(join(path, ".cache/seccomp"), { recursive: true });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** An entry as crun makes it: a list of 60 numbers. */
async function addEntry(root: string, name: string): Promise<void> {
  const tests = Array.from({ length: 60 }, (_, i) => `jeq #${i}, yes\n`).join(
    "",
  );
  const text =
    `ld [4]\njeq #0xc000003e, on, no\non: ld [0]\n${tests}no: ret #0x50026\nyes: ret #0x7fff0000\n`;
  const source = join(root, "source.s");
  await Deno.writeTextFile(source, text);
  const path = join(root, ".cache/seccomp", name);
  const { code, err } = await call(["asm", source, "-f", "raw", "-O", path]);
  assertEquals(code, 0, err);
  await Deno.chmod(path, 0o700);
}

Deno.test("cache optimize, status and restore report their actions", async () => {
  await using root = await createRoot();
  await addEntry(root.path, NAME);
  const at = ["--root", root.path];
  const dry = await call(["cache", "optimize", "--dry-run", ...at]);
  assertMatch(dry.out, /: abababababababab: would be replaced: 65 → \d+ instr/);
  const done = await call(["cache", "optimize", ...at]);
  assertEquals([done.code, done.err], [0, ""]);
  assertMatch(done.out, /: replaced: 65 → \d+ instructions, proved equal\n$/);
  const again = await call(["cache", "optimize", ...at]);
  assertEquals([again.code, again.out], [0, ""]);
  const status = await call(["cache", "status", ...at]);
  assertEquals(status.code, 0);
  assertMatch(status.out, /^1 entry: 1 tree, 0 libseccomp\n/);
  assertMatch(status.out, / tree +\d+ +65 +0 {2}proved equal\n$/);
  const json = JSON.parse(
    (await call(["cache", "status", "-o", "json", ...at])).out,
  );
  assertEquals(json.schemaVersion, 1);
  assertEquals(json.caches[0].entries[0].state, "tree");
  const back = await call(["cache", "restore", ...at]);
  assertMatch(back.out, /: restored: 65 instructions\n$/);
});

Deno.test("cache status ends with 1 if a tree differs from crun's own filter", async () => {
  await using root = await createRoot();
  await addEntry(root.path, NAME);
  await call(["cache", "optimize", "--root", root.path]);
  const path = join(root.path, ".cache/seccomp", NAME);
  const bytes = await Deno.readFile(path);
  // Another errno in the first return value found.
  const at = bytes.findIndex((byte, i) => byte === 0x26 && i % 8 === 4);
  bytes[at] = 1;
  await Deno.writeFile(path, bytes);
  const { code, out } = await call(["cache", "status", "--root", root.path]);
  assertEquals(code, 1);
  assertMatch(out, /DIFFERENT from crun's own filter/);
});

Deno.test("cache names the wrong word or folder", async () => {
  await using root = await createRoot();
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /Missing argument: ACTION; use one of optimize/],
    [["optimise"], 2, /Cannot read ACTION "optimise"/],
    [["status", "x"], 2, /takes no argument; leave "x" out/],
    [["status", "--dry-run"], 2, /changes nothing/],
    [["restore", "--watch"], 2, /applies to cache optimize/],
    [["status", "--root", join(root.path, "no")], 0, /no cache of crun in/],
  ];
  for (const [words, expected, message] of cases) {
    const { code, err } = await call(["cache", ...words]);
    assertEquals(code, expected, words.join(" "));
    assertMatch(err, message);
  }
  await Deno.chmod(join(root.path, ".cache/seccomp"), 0o777);
  const open = await call(["cache", "optimize", "--root", root.path]);
  assertEquals(open.code, 5);
  assertMatch(open.err, /others may write to it/);
});

Deno.test("cache optimize --watch treats entries that come later", async () => {
  await using root = await createRoot();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      MAIN,
      "cache",
      "optimize",
      "--watch",
      "--root",
      root.path,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    await addEntry(root.path, NAME);
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await lines.read();
    assert(value?.includes("replaced: 65 →"), value);
    await lines.cancel();
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
});
