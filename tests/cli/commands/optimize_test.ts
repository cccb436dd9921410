import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { call } from "../harness.ts";

/** `ld [0]`, a comparison with each number from 1 up, then `ret`. */
function listText(numbers: number): string {
  const tests = Array.from({ length: numbers }, (_, i) => `jeq #${i + 1}, yes`);
  return ["ld [0]", ...tests, "ret #0x50001", "yes: ret #0x7fff0000", ""]
    .join("\n");
}

Deno.test("optimize writes the shorter filter and quotes what it won", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const list = join(folder, "list.s");
    const best = join(folder, "best.bpf");
    await Deno.writeTextFile(list, listText(40));
    const written = await call([
      ...["optimize", list, "-f", "raw", "-O", best],
    ]);
    assertEquals(written.code, 0, written.err);
    assertMatch(
      written.out,
      /list\.s: 43 → \d instructions, mean \d+\.\d → \d\.\d, worst 4\d → \d, proved equal\n$/,
    );
    assert((await Deno.stat(best)).size < 10 * 8);
    assertEquals((await call(["prove", list, best])).code, 0);
    const again = await call(["optimize", best, "-O", `${best}.2`]);
    assertMatch(again.out, /already best: \d instructions/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("optimize merges a stack, and refuses one whose filter notifies", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [list, deny, notify] = ["list.s", "deny.s", "notify.s"].map((name) =>
      join(folder, name)
    ) as [string, string, string];
    await Deno.writeTextFile(list, listText(40));
    await Deno.writeTextFile(
      deny,
      "ld [0]\njeq #7, no\nret #0x7fff0000\nno: ret #0x50002\n",
    );
    await Deno.writeTextFile(notify, "ret #0x7fc00000\n");
    const merged = await call(["optimize", list, deny, "-o", "json"]);
    assertEquals(merged.code, 0, merged.err);
    const report = JSON.parse(merged.out);
    assertEquals(report.before.instructions, 47);
    assert(report.after.instructions < 20);
    const refused = await call(["optimize", list, notify]);
    assertEquals(refused.code, 4);
    assertMatch(refused.err, /USER_NOTIF/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("digest is one for equal filters, and --check finds the changed one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [list, best, sums] = ["list.s", "best.s", "sums"].map((name) =>
      join(folder, name)
    ) as [string, string, string];
    await Deno.writeTextFile(list, listText(40));
    assertEquals(
      (await call(["optimize", list, "-f", "asm", "-O", best])).code,
      0,
    );
    const { code, out } = await call(["digest", list, best]);
    assertEquals(code, 0);
    const [one, other] = out.trim().split("\n").map((line) =>
      line.slice(0, 68)
    );
    assertMatch(one ?? "", /^st1:[0-9a-f]{64}$/);
    assertEquals(one, other);
    await Deno.writeTextFile(sums, out);
    assertEquals((await call(["digest", "--check", sums])).code, 0);
    await Deno.writeTextFile(best, "ret #0\n");
    const checked = await call(["digest", "--check", sums]);
    assertEquals(checked.code, 1);
    assertMatch(checked.out, /list\.s: OK\n.*best\.s: DIFFERENT\n$/);
    await Deno.writeTextFile(sums, "nonsense\n");
    assertEquals((await call(["digest", "--check", sums])).code, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
