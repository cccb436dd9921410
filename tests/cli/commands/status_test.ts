import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../../machine.ts";
import { call, createFolder } from "../harness.ts";
import { sleepUnder } from "../sleeper.ts";

needs("dump")(
  "status prints the digest of what a container's filters mean",
  async () => {
    await using folder = await createFolder();
    const deny = await folder.write(
      "deny.s",
      "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n",
    );
    await using sleeper = await sleepUnder([deny]);
    await using free = await sleepUnder([]);
    // As crun keeps the state of a container.
    for (const [id, { pid }] of Object.entries({ one: sleeper, bare: free })) {
      await Deno.mkdir(join(folder.path, "state", id), { recursive: true });
      const status = join(folder.path, "state", id, "status");
      await Deno.writeTextFile(status, JSON.stringify({ pid }));
    }
    const state = ["--state", join(folder.path, "state")];
    const { code, out, err } = await call(["status", "-o", "json", ...state]);
    assertEquals(code, 0, err);
    const { containers } = JSON.parse(out);
    const digest = (await call(["digest", deny])).out.slice(0, 68);
    assertEquals(
      containers.map((c: { id: string; digest?: string }) => [c.id, c.digest]),
      [["bare", undefined], ["one", digest]],
    );
    assertEquals("live" in containers[1], false);
    const text = await call(["status", ...state]);
    assertMatch(
      text.out,
      new RegExp(`^– +one +${sleeper.pid} .* ${digest.slice(0, 16)} *$`, "m"),
    );
  },
);

needs("dump")(
  "status counts containers first, and Prometheus gets the same numbers",
  async () => {
    await using folder = await createFolder();
    const deny = await folder.write(
      "deny.s",
      "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n",
    );
    await using one = await sleepUnder([deny]);
    await using two = await sleepUnder([deny]);
    await using free = await sleepUnder([]);
    const root = join(folder.path, "state");
    for (const [id, { pid }] of Object.entries({ one, two, free })) {
      await Deno.mkdir(join(root, id), { recursive: true });
      await Deno.writeTextFile(
        join(root, id, "status"),
        JSON.stringify({ pid }),
      );
    }
    // The file that crun loaded, out of its cache after it was replaced.
    const copy = join(root, "two/seccomp.bpf");
    assertEquals((await call(["asm", deny, "-f", "raw", "-O", copy])).code, 0);
    await Deno.chmod(copy, 0o1700);
    const state = ["--state", root];
    const text = await call(["status", ...state]);
    assertMatch(text.out, /^3 containers: 1 tree, 1 libseccomp, 1 none\n/);
    const metrics = await call(["status", "-o", "prometheus", ...state]);
    const lines = metrics.out.split("\n");
    for (
      const [filter, count] of [["tree", 1], ["libseccomp", 1], ["none", 1]]
    ) {
      const line =
        `seccomp_tree_containers{manager="",filter="${filter}"} ${count}`;
      assertEquals(lines.includes(line), true, metrics.out);
    }
    assertMatch(
      text.out,
      /^starts +\d+ hits, \d+ misses, \d+ left to the runtime \(\d+ after a compiler that failed\), \d+ refused$/m,
    );
    assertEquals(
      lines.filter((line) => /^seccomp_tree_starts_total\{/.test(line)).length,
      5,
    );
    for (const line of lines.slice(0, -1)) {
      assertMatch(
        line,
        /^(?:# (?:HELP|TYPE) seccomp_tree_\w+ .+|seccomp_tree_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? \d+)$/,
      );
    }
  },
);

Deno.test("status reports that no runtime with a known reading is installed", async () => {
  await using folder = await createFolder();
  const { code, out, err } = await call(["status", "--root", folder.path]);
  assertEquals(code, 0, err);
  assertMatch(out, /^profiles +\? *$/m);
});
