/**
 * `check`, and `--certificate` of the commands that prove something.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { call } from "../harness.ts";

const STRICT = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [
    { names: ["read", "write"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }],
    },
  ],
});
const LOOSE = STRICT.replace('"write"', '"write","openat"');
const TARGET = ["--arch", "x86_64", "--kernel", "6.1"];

/** Runs a test in a folder with both profiles. */
async function withProfiles(
  work: (path: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = (name: string): string => join(folder, name);
    await Deno.writeTextFile(path("strict.json"), STRICT);
    await Deno.writeTextFile(path("loose.json"), LOOSE);
    await work(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("compile --certificate writes what check accepts, for its sources alone", () =>
  withProfiles(async (path) => {
    const [filter, certificate] = [path("f.bpf"), path("f.cert")];
    const compiled = await call([
      ...["compile", path("strict.json"), ...TARGET, "-f", "raw"],
      ...["-O", filter, "--certificate", certificate],
    ]);
    assertEquals(compiled.code, 0, compiled.err);
    const check = (...words: readonly string[]) =>
      call(["check", certificate, ...words, ...TARGET]);
    const good = await check(filter, path("strict.json"));
    assertEquals([good.code, good.err.includes("error")], [0, false]);
    assertMatch(good.out, /^accepted: .*f\.bpf and .*strict\.json are equal/);

    const other = await check(filter, path("loose.json"));
    assertEquals(other.code, 1);
    assertMatch(other.out, /^rejected: line \d+: .* about something else/);
    assertEquals((await check(path("strict.json"), filter)).code, 1);

    const report = await check(filter, path("strict.json"), "-o", "json");
    const { accepted, claim, schemaVersion } = JSON.parse(report.out);
    assertEquals([accepted, claim, schemaVersion], [true, "equal", 1]);

    const text = await Deno.readTextFile(certificate);
    const broken = text.replace("\nreturns 7fff0000,", "\nreturns 50001,");
    assert(broken !== text);
    await Deno.writeTextFile(certificate, broken);
    const bad = await check(filter, path("strict.json"));
    assertEquals(bad.code, 1);
    const reason =
      /^rejected: line \d+: It has .* for "returns 7fff0000, rule /;
    assertMatch(bad.out, reason);
  }));

Deno.test("diff --subset-of and prove write certificates", () =>
  withProfiles(async (path) => {
    const [strict, loose] = [path("strict.json"), path("loose.json")];
    const subset = await call([
      ...["diff", "--subset-of", loose, strict, ...TARGET],
      ...["--certificate", path("w.cert")],
    ]);
    assertEquals(subset.code, 0, subset.err);
    const within = await call([
      "check",
      path("w.cert"),
      strict,
      loose,
      ...TARGET,
    ]);
    assertEquals(within.code, 0, within.out);
    assertMatch(
      within.out,
      /strict\.json permits nothing that .*loose\.json denies/,
    );

    const raw = async (objective: string): Promise<string> => {
      const file = path(`${objective}.bpf`);
      await call([
        ...["compile", strict, ...TARGET, "-f", "raw"],
        ...["--objective", objective, "-O", file],
      ]);
      return file;
    };
    const programs = [await raw("size"), await raw("cached")];
    const args = [...programs, "--arch", "x86_64"];
    const proved = await call([
      "prove",
      ...args,
      "--certificate",
      path("p.cert"),
    ]);
    assertEquals(proved.code, 0, proved.err);
    assertEquals((await call(["check", path("p.cert"), ...args])).code, 0);
  }));

Deno.test("no certificate is written without a proof, or for a claim that is not covered", () =>
  withProfiles(async (path) => {
    const [strict, loose] = [path("strict.json"), path("loose.json")];
    const target = path("no.cert");
    const different = await call([
      ...["prove", strict, loose, ...TARGET, "--certificate", target],
    ]);
    assertEquals(different.code, 1);
    await Deno.writeTextFile(
      path("sum.s"),
      "ld [0]\nadd #1\njeq #5, 0, 1\nret #0\nret #0x7fff0000\n",
    );
    const sum = await call([
      ...["prove", path("sum.s"), path("sum.s"), "--certificate", target],
    ]);
    assertEquals(sum.code, 4);
    assertMatch(
      sum.err,
      /Cannot write the certificate .*instruction 1, "add\.k"/,
    );
    const bits = await call([
      ...["prove", "--bits", strict, strict, "--certificate", target],
    ]);
    assertEquals(bits.code, 2);
    const base = await call(["diff", strict, loose, "--certificate", target]);
    assertEquals(base.code, 2);
    assertEquals(await Deno.stat(target).catch(() => "none"), "none");
    const text = await call(["check", strict, strict, loose]);
    assertEquals(text.code, 3);
    assertMatch(text.err, /not a certificate/);
  }));
