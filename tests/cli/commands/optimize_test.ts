import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../../machine.ts";
import { call, createFolder, FIXED } from "../harness.ts";
import { sleepUnder } from "../sleeper.ts";

/** `ld [0]`, a comparison with each number from 1 up, then `ret`. */
function listText(numbers: number): string {
  const tests = Array.from({ length: numbers }, (_, i) => `jeq #${i + 1}, yes`);
  return ["ld [0]", ...tests, "ret #0x50001", "yes: ret #0x7fff0000", ""]
    .join("\n");
}

Deno.test("optimize writes the shorter filter and reports the gain", async () => {
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
      /list\.s: 43 → \d instructions, mean 4\d\.\d → [3-6]\.\d, worst 4\d → \d, proved equal\n$/,
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

/** A profile that denies ptrace, with flags. */
function flagged(...flags: readonly string[]): string {
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    flags,
    syscalls: [{ names: ["ptrace"], action: "SCMP_ACT_ERRNO" }],
  });
}

const LOG = "SECCOMP_FILTER_FLAG_LOG";
const SPEC_ALLOW = "SECCOMP_FILTER_FLAG_SPEC_ALLOW";
const TSYNC = "SECCOMP_FILTER_FLAG_TSYNC";

Deno.test("optimize reports flags, and merges no filters of which one logs", async () => {
  await using folder = await createFolder();
  const log = await folder.write("log.json", flagged(LOG, SPEC_ALLOW));
  const sync = await folder.write("sync.json", flagged(LOG, TSYNC));
  const quiet = await folder.write("quiet.json", flagged());
  const list = await folder.write("list.s", listText(40));
  const one = await call(["optimize", log, "-f", "base64"]);
  assertEquals(one.code, 0, one.err);
  assert(
    one.err.includes(`does not contain flags ${LOG}, ${SPEC_ALLOW}`),
    one.err,
  );
  const commented = await call(["optimize", ...FIXED, log, "-f", "asm"]);
  assertMatch(commented.out, new RegExp(`^; .*${LOG}`));
  // The mitigations stay on unless all filters do without.
  const merged = await call(["optimize", ...FIXED, log, sync, "-o", "json"]);
  assertEquals(JSON.parse(merged.out).flags, [LOG, TSYNC], merged.err);
  const unknown = await call(["optimize", ...FIXED, list, log, "-o", "json"]);
  assertEquals(JSON.parse(unknown.out).flags, [LOG], unknown.err);
  const refused = await call(["optimize", ...FIXED, log, quiet]);
  assertEquals([refused.code, refused.out], [4, ""]);
  assertMatch(
    refused.err,
    /filter 0 was attached with \S+_LOG and filter 1 without/,
  );
});

needs("dump")(
  "optimize asks the kernel whether a live filter logs",
  async () => {
    await using folder = await createFolder();
    const log = await folder.write("log.json", flagged(LOG));
    const quiet = await folder.write("quiet.json", flagged());
    await using logging = await sleepUnder([log]);
    await using both = await sleepUnder([quiet, log]);
    const live = ["optimize", `pid:${logging.pid}`, "-o", "json"];
    const { code, out, err } = await call(live);
    assertEquals(code, 0, err);
    assertEquals(JSON.parse(out).flags, [LOG]);
    const refused = await call(["optimize", `pid:${both.pid}`]);
    assertEquals(refused.code, 4, refused.out);
    assertMatch(refused.err, /filter 1 was attached with \S+_LOG and filter 0/);
  },
);

Deno.test("optimize -o json reports a filter that is already the best", async () => {
  await using folder = await createFolder();
  const half = "ld [4]\njeq #0xc000003e, ok\nret #0\nok: ret #0x7fff0000\n";
  const filter = await folder.write("half.s", half);
  const { code, out, err } = await call(["optimize", filter, "-o", "json"]);
  assertEquals(code, 0, err);
  const report = JSON.parse(out);
  assertEquals([report.schemaVersion, report.result], [1, "already-best"]);
});
