import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { compareWithHost } from "../../hook/host_reference.ts";
import { openLog } from "../../hook/log.ts";
import { ownSemantics } from "../../hook/own_semantics.ts";
import { readConfigText } from "../../hook/rewrite.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { findRuntimeOf } from "../../install/containers.ts";
import { readingOf } from "../../profile/semantics/quirks.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import { CONTAINERS, needs, PATIENCE_S } from "../machine.ts";
import { dockerDefault } from "./docker_default.ts";
import { createBundle, waitForCommand } from "./harness.ts";

const test = needs(...CONTAINERS);

const MAIN = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));

/** Output of `verify`. */
interface Report {
  readonly state: string;
  readonly filters: number;
  readonly equalUnder?: Readonly<Record<string, string>>;
}

/** Compares a process with the section of a bundle and returns the report and the exit status. */
async function reportOf(
  pid: number,
  configPath: string,
  options: readonly string[],
): Promise<readonly [report: Report, code: number]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", MAIN, "verify", "-q", "-o", "json", `pid:${pid}`],
      ...["--against", configPath, "--names", "host", ...options],
    ],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(text.slice(0, 1), "{", new TextDecoder().decode(stderr));
  // One document, as the interface has it.
  return [JSON.parse(text) as Report, code];
}

/** The same in three words. */
async function verify(
  pid: number,
  configPath: string,
  options: readonly string[],
): Promise<readonly [state: string, filters: number, code: number]> {
  const [{ state, filters }, code] = await reportOf(pid, configPath, options);
  return [state, filters, code];
}

test("verify: the live filter of a runc container is proved equal to its section with runc's semantics", async (t) => {
  const docker = dockerDefault();
  // runc puts the rules in a different order at each start.
  for (
    const { name, seccomp } of [
      { name: "Docker's default", seccomp: docker },
      { name: "Docker's default once more", seccomp: docker },
      {
        name: "the same on the native architecture alone",
        seccomp: { ...docker, architectures: ["SCMP_ARCH_X86_64"] },
      },
    ]
  ) {
    await t.step(name, async () => {
      await using bundle = await createBundle({
        args: ["/bin/busybox", "sleep", "100000"],
        seccomp,
      });
      const pid = await bundle.create("runc");
      await bundle.start("runc");
      await waitForCommand(pid, "sleep");
      const { configPath } = bundle;
      assertEquals(
        await verify(pid, configPath, ["--semantics", "runc"]),
        ["equivalent", 1, 0],
      );
      // The stub answers ENOSYS to calls that are newer than all of the section.
      assertEquals(
        await verify(pid, configPath, ["--semantics", "crun"]),
        ["different", 1, 1],
      );
    });
  }
});

test("compareWithHost() builds the filter that this runc loads", async () => {
  const { semantics } = await ownSemantics({ semantics: "runc" });
  const { architectures: _, ...bare } = dockerDefault();
  for (const seccomp of [dockerDefault(), bare]) {
    await using bundle = await createBundle({
      args: ["/bin/busybox", "sleep", "100000"],
      seccomp,
    });
    const pid = await bundle.create("runc");
    await bundle.start("runc");
    await waitForCommand(pid, "sleep");
    const [bytes, ...more] = dumpFilters(pid);
    assert(bytes !== undefined && more.length === 0);
    const { section } = readConfigText(
      await Deno.readTextFile(bundle.configPath),
    );
    assert(section !== undefined);
    const compared = async (read: Semantics): Promise<string> => {
      const { environment } = await gatherContext(
        { ...DEFAULTS, store: undefined, names: "host", semantics: read },
        startDeadline(1000 * PATIENCE_S),
        openLog("stderr"),
      );
      const live = { bytes: bytes.slice(), section };
      return (await compareWithHost(live, environment)).kind;
    };
    assertEquals(await compared(semantics), "equal");
    // Only the stub differs, which crun has not, nor has every runc for a
    // profile without architectures.
    const hasStub = seccomp !== bare ||
      !readingOf(semantics).quirks.has("stub-of-listed-only");
    assertEquals(await compared("crun"), hasStub ? "different" : "equal");
  }
});

test("verify: the live filter of a crun container without annotation is proved equal to its section", async () => {
  await using bundle = await createBundle({
    args: ["/bin/busybox", "sleep", "100000"],
    seccomp: dockerDefault(),
  });
  const pid = await bundle.create("crun");
  await bundle.start("crun");
  await waitForCommand(pid, "sleep");
  assertEquals(
    await verify(pid, bundle.configPath, []),
    ["equivalent", 1, 0],
  );
});

test("verify: a healthy container of runc is equal although its profile lists no architecture", async () => {
  const { architectures: _, ...seccomp } = dockerDefault();
  await using bundle = await createBundle({
    args: ["/bin/busybox", "sleep", "100000"],
    seccomp,
  });
  const pid = await bundle.create("runc");
  await bundle.start("runc");
  await waitForCommand(pid, "sleep");
  const { semantics } = await ownSemantics({ semantics: "runc" });
  for (const named of ["runc", semantics]) {
    assertEquals(
      await verify(pid, bundle.configPath, ["--semantics", named]),
      ["equivalent", 1, 0],
      named,
    );
  }
  // The stub came to such profiles with 1.1.15.
  const { quirks } = readingOf(semantics);
  const other = quirks.has("stub-of-listed-only") ? "runc@1.3.6" : "runc@1.1.5";
  const asOther = ["--semantics", other];
  const [report, code] = await reportOf(pid, bundle.configPath, asOther);
  assertEquals([report.state, code], ["different", 1]);
  assertEquals(report.equalUnder, { semantics: "runc" }, "the hint");
});

test("findRuntimeOf() finds the runtime of every process in a container", async (t) => {
  for (const runtime of ["crun", "runc"] as const) {
    await t.step(runtime, async () => {
      await using bundle = await createBundle({
        args: ["/bin/busybox", "sleep", "100000"],
        seccomp: dockerDefault(),
      });
      const init = await bundle.create(runtime);
      await bundle.start(runtime);
      await waitForCommand(init, "sleep");
      const words = ["/bin/busybox", "sleep", "61"];
      const other = await bundle.execDetached(runtime, words);
      const folders = [join(dirname(bundle.configPath), `state-${runtime}`)];
      assertEquals(await findRuntimeOf(init, folders), runtime);
      assertEquals(await findRuntimeOf(other, folders), runtime);
      assertEquals(await findRuntimeOf(Deno.pid, folders), undefined);
      assertEquals(await findRuntimeOf(init, []), undefined);
    });
  }
});
