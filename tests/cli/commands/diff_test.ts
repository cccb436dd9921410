import { assert, assertEquals, assertMatch } from "@std/assert";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";
import { prepare } from "../sources.ts";

Deno.test("diff lists what became looser, tighter and changed", async () => {
  await using folder = await createFolder();
  const { profile, looser, tighter, filter } = await prepare(folder);
  const loose = await call(["diff", ...FIXED, profile, looser]);
  assertEquals(loose.code, 1);
  assertMatch(
    loose.out,
    /^looser: ERRNO\(EPERM\) -> ALLOW on x86_64\n {2}calls ptrace\n {2}see/,
  );
  assertMatch(loose.out, /\ndifferent: 1 looser, 0 tighter, 0 changed\n$/);
  const tight = await call(["diff", ...FIXED, profile, tighter, "-o", "json"]);
  const report = JSON.parse(tight.out);
  assertEquals([report.state, report.complete], ["different", true]);
  assertEquals(
    report.differences.map((
      d: Record<string, unknown>,
    ) => [d.kind, d.syscalls, d.condition]),
    [["tighter", ["write"], ""]],
  );
  const same = await call(["diff", ...FIXED, profile, filter]);
  assertEquals([same.code, same.out], [0, "equal: no differences\n"]);
});

Deno.test("diff reports conditions on arguments", async () => {
  await using folder = await createFolder();
  const { profile } = await prepare(folder);
  const cases: readonly (readonly [string, string])[] = [
    ['"value":2,"op":"SCMP_CMP_EQ"', "arg0 == 0x1 or arg0 == 0x2"],
    ['"value":1,"op":"SCMP_CMP_LE"', "arg0 == 0x0"],
    [
      '"value":4294967296,"op":"SCMP_CMP_EQ"',
      "arg0 == 0x1 or arg0 == 0x100000000",
    ],
    ['"value":5,"op":"SCMP_CMP_LT"', "arg0 == 0x0 or arg0 in 0x2..0x4"],
  ];
  for (const [rule, condition] of cases) {
    const other = await folder.write(
      "other.json",
      SMALL_PROFILE.replace('"value":1,"op":"SCMP_CMP_EQ"', rule),
    );
    const { out } = await call([
      "diff",
      ...FIXED,
      profile,
      other,
      "-o",
      "json",
    ]);
    const { differences } = JSON.parse(out);
    const parts = differences.flatMap((d: { condition: string }) =>
      d.condition.split(" or ")
    );
    assertEquals(new Set(parts), new Set(condition.split(" or ")), rule);
    for (const { witness, a, b } of differences) {
      for (
        const [source, verdict] of [[profile, a.verdict], [other, b.verdict]]
      ) {
        const simulated = await call(
          [
            "simulate",
            ...FIXED,
            source,
            `x86_64:${witness.nr}`,
            ...witness.args,
          ],
        );
        assertEquals(simulated.out.split("\n")[0], verdict, rule);
      }
    }
  }
});

Deno.test("diff reports masks of arguments", async () => {
  await using folder = await createFolder();
  const allow = await folder.write("allow.s", "ret #0x7fff0000\n");
  const cases: readonly (readonly [string, string])[] = [
    ["ld [16]\njset #0x7e020000, no", "arg0 & 0x7e020000 != 0x0"],
    [
      "ld [36]\nand #0xf0\njeq #0x30, no",
      "arg2 & 0xf000000000 == 0x3000000000",
    ],
  ];
  for (const [test, condition] of cases) {
    const deny = await folder.write(
      "deny.s",
      `${test}\nret #0x7fff0000\nno: ret #0x00050001\n`,
    );
    const { out } = await call(["diff", allow, deny, "-o", "json"]);
    assertEquals(JSON.parse(out).differences[0].condition, condition, out);
    const text = await call(["diff", allow, deny]);
    assert(text.out.includes(`\n  where ${condition}\n`), text.out);
  }
});

Deno.test("diff reports a changed errno as neither looser nor tighter", async () => {
  await using folder = await createFolder();
  const a = await folder.write("a.s", "ret #0x00050001\n");
  const b = await folder.write("b.s", "ret #0x00050026\n");
  const { code, out } = await call(["diff", a, b, "-o", "json"]);
  assertEquals(code, 1);
  const { differences } = JSON.parse(out);
  assertEquals(differences.length, 1);
  assertEquals(differences[0].kind, "changed");
  assertEquals(differences[0].nr, { first: 0, last: 0xffff_ffff });
});

Deno.test("diff separates looser and tighter if answers are computed", async () => {
  await using folder = await createFolder();
  const a = await folder.write("a.s", "ld [0]\nret a\n");
  const b = await folder.write("b.s", "ret #0x00050001\n");
  const text = await call(["diff", a, b]);
  assertEquals(text.code, 1, text.err);
  assertMatch(
    text.out,
    /^tighter: ALLOW -> ERRNO\(EPERM\) on .*\n {2}calls 2147418112\.\.2147483647\n/m,
  );
  assertMatch(
    text.out,
    /^changed: ERRNO\(ENOENT\) -> ERRNO\(EPERM\) on .*\n {2}calls 327682\.\.393215\n {2}also {2}other answers, all changed\n/m,
  );
  assertMatch(text.out, /\ndifferent: 6 looser, 4 tighter, 2 changed\n$/);
  const { out } = await call(["diff", a, b, "-o", "json"]);
  const { differences }: {
    readonly differences: readonly { readonly varies: boolean }[];
  } = JSON.parse(out);
  // KILL_THREAD to TRAP(…), TRACE(…) and ERRNO(2…) are one entry each.
  assertEquals(differences.filter(({ varies }) => varies).length, 3);
});

