import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { call, createFolder, FIXED } from "../harness.ts";
import { prepare } from "../sources.ts";

Deno.test("combine writes a profile that is the stack of both", async () => {
  await using folder = await createFolder();
  const { profile, looser, tighter } = await prepare(folder);
  const out = join(folder.path, "both.json");
  const made = await call([
    "combine",
    ...FIXED,
    "--intersect",
    looser,
    tighter,
    "-O",
    out,
  ]);
  assertEquals([made.code, made.out, made.err], [0, "", ""]);
  const equal = await call(["prove", ...FIXED, out, tighter]);
  assertEquals(equal.code, 0, equal.out);
  const union = await call([
    "combine",
    ...FIXED,
    "--union",
    profile,
    tighter,
    "-f",
    "raw",
    "-O",
    `${out}.bpf`,
  ]);
  assertEquals(union.code, 0, union.err);
  const same = await call(["prove", ...FIXED, profile, `${out}.bpf`]);
  assertEquals(same.code, 0, same.out);
});

Deno.test("combine --allow adds one call, as diff shows", async () => {
  await using folder = await createFolder();
  const { profile, looser } = await prepare(folder);
  const { out, code } = await call([
    "combine",
    ...FIXED,
    "--allow",
    "ptrace",
    profile,
  ]);
  assertEquals(code, 0);
  const made = await folder.write("made.json", out);
  const { code: equal } = await call(["prove", ...FIXED, made, looser]);
  assertEquals(equal, 0);
  const report = await call([
    "combine",
    ...FIXED,
    "--errno",
    "ENOSYS:openat:flags ∋ O_CREAT",
    profile,
    "-o",
    "json",
  ]);
  const json = JSON.parse(report.out);
  assertEquals([json.state, json.equalUnder.length], ["combined", 6]);
  assertMatch(json.digest, /^st1:/);
  assertEquals(JSON.parse(json.profile).defaultAction, "SCMP_ACT_ERRNO");
});

Deno.test("combine reports the part that no profile expresses, and writes the filter", async () => {
  await using folder = await createFolder();
  const narrow = await folder.write(
    "narrow.json",
    '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["open"],"action":"SCMP_ACT_ALLOW"}]}',
  );
  const wide = await folder.write(
    "wide.json",
    '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}',
  );
  const native = ["-q", "--kernel", "6.1"];
  const words = ["combine", ...native, "--union", narrow, wide];
  const result = await call(words);
  assertEquals([result.code, result.out], [1, ""]);
  assertEquals(
    result.err,
    "error: No profile has this meaning: open on x86: an entry has one meaning for all architectures, and these differ\n" +
      "  call    open(0, O_RDONLY, 0), number 5 on x86\n" +
      "  wanted  ERRNO(EPERM)\n" +
      "  profile ALLOW\n" +
      "  instead -f annotation or -f raw writes a filter that has it; --arch limits the architectures\n",
  );
  const filter = await call([...words, "-f", "annotation"]);
  assertEquals(filter.code, 0, filter.err);
  assert(JSON.parse(filter.out)["run.oci.seccomp_bpf_data"].length > 100);
  const json = JSON.parse((await call([...words, "-o", "json"])).out);
  assertEquals([json.state, json.part], ["unsaid", "open on x86"]);
  assertEquals(json.witness.wanted.verdict, "ERRNO(EPERM)");
});

Deno.test("minimize writes the smallest equal profile", async () => {
  await using folder = await createFolder();
  const source = await folder.write(
    "long.json",
    `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[
      {"names":["write"],"action":"SCMP_ACT_ALLOW"},
      {"names":["read"],"action":"SCMP_ACT_ALLOW"},
      {"names":["mkdir"],"action":"SCMP_ACT_ERRNO"},
      {"names":["socketcall","vm86"],"action":"SCMP_ACT_ALLOW"},
      {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},
      {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_LT"}]}]}`,
  );
  const made = await call(["minimize", ...FIXED, source]);
  assertEquals(made.code, 0, made.err);
  const { syscalls } = JSON.parse(made.out);
  assertEquals(
    syscalls.map(({ names }: { names: string[] }) => names),
    [["read", "write"], ["socket"]],
  );
  const small = await folder.write("small.json", made.out);
  const { code } = await call(["prove", ...FIXED, source, small]);
  assertEquals(code, 0);
  const ordered = await call(["minimize", ...FIXED, "--keep-order", source]);
  assertEquals(JSON.parse(ordered.out).syscalls[0].names, ["write", "read"]);
});

Deno.test("minimize keeps a profile that is shorter than the normal form", async () => {
  await using folder = await createFolder();
  const eq = (value: number): unknown => ({
    index: 0,
    value,
    op: "SCMP_CMP_EQ",
  });
  // The runtimes read the comparisons of an entry as alternatives.
  const syscalls = [
    { names: ["write", "read"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [eq(1), eq(10), eq(17)],
      comment: "usual",
    },
  ];
  const profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls,
  };
  const text = JSON.stringify(profile);
  const source = await folder.write("short.json", text);
  const made = await call(["minimize", ...FIXED, source]);
  assertEquals([made.code, made.out], [0, text], made.err);
  const config = await folder.write(
    "config.json",
    JSON.stringify({ ociVersion: "1.0.2", linux: { seccomp: profile } }),
  );
  const section = await call(["minimize", ...FIXED, config]);
  assertEquals(JSON.parse(section.out), profile, section.err);
  const yaml = await folder.write(
    "crd.yaml",
    "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\n" +
      "kind: SeccompProfile\nmetadata: { name: a }\n" +
      `spec: ${JSON.stringify({ ...profile, syscalls: syscalls.slice(1) })}\n`,
  );
  const spec = await call(["minimize", ...FIXED, yaml]);
  assertEquals(JSON.parse(spec.out).syscalls[0].args.length, 3, spec.err);
  const json = await call(["minimize", ...FIXED, "-o", "json", source]);
  const { entries, isOriginal, state } = JSON.parse(json.out);
  assertEquals([entries, isOriginal, state], [2, true, "combined"]);
  // The same with more entries than the normal form needs.
  const long = await folder.write(
    "long.json",
    JSON.stringify({
      ...profile,
      syscalls: [
        ...["read", "write", "close"].map((name) => ({
          names: [name],
          action: "SCMP_ACT_ALLOW",
        })),
        syscalls[1],
      ],
    }),
  );
  const { out, err } = await call(["minimize", ...FIXED, long]);
  const names = JSON.parse(out).syscalls.map((one: { names: string[] }) =>
    one.names.join()
  );
  assertEquals(names, ["close,read,write", "socket", "socket"], err);
});

Deno.test("combine refuses what it cannot combine", async () => {
  await using folder = await createFolder();
  const { profile } = await prepare(folder);
  const cases: readonly (readonly [string[], RegExp, number])[] = [
    [[profile], /Missing operation/, 2],
    [["--union", profile], /Missing argument: B/, 2],
    [["--union", "--minus", profile, profile], /--union with --minus/, 2],
    [["--allow", "opnat", profile], /did you mean openat/, 2],
    [["--errno", "clone3", profile], /write ERRNO:CALL/, 2],
    [["--errno", "EWRONG:clone3", profile], /EWRONG/, 2],
    [["--allow", "socket:domian == 1", profile], /did you mean domain/, 2],
    [["--intersect", profile, "nofile"], /nofile/, 3],
  ];
  for (const [words, message, code] of cases) {
    const result = await call(["combine", ...FIXED, ...words]);
    assertEquals([result.code, result.out], [code, ""], words.join(" "));
    assertMatch(result.err, message);
  }
});
