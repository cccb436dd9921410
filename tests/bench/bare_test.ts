import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { Report } from "../../bench/report.ts";
import { PATIENCE_S } from "../machine.ts";

const CHILD = fromFileUrl(new URL("./bare_child.ts", import.meta.url));

/** Runs a benchmark without runtimes, and with a libseccomp that does not load. */
async function runBare(engine: string): Promise<Report> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-bare-" });
  try {
    await Deno.writeTextFile(join(directory, "libseccomp.so.2"), "");
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "-A", CHILD, engine],
        signal: AbortSignal.timeout(1000 * PATIENCE_S),
        env: { PATH: directory, LD_LIBRARY_PATH: directory },
        stdin: "null",
      },
    ).output();
    assert(success, new TextDecoder().decode(stderr));
    // The child writes the document of this version.
    return JSON.parse(new TextDecoder().decode(stdout)) as Report;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("bench measures what it can without libseccomp and runtimes, and reports what it skipped", async () => {
  const report = await runBare("stub");
  const left = report.leftOut.join("\n");
  for (
    const what of [
      "libseccomp: not installed",
      "containers: ",
      "memory: ",
      "workloads: ",
    ]
  ) assert(left.includes(what), `${what} in: ${left}`);
  assertEquals(report.machine.libseccomp, undefined);
  assertEquals(report.containers, []);
  assert(report.attach.some(({ variant }) => variant === "seccomp-tree"));
  assert(
    report.variants.every(({ variant }) => !variant.startsWith("libseccomp")),
  );
  if (Deno.build.arch !== "x86_64") return;
  assert(report.position.length > 0, "ours is measured by place");
  assert(report.growth.length > 0);
});

Deno.test("bench measures calls and attaches without the stub, and reports it", async () => {
  const report = await runBare("process");
  assertEquals(report.machine.clock, "clock_gettime");
  assert(report.attach.length > 0 && report.calls.length > 0);
  assertEquals([report.position, report.growth, report.stacked], [[], [], []]);
  const left = report.leftOut.join("\n");
  assert(left.includes("positions"), left);
  assert(left.includes("stacked filters"), left);
});
