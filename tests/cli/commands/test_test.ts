import { assert, assertEquals, assertMatch } from "@std/assert";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

/** Cases about `SMALL_PROFILE` that are true. */
const TRUE: readonly string[] = [
  "allow read",
  "allow read, write",
  "allow socket AF_UNIX",
  "allow socket AF_UNIX * 0",
  "allow socket domain == AF_UNIX on x86_64",
  "deny socket AF_INET",
  "deny socket if domain ∉ {AF_UNIX}",
  "deny socket domain not in {1}",
  "errno EPERM socket domain > 1",
  "errno 1 mount",
  "errno mount",
  "kill x32:read",
  "kill-thread x32:0x40000001",
  "cached read",
  "uncached socket",
  "subset-of BASE",
  "same-as BASE except ptrace",
];

/** Cases that are false, each with a part of the reason. */
const FALSE: readonly (readonly [string, RegExp])[] = [
  ["deny read", /read\(.*\) gets ALLOW|read.* gets ALLOW by syscalls\[0\]/],
  ["allow socket", /socket\(AF_UNSPEC.* gets ERRNO\(EPERM\)/],
  ["allow socket domain <= AF_INET", /gets ERRNO\(EPERM\)/],
  ["errno ENOSYS mount", /mount\(.* gets ERRNO\(EPERM\)/],
  ["allow read fd < 0", /the condition is never true/],
  ["uncached read", /the kernel caches read on x86_64/],
  ["cached socket", /the kernel does not cache socket on x86_64/],
  ["kill mount", /gets ERRNO\(EPERM\)/],
  ["subset-of STRICT", /looser than the base: write/],
  ["same-as BASE", /they differ: ptrace/],
];

async function prepare(
  folder: Awaited<ReturnType<typeof createFolder>>,
): Promise<
  (
    cases: readonly string[],
    ...more: readonly string[]
  ) => ReturnType<typeof call>
> {
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const base = await folder.write(
    "base.json",
    SMALL_PROFILE.replace('"read",', '"read","ptrace",'),
  );
  const strict = await folder.write(
    "strict.json",
    SMALL_PROFILE.replace(',"write"', ""),
  );
  return async (cases, ...more) => {
    const text = cases.map((line) =>
      line.replace("BASE", base).replace("STRICT", strict)
    ).join("\n");
    const file = await folder.write("cases.txt", text);
    return await call(["test", ...FIXED, profile, file, ...more]);
  };
}

Deno.test("test passes what is true for all arguments", async () => {
  await using folder = await createFolder();
  const test = await prepare(folder);
  const { code, out, err } = await test(["# comment", "", ...TRUE]);
  assertEquals([code, err], [0, ""], out);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, TRUE.length + 1);
  assertEquals(lines.at(-1), `${TRUE.length} passed, for all arguments`);
});

Deno.test("test fails what is false, with a call", async () => {
  await using folder = await createFolder();
  const test = await prepare(folder);
  for (const [line, reason] of FALSE) {
    const { code, out } = await test([line]);
    assertEquals(code, 1, `${line}\n${out}`);
    assertMatch(out, /^FAIL {2}/, line);
    assertMatch(out, reason, line);
  }
});

Deno.test("test refuses cases that cannot be read, all at once", async () => {
  await using folder = await createFolder();
  const test = await prepare(folder);
  const { code, out, err } = await test([
    "alow read",
    "allow",
    "errno EPREM read",
    "allow read fd ==",
    "allow read AF_UNIX",
    "allow raed",
    "allow read count == 1 on vax",
  ]);
  assertEquals([code, out], [3, ""]);
  const lines = err.trimEnd().split("\n").map((line) =>
    line.replace(/^.*cases\.txt:/, "")
  );
  assertEquals(lines.slice(0, 4), [
    '1:1: error: Cannot read case "alow": did you mean allow',
    "2:6: error: Cannot read case: allow of nothing; write a call after it",
    '3:7: error: Cannot read case: unknown error "EPREM"; write a name such as EPERM',
    "4:17: error: Cannot read the condition: the end instead of a name or a number",
  ]);
  const late = await test([
    "allow raed",
    "allow read AF_UNIX",
    "allow read on vax",
  ]);
  assertEquals(late.code, 3);
  assertEquals(late.err.trimEnd().split("\n").length, 3);
  assertMatch(
    late.err,
    /cases\.txt:1: error: Cannot find call "raed".*did you mean read/,
  );
  const nothing = await test(["# nothing"]);
  assertEquals(nothing.code, 3);
  assertMatch(nothing.err, /the file has no case/);
});

Deno.test("test reads JSON and writes TAP, JUnit's XML and JSON", async () => {
  await using folder = await createFolder();
  const test = await prepare(folder);
  const cases = [
    '["allow read", {"case": "allow socket", "name": "a <b> & c"}]',
  ];
  const tap = await test(cases, "-o", "tap");
  assertEquals(tap.code, 1);
  assertMatch(
    tap.out,
    /^TAP version 13\n1\.\.2\nok 1 - allow read\nnot ok 2 - a <b> & c\n# .*cases\[1\]: /,
  );
  const junit = await test(cases, "-o", "junit");
  assertMatch(
    junit.out,
    /<testsuite name="[^"]*p\.json" tests="2" failures="1" errors="0">/,
  );
  assertMatch(junit.out, /<testcase name="a &#60;b&#62; &#38; c"/);
  const json = JSON.parse((await test(cases, "-o", "json")).out);
  assertEquals([json.schemaVersion, json.state], [1, "failed"]);
  assertEquals(
    json.cases.map((one: { readonly state: string }) => one.state),
    ["pass", "fail"],
  );
  assertEquals(json.cases[1].witness.syscall, "socket");
  const wrong = await test(['[{"name": "x"}]']);
  assertEquals(wrong.code, 3);
  assertMatch(wrong.err, /cases\[0\]: write a text/);
});

