import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseText } from "../../../bpf/text.ts";
import { resolveProfile } from "../../../pipeline/resolve_profile.ts";
import { parseDocument } from "../../../statements/parse_document.ts";
import { proveStatements } from "../../../statements/prove_statements.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

const SMALL_TEXT = `\
ALLOW on x86_64
  read, write
  socket if domain == AF_UNIX
ERRNO(EPERM) on x86_64
  everything else
KILL_THREAD
  on x32, every other architecture
    everything else
  on x86_64
    0x80000000..0xfffffffe
# x86_64: the kernel caches 2 of 2 calls that are always allowed
`;

Deno.test("explain states a profile in names, loosest action first", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { code, out, err } = await call(["explain", ...FIXED, profile]);
  assertEquals([code, err], [0, ""]);
  assertEquals(out, SMALL_TEXT);
});

Deno.test("explain in any order means what the profile means", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { policy } = resolveProfile(SMALL_PROFILE, { arch: "x86_64" });
  for (const by of ["action", "call", "arch"]) {
    const { out } = await call(["explain", ...FIXED, "--by", by, profile]);
    const back = parseDocument(out, undefined);
    assertEquals(proveStatements(policy, back), "equal", `${by}\n${out}`);
  }
});

Deno.test("explain --only, --short and --all", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const explain = async (...args: readonly string[]): Promise<string> =>
    (await call(["explain", ...FIXED, profile, ...args])).out;
  const only = await explain("--only", "errno");
  assert(only.startsWith("ERRNO(EPERM) on x86_64\n"), only);
  assert(!only.includes("ALLOW"), only);
  assert(only.includes("# only errno\n"), only);
  const socket = await explain("--only", "socket");
  assert(!socket.includes("read"), socket);
  const short = await explain("--short");
  assert(short.includes("  socket (conditions), 2 calls\n"), short);
  assert(short.includes("omit --short"), short);
  const all = await explain("--all");
  assertMatch(all, /# everything else on x86_64, ERRNO\(EPERM\): _sysctl,/);
});

Deno.test("explain -o json has the same statements", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { out } = await call(["explain", ...FIXED, profile, "-o", "json"]);
  const report = JSON.parse(out);
  assertEquals([report.schemaVersion, report.complete], [1, true]);
  assertEquals(report.statements.slice(0, 2), [
    {
      action: "ALLOW",
      value: 0x7fff_0000,
      arches: ["x86_64"],
      calls: ["read", "write"],
      condition: null,
    },
    {
      action: "ALLOW",
      value: 0x7fff_0000,
      arches: ["x86_64"],
      calls: ["socket"],
      condition: "domain == AF_UNIX",
    },
  ]);
  assertEquals(report.cache, [
    { arch: "x86_64", allowed: 2, cached: 2, uncached: [] },
  ]);
});

Deno.test("explain of a denied call: rules, nearest input, entry to add", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { code, out } = await call(
    ["explain", ...FIXED, profile, "socket", "AF_INET"],
  );
  assertEquals(code, 0);
  const column = SMALL_PROFILE.indexOf('{"names":["socket"]') + 1;
  const place = `${profile}:1:${column}`;
  assertEquals(
    out,
    [
      `ERRNO(EPERM) on x86_64: no rule matches (defaultAction, ${profile}:1:18)`,
      "  call      socket(domain=AF_INET, type=0, protocol=0), number 41",
      `  lost      syscalls[1] (${place}): ALLOW if domain == AF_UNIX: domain is AF_INET`,
      `  nearest   domain = AF_UNIX (1) is allowed by syscalls[1] (${place})`,
      "  kernel    not cached: the filter runs, 6 instructions for these arguments",
      '  to allow  {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}',
      "  proved    it allows exactly this on x86_64",
      "",
    ].join("\n").replace(
      /\d+ instructions/,
      /\d+ instructions/.exec(out)?.[0] ?? "",
    ),
  );
});

