import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  call,
  createFolder,
  FIXED,
  type Folder,
  SMALL_PROFILE,
} from "./harness.ts";

/** Writes profiles and the filter of the first one. */
async function prepare(folder: Folder): Promise<{
  readonly profile: string;
  readonly looser: string;
  readonly tighter: string;
  readonly filter: string;
}> {
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const looser = await folder.write(
    "looser.json",
    SMALL_PROFILE.replace('"write"', '"write","ptrace"'),
  );
  const tighter = await folder.write(
    "tighter.json",
    SMALL_PROFILE.replace('["read","write"]', '["read"]'),
  );
  const filter = join(folder.path, "f.bpf");
  const made = await call([
    "compile",
    ...FIXED,
    profile,
    "-f",
    "raw",
    "-O",
    filter,
  ]);
  assertEquals([made.code, made.out], [0, ""], made.err);
  return { profile, looser, tighter, filter };
}

Deno.test("prove compares every pair of sources", async () => {
  await using folder = await createFolder();
  const { profile, filter, looser } = await prepare(folder);
  for (
    const [a, b] of [[profile, filter], [filter, profile], [filter, filter], [
      profile,
      profile,
    ]]
  ) {
    const { code, out, err } = await call([
      "prove",
      ...FIXED,
      a ?? "",
      b ?? "",
    ]);
    assertEquals([code, err], [0, ""], `${a} ${b}`);
    assertMatch(out, /^equal: for every architecture, number, argument/);
  }
  const json = await call(["prove", ...FIXED, profile, filter, "-o", "json"]);
  const equal = JSON.parse(json.out);
  assertEquals([equal.schemaVersion, equal.state, equal.a, equal.b], [
    1,
    "equal",
    profile,
    filter,
  ]);
  assert(equal.coverage.nrIntervals > 3, json.out);
  const different = await call([
    "prove",
    ...FIXED,
    looser,
    filter,
    "-o",
    "json",
  ]);
  assertEquals(different.code, 1);
  const { state, witness } = JSON.parse(different.out);
  assertEquals([state, witness.syscall, witness.nr], [
    "different",
    "ptrace",
    101,
  ]);
  assertEquals([witness.a.verdict, witness.b.verdict], ["ALLOW", "ERRNO(1)"]);
  assertEquals(witness.a.rule, "syscalls[0]");
  assert(witness.b.paths[0].length > 3, different.out);
});

Deno.test("prove writes a witness that simulate reads, with the same verdicts", async () => {
  await using folder = await createFolder();
  const { looser, filter } = await prepare(folder);
  const { code, out } = await call(["prove", ...FIXED, looser, filter]);
  assertEquals(code, 1);
  const verdicts = out.split("\n").flatMap((line) =>
    /^ {2}[AB] {5}([A-Z_]+(?:\(\d+\))?)/.exec(line)?.[1] ?? []
  );
  assertEquals(verdicts, ["ALLOW", "ERRNO(1)"]);
  const commands = out.split("\n").filter((line) => line.startsWith("  see "))
    .map((line) => line.replace(/^ {2}see {3}seccomp-tree /, "").split(" "));
  assertEquals(commands.length, 2);
  for (const [i, words] of commands.entries()) {
    const simulated = await call([...words, ...FIXED]);
    assertEquals(simulated.code, 0, words.join(" "));
    assertEquals(simulated.out.split("\n")[0], verdicts[i], words.join(" "));
  }
});

Deno.test("prove moves a witness only to where both sides answer as they did", async () => {
  await using folder = await createFolder();
  const one = await folder.write(
    "one.s",
    "ld [0]\njeq #7, no\nret #0x7fff0000\nno: ret #0\n",
  );
  const all = await folder.write("all.s", "ret #0x7fff0000\n");
  const { out } = await call(["prove", one, all, "-o", "json"]);
  assert(["x86_64+x32", "aarch64"].includes(JSON.parse(out).witness.arch), out);
  // Equal on every architecture that exists.
  const odd = await folder.write(
    "odd.s",
    "ld [4]\njeq #0x12345678, no\nret #0x7fff0000\nno: ret #0\n",
  );
  const { witness } = JSON.parse(
    (await call(["prove", odd, all, "-o", "json"])).out,
  );
  assertEquals([witness.arch, witness.a.verdict, witness.b.verdict], [
    "0x12345678",
    "KILL_THREAD",
    "ALLOW",
  ]);
});

