/**
 * `store` as users call it. Its entries are compared with the output of
 * `compile`, and its keys with that of a configuration that Podman wrote.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { decodeBase64 } from "../../../bpf/base64.ts";
import { formatSection } from "../../../hook/format_section.ts";
import { openStore } from "../../../hook/store/store.ts";
import { parseProfile } from "../../../profile/formats/parse.ts";
import { checkCertificate } from "../../../verify/certificate/check.ts";
import { isLittleEndian, readSides } from "../../checkers/sides.ts";
import { needs, sharedFile } from "../../machine.ts";
import {
  call,
  createFolder,
  type Folder,
  type Outcome,
  SMALL_PROFILE,
} from "../harness.ts";

const test = needs("shared");

const NAMES = ["--names", "builtin"] as const;
const NOTIFY =
  '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mknod"],"action":"SCMP_ACT_NOTIFY"}]}';

/** One entry of `store ls -o json`. */
interface Listed {
  readonly key: string;
  readonly current: boolean;
  readonly instructions: number;
  readonly sectionLength: number;
}

/** `store ls -o json`. */
interface Listing {
  readonly schemaVersion: number;
  readonly entries: readonly Listed[];
  readonly problems: readonly { readonly name: string }[];
}

/** Runs `store` with a store in a folder. */
function store(folder: Folder, ...words: string[]): Promise<Outcome> {
  return call(["store", ...words, ...NAMES, "-q", "--store", storeOf(folder)]);
}

function storeOf(folder: Folder): string {
  return join(folder.path, "store");
}

async function list(folder: Folder): Promise<Listing> {
  const { code, out, err } = await store(folder, "ls", "-o", "json");
  assertEquals([code, err], [0, ""]);
  // The documented output of the command.
  return JSON.parse(out) as Listing;
}

async function ok(args: readonly string[]): Promise<string> {
  const { code, out, err } = await call(args);
  assertEquals([code, err], [0, ""], args.join(" "));
  return out;
}

Deno.test("store prime keeps what compile makes, and ls and show report it", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const first = await store(folder, "prime", profile);
  assertEquals([first.code, first.err], [0, ""]);
  assertMatch(
    first.out,
    /^[0-9a-f]{64} {2}\d+ instructions, proved and stored: /,
  );
  const again = await store(folder, "prime", profile);
  assertMatch(again.out, /, already there: /);

  const { schemaVersion, entries, problems } = await list(folder);
  assertEquals([schemaVersion, entries.length, problems], [1, 1, []]);
  const [entry] = entries;
  assert(entry !== undefined);
  assert(entry.current);
  assertEquals(entry.key, first.out.slice(0, 64));
  const text = await store(folder, "ls");
  assertEquals(text.out.split("\n").length, 3);
  assertMatch(
    text.out,
    new RegExp(`^${entry.key.slice(0, 16)} +current `, "m"),
  );

  const compiled = await ok([
    "compile",
    "-q",
    ...NAMES,
    profile,
    "-f",
    "base64",
  ]);
  const shown = await store(
    folder,
    "show",
    entry.key.slice(0, 6),
    "-o",
    "json",
  );
  assertEquals(shown.code, 0, shown.err);
  const { filter, section } = JSON.parse(shown.out);
  assertEquals(filter, compiled.trim());
  assertEquals(JSON.parse(section), JSON.parse(SMALL_PROFILE));
  assertEquals(section.length, entry.sectionLength);
  const digest = (await ok(["digest", "-q", ...NAMES, profile])).slice(0, 68);
  assertEquals(JSON.parse(shown.out).digest, digest);
  const disassembled = await store(folder, "show", entry.key);
  const assembly = await ok(["compile", "-q", ...NAMES, profile, "-f", "asm"]);
  assert(disassembled.out.endsWith(`\n\n${assembly}`), disassembled.out);
  assertMatch(disassembled.out, new RegExp(`^digest +${digest}$`, "m"));
});