Deno.test("explain of a call without arguments lists all answers and rules", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { out } = await call(["explain", ...FIXED, profile, "socket"]);
  assert(out.startsWith("socket on x86_64: the arguments decide\n"), out);
  assert(out.includes("  ALLOW if domain == AF_UNIX\n"), out);
  assert(out.includes("  ERRNO(EPERM) if domain != AF_UNIX\n"), out);
  const allowed = await call(["explain", ...FIXED, profile, "read"]);
  assertMatch(allowed.out, /^ALLOW on x86_64: syscalls\[0\] \(.*:1:\d+\)\n/);
  assertMatch(allowed.out, /cached: the filter never runs/);
});

Deno.test("explain of rules that deny takes the call from their names", async () => {
  await using folder = await createFolder();
  const profile = await folder.write(
    "p.json",
    `{"defaultAction":"SCMP_ACT_KILL","syscalls":[
  {"names":["read","clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`,
  );
  const { out } = await call(
    ["explain", ...FIXED, profile, "clone3", "0", "88", "-o", "json"],
  );
  const { allow, rule, verdict } = JSON.parse(out);
  assertEquals([verdict, rule.rule, rule.place], [
    "ERRNO(ENOSYS)",
    "syscalls[0]",
    `${profile}:2:3`,
  ]);
  assertEquals(
    [allow.found, allow.exact, allow.removeFrom, allow.add.length],
    [true, true, ["syscalls[0]"], 3],
  );
});

Deno.test("explain reports what else a change allows", async () => {
  await using folder = await createFolder();
  const profile = await folder.write(
    "p.json",
    '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}',
  );
  const { out } = await call([
    ...["explain", "-q", "--arch", "x86_64,x86", profile],
    ...["socket", "AF_VSOCK"],
  ]);
  assertMatch(out, /proved +it allows more than this: socketcall\(/);
});

Deno.test("explain of a bare filter names the instructions that decide", async () => {
  await using folder = await createFolder();
  const filter = await folder.write(
    "f.s",
    "ld [4]\njeq #0xc000003e, ok\nret #0\nok: ld [0]\njeq #10, c, no\nc: ld [32]\njset #4, no, yes\nyes: ret #0x7fff0000\nno: ret #0x50001\n",
  );
  const { out } = await call(
    ["explain", "-q", filter, "mprotect", "0", "1", "PROT_READ|PROT_EXEC"],
  );
  assertEquals(out.split("\n").slice(0, 7), [
    "ERRNO(EPERM) on x86_64: instruction 8 decides, ret #0x00050001",
    "  call      mprotect(addr=0, len=1, prot=PROT_READ|PROT_EXEC), number 10",
    "  test      1: jeq #0xc000003e on arch: yes, to 3",
    "  test      4: jeq #0xa on nr: yes, to 5",
    "  test      6: jset #0x4 on args[2], low half: yes, to 8",
    "  nearest   prot = PROT_READ (1) is allowed",
    "  kernel    not cached: the filter runs, 7 instructions for these arguments",
  ]);
});

Deno.test("explain exits with 4 if a filter has no exact statements", async () => {
  await using folder = await createFolder();
  const text =
    "ld [16]\ntax\nld [24]\njeq x, yes\nret #0x50001\nyes: ret #0x7fff0000\n";
  assertEquals(parseText(text).length, 6);
  const filter = await folder.write("f.s", text);
  const whole = await call(["explain", "-q", filter]);
  assertEquals([whole.code, whole.out], [4, ""]);
  assertMatch(whole.err, /Cannot explain .* completely: the condition on/);
  const one = await call(["explain", "-q", filter, "read", "1", "1"]);
  assertEquals(one.code, 0);
  assertMatch(one.out, /^ALLOW on x86_64: instruction 5 decides/);
});

Deno.test("explain reports a filter without a test of the architecture", async () => {
  await using folder = await createFolder();
  const filter = await folder.write(
    "f.s",
    "ld [0]\njeq #59, no\nret #0x7fff0000\nno: ret #0x50001\n",
  );
  const { out } = await call(["explain", ...FIXED, filter]);
  assertEquals(
    out,
    "ALLOW on every architecture\n  everything else\nERRNO(EPERM) on every architecture\n  execve\n# the filter does not test the architecture; names are those of x86_64\n",
  );
});