Deno.test("prove quotes names of sources for a shell", async () => {
  await using folder = await createFolder();
  const odd = await folder.write("a b'c.s", "ret #0\n");
  const all = await folder.write("all.s", "ret #0x7fff0000\n");
  const { out } = await call(["prove", odd, all]);
  assert(out.includes(` simulate '${folder.path}/a b'\\''c.s' `), out);
  assert(out.includes(` simulate ${all} `), out);
});

Deno.test("prove compares by effect, or by bits", async () => {
  await using folder = await createFolder();
  const a = await folder.write("a.s", "ret #0x00051fff\n");
  const b = await folder.write("b.s", "ret #0x00050fff\n");
  assertEquals((await call(["prove", a, b])).code, 0, "an errno is capped");
  const bits = await call(["prove", a, b, "--bits"]);
  assertEquals(bits.code, 1, bits.out);
});

Deno.test("prove ends with 4 where a limit is reached, never with equal", async () => {
  await using folder = await createFolder();
  // (a + b)^2 and a^2 + 2ab + b^2: equal, and too much for bits.
  const square = await folder.write(
    "square.s",
    "ld [20]\ntax\nld [16]\nadd x\ntax\nmul x\nrsh #1\nret a\n",
  );
  const sum = await folder.write(
    "sum.s",
    [
      ...["ld [16]", "tax", "mul x", "st M[0]"],
      ...["ld [20]", "tax", "mul x", "st M[1]"],
      ...["ld [16]", "mul x", "lsh #1"],
      ...["ldx M[0]", "add x", "ldx M[1]", "add x", "rsh #1", "ret a"],
    ].join("\n"),
  );
  const json = await call(["prove", square, sum, "-o", "json"]);
  assertEquals(json.code, 4);
  assertEquals(JSON.parse(json.out).state, "unproven");
  const subset = await call(["diff", "--subset-of", square, sum]);
  assertEquals(subset.code, 4, subset.out);
  assertMatch(subset.out, /treat as not a subset/);
});

Deno.test("prove and diff keep to the limits that they are given", async () => {
  await using folder = await createFolder();
  const { profile, filter, looser } = await prepare(folder);
  for (const flags of [["--nodes", "50"], ["--steps", "50"]]) {
    const equal = await call(["prove", ...FIXED, ...flags, profile, filter]);
    assertEquals(equal.code, 4, "equal, but there was no room to show it");
    assert(equal.out.startsWith("unproven: "), equal.out);
    const diff = await call(["diff", ...FIXED, ...flags, profile, filter]);
    assertEquals(diff.code, 4, diff.out);
    const subset = await call(
      ["diff", ...FIXED, ...flags, "--subset-of", looser, profile],
    );
    assertEquals(subset.code, 4, subset.out);
  }
  for (const value of ["0", "-1", "1e3", "x"]) {
    const { code } = await call(["prove", "--nodes", value, profile, filter]);
    assertEquals(code, 2, value);
  }
});

Deno.test("prove refuses what it cannot compare", async () => {
  await using folder = await createFolder();
  const bad = await folder.write("bad.s", "ld [3]\nret #0\n");
  const good = await folder.write("good.s", "ret #0\n");
  const { code, out, err } = await call(["prove", good, bad]);
  assertEquals([code, out], [3, ""]);
  assert(err.startsWith(`${bad}: error: The kernel refuses it: `), err);
});

Deno.test("diff says what became looser, tighter and changed", async () => {
  await using folder = await createFolder();
  const { profile, looser, tighter, filter } = await prepare(folder);
  const loose = await call(["diff", ...FIXED, profile, looser]);
  assertEquals(loose.code, 1);
  assertMatch(
    loose.out,
    /^looser: ERRNO\(1\) -> ALLOW on x86_64\+x32\n {2}calls ptrace\n/,
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

Deno.test("diff tells conditions on arguments", async () => {
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

Deno.test("diff tells masks of arguments", async () => {
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

Deno.test("diff tells a change of an errno, which is neither looser nor tighter", async () => {
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

Deno.test("diff --subset-of says yes only where nothing is looser", async () => {
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