Deno.test("diff --subset-of succeeds only if nothing is looser", async () => {
  await using folder = await createFolder();
  const { profile, looser, tighter, filter } = await prepare(folder);
  const cases: readonly (readonly [string, string, number])[] = [
    [profile, profile, 0],
    [profile, filter, 0],
    [profile, tighter, 0],
    [looser, profile, 0],
    [profile, looser, 1],
    [tighter, profile, 1],
  ];
  for (const [base, source, expected] of cases) {
    const { code, out, err } = await call(
      ["diff", ...FIXED, "--subset-of", base, source, "-o", "json"],
    );
    assertEquals([code, err], [expected, ""], `${base} ${source}`);
    const report = JSON.parse(out);
    assertEquals(report.state, expected === 0 ? "subset" : "not-a-subset");
    assertEquals("witness" in report, expected === 1);
  }
  const text = await call(["diff", ...FIXED, "--subset-of", profile, looser]);
  assertMatch(
    text.out,
    /^not a subset: looser than the base\n {2}call {2}ptrace\(/,
  );
});

Deno.test("diff --subset-of knows the order of actions of the kernel", async () => {
  // linux/seccomp.h: from the strictest to the loosest.
  const actions = [
    "0x80000000",
    "0x00000000",
    "0x00030000",
    "0x00050001",
    "0x7fc00000",
    "0x7ff00000",
    "0x7ffc0000",
    "0x7fff0000",
  ];
  await using folder = await createFolder();
  const files = await Promise.all(
    actions.map((action, i) => folder.write(`${i}.s`, `ret #${action}\n`)),
  );
  for (const [i, base] of files.entries()) {
    for (const [j, source] of files.entries()) {
      const { code } = await call(["diff", "--subset-of", base, source]);
      assertEquals(code, j <= i ? 0 : 1, `${actions[j]} within ${actions[i]}`);
    }
  }
});

Deno.test("diff merges architectures into one statement, in names, and ends with see lines", async () => {
  await using folder = await createFolder();
  const rule = (names: readonly string[], args: unknown[] = []): unknown => ({
    names,
    action: "SCMP_ACT_ALLOW",
    args,
  });
  const write = (name: string, ...rules: readonly unknown[]): Promise<string> =>
    folder.write(
      name,
      JSON.stringify({
        defaultAction: "SCMP_ACT_ERRNO",
        architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        syscalls: [rule(["read"]), ...rules],
      }),
    );
  const vsock = [{ index: 0, value: 40, op: "SCMP_CMP_EQ" }];
  const exec = [
    { index: 2, value: 4, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" },
  ];
  const before = await write("a.json");
  const after = await write(
    "b.json",
    rule(["bpf", "keyctl"]),
    rule(["socket"], vsock),
    rule(["mprotect"], exec),
  );
  const target = ["-q", "--arch", "x86_64,x86,x32"];
  const { out, code } = await call(["diff", ...target, before, after]);
  assertEquals(code, 1);
  const lines = out.split("\n");
  assert(
    lines.includes("looser: ERRNO(EPERM) -> ALLOW on x86, x86_64 and x32"),
    out,
  );
  assert(lines.includes("  calls keyctl, bpf"), out);
  assert(lines.includes("  where domain == AF_VSOCK"), out);
  assertMatch(out, /where prot & PROT_EXEC == 0x0/);
  const first = lines.findIndex((line) => line.startsWith("  see "));
  const rest = lines.slice(first, -2);
  assert(rest.every((line) => line.startsWith("  see ")), out);
  assertMatch(out, /b\.json x86:socket AF_VSOCK {2}# ALLOW\n/);
});

Deno.test("diff --subset-of reports every looser difference for machines", async () => {
  await using folder = await createFolder();
  const { profile, looser, tighter } = await prepare(folder);
  const words = ["diff", ...FIXED, "--subset-of", profile];
  const no = await call([...words, looser, "-o", "json"]);
  assertEquals(no.code, 1);
  const report = JSON.parse(no.out);
  assertEquals([report.state, report.complete], ["not-a-subset", true]);
  assertEquals(
    report.looser.map((
      one: Record<string, unknown>,
    ) => [one.kind, one.syscalls]),
    [["looser", ["ptrace"]]],
  );
  const [{ witness, a, b }] = report.looser;
  assertEquals(
    [witness.syscall, a.verdict, b.verdict],
    ["ptrace", "ERRNO(EPERM)", "ALLOW"],
  );
  assert(report.digests.base !== report.digests.source);
  const yes = JSON.parse((await call([...words, tighter, "-o", "json"])).out);
  assertEquals([yes.state, yes.looser], ["subset", []]);
  assertMatch(yes.digests.base, /^st1:/);
  assertEquals(yes.digests.base, report.digests.base);
  const repair = await call([
    "combine",
    ...FIXED,
    "--intersect",
    profile,
    looser,
  ]);
  const admitted = await folder.write("admitted.json", repair.out);
  assertEquals((await call([...words, admitted])).code, 0);
});
