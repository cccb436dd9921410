import { assert, assertEquals, assertMatch } from "@std/assert";
import { absence, has, programFinds } from "../../machine.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

/** Denies only ptrace (101). */
const NO_PTRACE =
  "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n";

function stateOf(pid: "self"): ReadonlyMap<string, string> {
  return new Map(
    Deno.readTextFileSync(`/proc/${pid}/status`).split("\n").map((line) => {
      const [name = "", value = ""] = line.split(":\t");
      return [name, value];
    }),
  );
}

Deno.test("selftest asks the kernel 100,000 times and leaves this process as it was", async () => {
  const before = stateOf("self");
  for (const source of [["-q"], [...FIXED, "-"]]) {
    const { code, out, err } = await call(
      ["selftest", "-o", "json", ...source],
      { stdin: SMALL_PROFILE },
    );
    assertEquals(code, 0, out + err);
    const { state, counts, mismatches, accepted, notes } = JSON.parse(out);
    assertEquals([state, mismatches], ["passed", []]);
    assertEquals(accepted, absence("stub") === undefined ? true : null);
    const verdicts = counts.reduce(
      (sum: number, c: { verdicts: number }) => sum + c.verdicts,
      0,
    );
    const served = has("i386", "calls by int $0x80 of selftest");
    const least = served ? 100_000 : 55_000;
    assert(verdicts >= least, `${verdicts} verdicts`);
    const isNoted = notes.some((note: string) => note.includes("int $0x80"));
    const isLacking = absence("stub") === undefined && !programFinds("i386");
    assertEquals(isNoted, isLacking, out);
  }
  const after = stateOf("self");
  for (const field of ["Seccomp", "NoNewPrivs"]) {
    assertEquals(after.get(field), before.get(field), field);
    assert(after.has(field), field);
  }
});

Deno.test("selftest finds one wrong constant and names the call", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const { out: text } = await call(["compile", ...FIXED, "-f", "asm", profile]);
  const wrong = text.replace(/jeq #0x29\b/, "jeq #0x2a");
  assert(wrong !== text, text);
  const filter = await folder.write("wrong.s", wrong);
  const args = ["selftest", ...FIXED, profile, "--program", filter];
  const { code, out } = await call(args);
  assertEquals(code, 1, out);
  assertMatch(out, /mismatch: (?:socket|connect)\(/);
  const json = JSON.parse((await call([...args, "-o", "json"])).out);
  assertEquals(json.state, "failed");
  assert(json.mismatches.length > 0, "mismatches");
  const right = await folder.write("right.s", text);
  const good = await call(["selftest", ...FIXED, profile, "--program", right]);
  assertEquals(good.code, 0, good.out);
});

Deno.test("selftest takes filters, including those of several architectures", async () => {
  await using folder = await createFolder();
  const filter = await folder.write("f.s", NO_PTRACE);
  const { code, out } = await call(["selftest", filter]);
  assertEquals(code, 0, out);
  assertMatch(out, /0 mismatches/);
  for (const arch of ["aarch64,arm", "s390x,s390"]) {
    const foreign = await call(
      ["selftest", "-q", "--arch", arch, "default:docker"],
    );
    assertEquals(foreign.code, 0, foreign.out);
    assertEquals(
      foreign.out.includes("for a big-endian machine"),
      arch.startsWith("s390x"),
    );
  }
});