Deno.test("test --coverage lists the rules that no case decides", async () => {
  await using folder = await createFolder();
  const test = await prepare(folder);
  const some = await test(["allow read", "deny socket AF_INET"], "--coverage");
  assertMatch(some.out, /coverage: 1 of 3 rules are decided by a case\n/);
  assertMatch(some.out, / {2}syscalls\[0\] \(.*:1:\d+\): write\n/);
  assertMatch(some.out, / {2}syscalls\[1\] \(.*:1:\d+\): socket\n/);
  const all = await test(["allow read, write", "allow socket 1"], "--coverage");
  assertMatch(all.out, /coverage: 3 of 3 rules are decided by a case\n$/);
  const filter = await folder.write("f.s", "ret #0x7fff0000\n");
  const cases = await folder.write("c.txt", "allow read\n");
  const bare = await call(["test", ...FIXED, filter, cases, "--coverage"]);
  assertEquals(bare.code, 2);
});

Deno.test("test skips architectures whose call has other arguments", async () => {
  await using folder = await createFolder();
  const profile = await folder.write(
    "p.json",
    '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["mmap"],"action":"SCMP_ACT_ALLOW"}]}',
  );
  const cases = await folder.write(
    "c.txt",
    "allow mmap prot ⊆ PROT_READ\nallow mmap prot == 1 on x86\n",
  );
  const both = ["-q", "--arch", "x86_64,x86", profile, cases];
  const { code, err } = await call(["test", ...both]);
  assertEquals(code, 3);
  assertMatch(err, /c\.txt:2: error: .*mmap has no argument "prot"/);
  await folder.write("c.txt", "allow mmap prot ⊆ PROT_READ\n");
  const first = await call(["test", ...both]);
  assertEquals(first.code, 0);
  assert(first.out.includes("(not on x86)"), first.out);
});
