/**
 * `rewrite` as users call it: it inserts the filter that `compile` writes.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { call, createFolder, type Folder, SMALL_PROFILE } from "../harness.ts";

const KEY = "run.oci.seccomp_bpf_data";
const NAMES = ["--names", "builtin"] as const;
const NOTIFY =
  '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mknod"],"action":"SCMP_ACT_NOTIFY"}]}';

/** Makes a bundle; nothing but the configuration is in it. */
async function bundle(folder: Folder, config: string): Promise<string> {
  const path = join(folder.path, crypto.randomUUID());
  await Deno.mkdir(path, { mode: 0o700 });
  await Deno.writeTextFile(join(path, "config.json"), config, { mode: 0o600 });
  return path;
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name);
}

async function ok(args: readonly string[]): Promise<string> {
  const { code, out, err } = await call(args);
  assertEquals([code, err], [0, ""], args.join(" "));
  return out;
}

Deno.test("rewrite adds exactly what compile -f annotation writes", async () => {
  await using folder = await createFolder();
  const config =
    `{ "process": {"rlimits": [18446744073709551615]},\n "linux": {"seccomp": ${SMALL_PROFILE}} }`;
  const path = await bundle(folder, config);
  const file = join(path, "config.json");
  const annotation: Readonly<Record<string, string>> = JSON.parse(
    await ok(["compile", "-q", ...NAMES, file, "-f", "annotation"]),
  );
  const store = join(folder.path, "store");
  const words = ["rewrite", "-q", ...NAMES, "--store", store, path];
  assertMatch(await ok(words), /^added \d+ instructions, .*\(compiler\), key /);
  const text = await Deno.readTextFile(file);
  assertEquals(JSON.parse(text).annotations, annotation);
  assert(text.includes("[18446744073709551615]"));
  const { annotations: _, ...rest } = JSON.parse(text);
  assertEquals(rest, JSON.parse(config));
  assertMatch(await ok(words), /^unchanged: the annotation already exists/);
  assertEquals(await Deno.readTextFile(file), text);
  const kept = await ok(["store", "ls", "--store", store, "-o", "json"]);
  assertEquals(JSON.parse(kept).entries.length, 1);

  const second = await bundle(folder, config);
  const from = await ok([...words.slice(0, -1), second]);
  assertMatch(from, /\(store\)/);
  assertEquals(await Deno.readTextFile(join(second, "config.json")), text);
});

Deno.test("rewrite finds what store prime kept of the same configuration", async () => {
  await using folder = await createFolder();
  // Spaces that no container manager writes are part of the key as well.
  const section = JSON.stringify(JSON.parse(SMALL_PROFILE), null, 3);
  const path = await bundle(folder, `{"linux": {"seccomp": ${section} } }`);
  const flags = ["-q", ...NAMES, "--store", join(folder.path, "store")];
  await ok(["store", "prime", ...flags, `bundle:${path}`]);
  assertMatch(await ok(["rewrite", ...flags, path]), /\(store\)/);
});

Deno.test("rewrite reports all problems of a configuration with their places", async () => {
  await using folder = await createFolder();
  const path = await bundle(
    folder,
    `{"linux":\n{"seccomp":{"defaultAction":"NO",\n"syscalls":[{"names":5}]}}}`,
  );
  const words = ["rewrite", ...NAMES, "--store", "none"];
  const { code, err } = await call([...words, path]);
  assertEquals(code, 3);
  const places = err.trimEnd().split("\n").map((line) =>
    line.split(": ").slice(0, 3).join(": ").replace(`${path}/`, "")
  );
  assertEquals(places.toSorted(), [
    "config.json:2:29: error: linux.seccomp.defaultAction",
    "config.json:3:13: error: linux.seccomp.syscalls[0].action",
    "config.json:3:22: error: linux.seccomp.syscalls[0].names",
  ]);
  const file = await call([...words, join(path, "config.json")]);
  assertEquals(file.code, 3);
  assertMatch(
    file.err,
    /it is not a directory; give the one with config\.json/,
  );
});

