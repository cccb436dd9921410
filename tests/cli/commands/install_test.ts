import { assertEquals, assertMatch } from "@std/assert";

import { formatStatus } from "../../../cli/commands/status.ts";
import { call, createFolder } from "../harness.ts";

Deno.test("--root takes a folder that is there: exit 2 elsewhere, and nothing is made", async () => {
  await using folder = await createFolder();
  const missing = `${folder.path}/missing`;
  const file = await folder.write("file", "");
  for (const root of [missing, file, "relative"]) {
    for (
      const command of [
        ["install", "podman"],
        ["install", "podman", "--dry-run"],
        ["uninstall", "podman"],
        ["status"],
        ["doctor"],
      ]
    ) {
      const { code, out, err } = await call([...command, "--root", root]);
      assertEquals([code, out], [2, ""], `${command} ${root}: ${err}`);
      assertMatch(err, /^error: Cannot use --root ".*": not a/);
    }
  }
  const names = await Array.fromAsync(Deno.readDir(folder.path));
  assertEquals(names.map(({ name }) => name), ["file"]);
});

Deno.test("install says whose reading filters follow", async () => {
  await using folder = await createFolder();
  const said = async (...words: readonly string[]): Promise<string> => {
    const { err } = await call([
      ...["install", "podman", "--dry-run", "--root", folder.path, ...words],
    ]);
    return err.split("\n").find((line) => line.includes("rofiles")) ?? err;
  };
  assertEquals(
    await said(),
    "note: Profiles will be read as the crun of that system reads them",
  );
  assertEquals(
    await said("--semantics", "runc@1.1.5"),
    "note: Profiles will be read as by runc 1.1.5",
  );
  assertEquals(
    await said("--semantics", "crun@99.0"),
    "note: Profiles will be read as by crun 99.0, read as 1.30, the newest known",
  );
  const wrong = await call(["install", "podman", "--semantics", "runc@x"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.err, /not crun or runc/);
});

Deno.test("status says how the installed runtimes read profiles", () => {
  const text = formatStatus({
    machine: {
      kernel: "6.1",
      arch: "x86_64",
      allowCache: true,
      jit: "on",
      jitLimit: 1,
      jitUse: 1,
      checkpointRestore: true,
      libseccomp: "libseccomp 2.5.4",
    },
    runtimes: [],
    readings: ["crun 1.8.1", "runc 99.0, read as 1.5.1, the newest known"],
    managers: [],
    store: { directory: "/s", current: 0, stale: 0, problems: [] },
    sharedPrecreate: [],
    containers: [],
  });
  assertMatch(
    text,
    /^profiles {6}read as by crun 1\.8\.1; runc 99\.0, read as 1\.5\.1, the newest known$/m,
  );
});