test("store prime keeps a profile under the text that Podman writes", async () => {
  const data = sharedFile("profiles/");
  const profile = new URL("podman-default-debian12.json", data).pathname;
  const config = new URL("podman-4.3.1-precreate-stdin.config.json", data);
  const bounding: readonly string[] = JSON.parse(
    await Deno.readTextFile(config),
  ).process.capabilities.bounding;
  await using folder = await createFolder();
  const words = ["--caps", bounding.join(","), "--kernel", "6.1", profile];
  const primed = await store(folder, "prime", ...words);
  assertEquals([primed.code, primed.err], [0, ""]);
  const found = await store(folder, "prime", config.pathname);
  assertMatch(found.out, /, already there: /);
  assertEquals(found.out.slice(0, 64), primed.out.slice(0, 64));
});

Deno.test("formatSection() writes as Go does", () => {
  // By hand from specs-go/config.go and the rules of encoding/json.
  const text = '{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":0,' +
    '"architectures":["SCMP_ARCH_X86_64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],' +
    '"listenerPath":"/a\\u0026b","listenerMetadata":"\\u003cé\\u003e","syscalls":[' +
    '{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[' +
    '{"index":0,"value":18446744073709551615,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"},' +
    '{"index":1,"value":0,"op":"SCMP_CMP_EQ"}]},' +
    '{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":0}]}';
  const { section } = parseProfile(text, { kind: "oci" });
  assert(section !== undefined);
  assertEquals(formatSection(section), text);
  const bare = parseProfile(
    '{"syscalls":[],"flags":[],"defaultAction":"SCMP_ACT_ALLOW"}',
  );
  assert(bare.section !== undefined);
  assertEquals(
    formatSection(bare.section),
    '{"defaultAction":"SCMP_ACT_ALLOW"}',
  );
});

Deno.test("store gc removes stale and doubtful entries and keeps the rest", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const other = await folder.write(
    "q.json",
    SMALL_PROFILE.replace('"read",', ""),
  );
  for (const semantics of ["crun", "runc"]) {
    await store(folder, "prime", "--semantics", semantics, profile);
  }
  const good = (await list(folder)).entries.map(({ key }) => key);
  assertEquals(good.length, 2);

  const opened = await openStore(storeOf(folder));
  assert(opened !== undefined);
  const entry = (await opened.list()).find((item) =>
    item.entry?.key === good[0]
  )
    ?.entry;
  assert(entry !== undefined);
  const stale = { ...entry, key: "5".repeat(64), environment: "0".repeat(16) };
  await opened.put(stale);
  const primed = await store(folder, "prime", other);
  const key = primed.out.slice(0, 64);
  const file = (await opened.list()).find((item) => item.entry?.key === key)
    ?.name ?? "";
  await Deno.writeTextFile(join(storeOf(folder), file), " ", { append: true });

  const before = await list(folder);
  assertEquals(before.problems.map(({ name }) => name), [file]);
  assertEquals(
    before.entries.filter(({ current }) => !current).map((e) => e.key),
    [stale.key],
  );
  assertMatch((await store(folder, "ls")).out, /^[0-9a-f.]+ +doubtful /m);
  const shown = await store(folder, "show", file);
  assertEquals([shown.code, shown.out], [5, ""]);
  assertMatch(shown.err, /store gc/);

  const removed = await store(folder, "gc");
  assertEquals(removed.code, 0, removed.err);
  assertEquals(removed.out.match(/^removed /gm)?.length, 2);
  assert(removed.out.includes(file) && removed.out.includes(stale.environment));
  const after = await list(folder);
  assertEquals(after.entries.map((e) => e.key), good);
  assertEquals(after.problems, []);
  assertEquals((await store(folder, "gc")).out, "Nothing to remove\n");
});

needs("libseccomp", "x86_64")(
  "store prime tries a section again that was left to its runtime, and ls and show report it",
  async () => {
    await using folder = await createFolder();
    const profile = await folder.write("p.json", SMALL_PROFILE);
    await store(folder, "prime", profile);
    const opened = await openStore(storeOf(folder));
    const [item] = await opened?.list() ?? [];
    assert(opened !== undefined && item?.entry !== undefined);
    const left = "deadline: the time limit has passed";
    await opened.put({ ...item.entry, bytes: new Uint8Array(), left });
    assertMatch(
      (await store(folder, "ls")).out,
      /^[0-9a-f]{16} +left +- +deadline: the time limit/m,
    );
    const shown = await store(folder, "show", item.entry.key.slice(0, 8));
    assertMatch(shown.out, /^left +deadline: the time limit/m);
    const again = await store(folder, "prime", profile);
    assertMatch(again.out, /proved and stored/);
    assertMatch((await store(folder, "ls")).out, /^[0-9a-f]{16} +current /m);
    const text = await store(folder, "prime", "--reference", "text", profile);
    assertEquals([text.code, text.err], [0, ""]);
  },
);

