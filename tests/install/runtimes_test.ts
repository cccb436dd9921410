import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  examine,
  type FoundProgram,
  hasNoLinker,
  isBefore,
  judge,
} from "../../install/runtimes.ts";
import { needs, pathOf } from "../machine.ts";

Deno.test("judge() recognizes runtimes by their output", () => {
  const crun = (version: string, features: string): string =>
    `crun version ${version}\ncommit: x\nspec: 1.0.0\n${features}\n`;
  for (
    const { stdout, kind, rawFilters } of [
      {
        stdout: crun("1.8.1", "+CAP +SECCOMP"),
        kind: "crun",
        rawFilters: "yes",
      },
      { stdout: crun("0.18", "+SECCOMP"), kind: "crun", rawFilters: "yes" },
      { stdout: crun("0.17", "+SECCOMP"), kind: "crun", rawFilters: "no" },
      { stdout: crun("1.28", "+CAP -SECCOMP"), kind: "crun", rawFilters: "no" },
      {
        stdout: "runc version 1.1.5+ds1\ngo: go1.19.8\nlibseccomp: 2.5.4\n",
        kind: "runc",
        rawFilters: "no",
      },
      {
        stdout: "runsc version release-20240101.0\n",
        kind: "runsc",
        rawFilters: "no",
      },
      {
        stdout: "something else 1.2\n",
        kind: "unknown",
        rawFilters: "unknown",
      },
    ]
  ) {
    const judged = judge({ code: 0, stdout, stderr: "" }, "crun");
    assertEquals(
      { kind: judged.kind, rawFilters: judged.rawFilters },
      { kind, rawFilters },
      stdout,
    );
  }
  const failed = judge({ code: 1, stdout: "", stderr: "" }, "runc");
  assertEquals([failed.kind, failed.rawFilters], ["runc", "no"]);
  assert(isBefore("5.10.0", 5, 11) && !isBefore("5.11", 5, 11));
  assert(!isBefore("6.1", 5, 11));
});

needs("crun", "busybox")(
  "examine() finds out whether crun is linked statically",
  async () => {
    const program = (path: string): FoundProgram => ({ path, realPath: path });
    const crun = pathOf("crun") ?? "";
    const dynamic = await examine("/", "crun", program(crun));
    assertEquals([dynamic.kind, dynamic.isStatic], ["crun", undefined]);
    const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
    const copy = join(folder, "echo");
    await Deno.copyFile(pathOf("busybox") ?? "", copy);
    const answer = "crun version 1.21 +SECCOMP";
    const script = join(folder, "crun");
    await Deno.writeTextFile(script, `#!/bin/sh\necho ${answer}\n`, {
      mode: 0o755,
    });
    assertEquals(
      (await examine("/", "crun", program(script))).isStatic,
      undefined,
    );
    assertEquals(await hasNoLinker(copy), true);
    assertEquals(await hasNoLinker(crun), false);
    assertEquals(await hasNoLinker(join(folder, "missing")), false);
    await Deno.remove(folder, { recursive: true });
  },
);
