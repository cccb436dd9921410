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
      new RegExp(`^one +${sleeper.pid} .* ${digest.slice(0, 16)} *$`, "m"),
    );
  },
);