Deno.test("rewrite leaves a bundle unchanged if it must, with an exit code for the reason", async () => {
  await using folder = await createFolder();
  // BPF_RET | BPF_K, SECCOMP_RET_ALLOW.
  const allow = "BgAAAAAA/38=";
  const foreign =
    `{"annotations":{"${KEY}":"${allow}"},"linux":{"seccomp":${SMALL_PROFILE}}}`;
  const cases: readonly (readonly [number, RegExp, string])[] = [
    [0, /unchanged: .* no linux\.seccomp/, '{"linux":{}}'],
    [1, /annotation/, foreign],
    [3, /linux\.seccomp/, '{"linux":{"seccomp":{"defaultAction":"NO"}}}'],
    [3, /config\.json:1:2: error: Expected a key/, "{"],
    [4, /without listenerPath/, `{"linux":{"seccomp":${NOTIFY}}}`],
  ];
  for (const [code, message, config] of cases) {
    const path = await bundle(folder, config);
    const outcome = await call(["rewrite", ...NAMES, "--store", "none", path]);
    assertEquals(outcome.code, code, outcome.err);
    assertMatch(outcome.out + outcome.err, message);
    if (code !== 0) assertEquals(outcome.out, "");
    const text = await Deno.readTextFile(join(path, "config.json"));
    assertEquals(text, config);
    assertEquals(namesIn(path), ["config.json"]);
  }
  const none = await call([
    "rewrite",
    "--store",
    "none",
    join(folder.path, "none"),
  ]);
  assertEquals([none.code, none.out], [3, ""]);
  assertEquals((await call(["rewrite"])).code, 2);
});

Deno.test("a rewritten bundle is compiled by its section and proved against it", async () => {
  await using folder = await createFolder();
  const path = await bundle(
    folder,
    `{"annotations": {}, "linux": {"seccomp": ${SMALL_PROFILE}}}`,
  );
  const word = `bundle:${path}`;
  const before = await ok(["compile", "-q", word]);
  // The host's names, which both rewrite and prove use.
  await ok(["rewrite", "-q", "--store", "none", path]);
  assertEquals(await ok(["compile", "-q", word]), before);
  assertEquals(await ok(["compile", "-q", word, "--from", "config"]), before);
  const refused = await call(["compile", "-q", word, "--from", "annotation"]);
  assertEquals([refused.code, refused.out], [3, ""]);
  assertMatch(refused.err, /Cannot compile a filter \(annotation\)/);
  assertMatch(await ok(["prove", "-q", word]), /^equal: /);

  // One bit of the annotation: allowed for errno.
  const file = join(path, "config.json");
  const text = await Deno.readTextFile(file);
  const { annotations } = JSON.parse(text);
  const bytes = Uint8Array.fromBase64(annotations[KEY]);
  const wrong = bytes.map((byte, i) => i % 8 === 6 && byte === 0x05 ? 3 : byte);
  await Deno.writeTextFile(
    file,
    text.replace(annotations[KEY], wrong.toBase64()),
  );
  const different = await call(["prove", "-q", word]);
  assertEquals(different.code, 1, different.err);
  const lines = different.out.split("\n");
  assertMatch(
    lines[2] ?? "",
    /^ {2}A {5}TRAP\(1\), .* {2}bundle:.* \(annotation\)$/,
  );
  assertMatch(
    lines[3] ?? "",
    /^ {2}B {5}ERRNO\(EPERM\), .* {2}bundle:.* \(linux\.seccomp\)$/,
  );
  const sees = lines.filter((line) => line.startsWith("  see "))
    .map((line) => line.replace(/^ {2}see {3}seccomp-tree /, "").split(" "));
  const answers = await Promise.all(
    sees.map((words) => call([...words, "-q"])),
  );
  assertEquals(answers.map(({ out }) => out.split("\n")[0]), [
    "TRAP(1)",
    "ERRNO(EPERM)",
  ]);

  const plain = await bundle(
    folder,
    `{"linux": {"seccomp": ${SMALL_PROFILE}}}`,
  );
  const none = await call(["prove", "-q", `bundle:${plain}`]);
  assertEquals([none.code, none.out], [3, ""]);
  assertMatch(
    none.err,
    /Cannot find the annotation run\.oci\.seccomp_bpf_data/,
  );
  const alone = await call(["prove", "-q", file]);
  assertEquals([alone.code, alone.out], [2, ""]);
  assertMatch(alone.err, /Missing argument: B/);
});