Deno.test("store reports what is wrong, with an exit code", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const filter = await folder.write("f.hex", "06000000 0000ff7f\n");
  const notify = await folder.write("n.json", NOTIFY);
  const empty = await store(folder, "ls", "-o", "json");
  assertEquals([empty.code, JSON.parse(empty.out).entries], [0, []]);
  assertEquals((await store(folder, "gc")).code, 0, "no store yet");
  const cases: readonly (readonly [number, RegExp, ...string[]])[] = [
    [2, /Missing argument: ACTION; use one of ls, show, gc, prime/],
    [2, /Cannot read ACTION "fill": not one of ls/, "fill"],
    [2, /0 keys/, "show"],
    [2, /beginning of a key/, "show", "xyz"],
    [2, /takes no argument; omit "more"/, "gc", "more"],
    [2, /takes no argument; omit "more"/, "ls", "more"],
    [2, /no profile/, "prime"],
    [2, /omit -o json/, "gc", "-o", "json"],
    [2, /omit one/, "ls", "--user"],
    [1, /Cannot find a stored filter with key "abcd"/, "show", "abcd"],
    [3, /give the profile/, "prime", filter],
    [
      3,
      /none\.json[^]*give the profile/,
      "prime",
      join(folder.path, "none.json"),
      filter,
    ],
    [3, /Cannot read/, "prime", join(folder.path, "none.json")],
    [3, /Cannot read settings/, "ls", "--settings", join(folder.path, "none")],
    [4, /SCMP_ACT_NOTIFY without listenerPath/, "prime", notify],
  ];
  for (const [code, message, ...words] of cases) {
    const outcome = await store(folder, ...words);
    assertEquals([outcome.code, outcome.out], [code, ""], words.join(" "));
    assertMatch(outcome.err, message, words.join(" "));
  }
  await store(folder, "prime", profile);
  await Deno.chmod(storeOf(folder), 0o770);
  for (const words of [["ls"], ["gc"], ["prime", profile]]) {
    const { code, out, err } = await store(folder, ...words);
    assertEquals([code, out], [5, ""], words.join(" "));
    assertMatch(err, /others may write to it/);
  }
  const below = await call(["store", "ls", "--store", `${profile}/store`]);
  assertEquals(below.code, 5, below.err);
});

Deno.test("store prime --certificate keeps what the checkers accept, gc removes it with its filter", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("profile.json", SMALL_PROFILE);
  const primed = await store(folder, "prime", "--certificate", profile);
  assertEquals([primed.code, primed.err], [0, ""]);
  const key = primed.out.slice(0, 64);
  const shown = await store(folder, "show", key, "-o", "json");
  const { certificate, filter } = JSON.parse(shown.out);
  assertEquals(certificate, join(storeOf(folder), `${key}.cert`));
  const text = await Deno.readTextFile(certificate);
  const one = { text, programs: [decodeBase64(filter)] };
  const sides = readSides(one);
  assert(sides !== undefined);
  const littleEndian = isLittleEndian(one);
  assertEquals(await checkCertificate(text, sides, { littleEndian }), "equal");
  assertMatch((await store(folder, "show", key)).out, /\ncertificate +\//);
  assertEquals((await list(folder)).problems, []);

  assertEquals((await store(folder, "gc")).out.includes(".cert"), false);
  await Deno.writeTextFile(join(storeOf(folder), `${"0".repeat(64)}.cert`), "");
  assertMatch((await store(folder, "gc")).out, /0{64}\.cert/);
  assert((await Deno.stat(certificate)).isFile);
  const wrong = await store(folder, "ls", "--certificate");
  assertEquals(wrong.code, 2);
});
