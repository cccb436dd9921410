import { assert, assertEquals, assertMatch } from "@std/assert";
import { call, createFolder, FIXED } from "../harness.ts";
import { prepare } from "../sources.ts";

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
  const { out: line } = await call(["digest", ...FIXED, profile]);
  const digest = line.split(" ")[0];
  assertMatch(digest ?? "", /^st1:[0-9a-f]{64}$/);
  assertEquals(equal.digests, [digest, digest]);
  const text = await call(["prove", ...FIXED, profile, filter]);
  assert(text.out.includes(`  digest   ${digest}\n`), text.out);
  const different = await call([
    "prove",
    ...FIXED,
    looser,
    filter,
    "-o",
    "json",
  ]);
  assertEquals(different.code, 1);
  const { state, witness, digests } = JSON.parse(different.out);
  assertEquals(digests[1], digest);
  assert(digests[0] !== digest && digests[0] !== null, different.out);
  assertEquals([state, witness.syscall, witness.nr], [
    "different",
    "ptrace",
    101,
  ]);
  assertEquals([witness.a.verdict, witness.b.verdict], [
    "ALLOW",
    "ERRNO(EPERM)",
  ]);
  assertEquals(witness.a.rule, "syscalls[0]");
  assert(witness.b.paths[0].length > 3, different.out);
});

Deno.test("prove writes a witness that simulate reads, with the same verdicts", async () => {
  await using folder = await createFolder();
  const { looser, filter } = await prepare(folder);
  const { code, out } = await call(["prove", ...FIXED, looser, filter]);
  assertEquals(code, 1);
  const verdicts = out.split("\n").flatMap((line) =>
    /^ {2}[AB] {5}([A-Z_]+(?:\(\w+\))?)/.exec(line)?.[1] ?? []
  );
  assertEquals(verdicts, ["ALLOW", "ERRNO(EPERM)"]);
  const commands = out.split("\n").filter((line) => line.startsWith("  see "))
    .map((line) => line.replace(/^ {2}see {3}seccomp-tree /, "").split(" "));
  assertEquals(commands.length, 2);
  for (const [i, words] of commands.entries()) {
    const simulated = await call([...words, "-q"]);
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

Deno.test("prove exits with 4 if a limit is reached, and never reports equal", async () => {
  await using folder = await createFolder();
  // (a + b)^2 and a^2 + 2ab + b^2: equal, and too large for diagrams.
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
  assertMatch(
    subset.out,
    /by instruction 3 \(add x\) of .*square\.s and .*treat as not a subset/,
  );
  const product = await folder.write(
    "product.s",
    "ld [24]\ntax\nld [16]\nmul x\nret a\n",
  );
  const digest = await call(["digest", product]);
  assertEquals(digest.code, 4);
  assertMatch(
    digest.err,
    /was reached by instruction 3 \(mul x\); raise it by/,
  );
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
  // Each source that cannot be used is reported.
  const both = await call(["prove", `${good}.none`, bad]);
  assertEquals([both.code, both.err.match(/error: /g)?.length], [3, 2]);
  const { code, out, err } = await call(["prove", good, bad]);
  assertEquals([code, out], [3, ""]);
  assert(
    err.startsWith(`${bad}:1:1: error: The kernel refuses the filter: `),
    err,
  );
});
