import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { rewriteBundle } from "../../hook/bundle.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { renderRuntimeWrapper } from "../../hook/dispatcher/dispatcher.ts";
import { openLog } from "../../hook/log.ts";
import type { RewriteContext } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { dockerDefault } from "../containers/docker_default.ts";
import {
  type Bundle,
  createBundle,
  waitForCommand,
} from "../containers/harness.ts";
import { CONTAINERS, needs, PATIENCE_S } from "../machine.ts";
import {
  annotationOf,
  createSetup,
  dispatcherOptions,
  HOOK_WORDS,
  runHook,
  runProgram,
  type Setup,
  toolSets,
  writeProgram,
} from "./shared.ts";

const test = needs(...CONTAINERS);

const KEY = "run.oci.seccomp_bpf_data";
const SLEEP = ["/bin/busybox", "sleep", "100000"];

function contextOf(setup: Setup): Promise<RewriteContext> {
  return gatherContext(
    { ...DEFAULTS, store: setup.store, names: "host" },
    startDeadline(1000 * PATIENCE_S),
    openLog({ file: setup.logPath }),
  );
}

/** The annotation of a bundle as bytes. */
async function filterOf(bundle: Bundle): Promise<Uint8Array<ArrayBuffer>> {
  return decodeBase64(annotationOf(await Deno.readTextFile(bundle.configPath)));
}

/** Changes a bundle's configuration; numbers of these tests fit a double. */
async function edit(
  bundle: Bundle,
  change: (config: Record<string, unknown>) => void,
): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(bundle.configPath));
  change(config);
  const text = JSON.stringify(config);
  await Deno.writeTextFile(bundle.configPath, text);
  return text;
}

test("rewriteBundle() gives init and exec exactly the store's filter", async () => {
  await using setup = await createSetup();
  await using bundle = await createBundle({
    args: SLEEP,
    seccomp: dockerDefault(),
  });
  const before = await Deno.readTextFile(bundle.configPath);
  const rewrite = await rewriteBundle(
    dirname(bundle.configPath),
    await contextOf(setup),
  );
  assert(rewrite.kind === "added");
  const after = await Deno.readTextFile(bundle.configPath);
  assertEquals(
    after.replace(/"annotations":\{"[^"]*":"[^"]*"\},/, ""),
    before,
  );
  assertEquals(await filterOf(bundle), rewrite.entry.bytes);
  const init = await bundle.create("crun");
  assertEquals(dumpFilters(init), [rewrite.entry.bytes]);
  await bundle.start("crun");
  const other = await bundle.execDetached("crun", [
    ...SLEEP.slice(0, 2),
    "61",
  ]);
  await waitForCommand(other, "sleep");
  assertEquals(dumpFilters(other), [rewrite.entry.bytes]);
  // A second time nothing is left to do.
  const again = await rewriteBundle(
    dirname(bundle.configPath),
    await contextOf(setup),
  );
  assertEquals([again.kind, again.text], ["unchanged", after]);
});

test("a bundle that the hook annotated is the same container to runc", async () => {
  await using setup = await createSetup();
  await using bundle = await createBundle({
    args: ["/bin/busybox", "echo", "ok"],
    seccomp: dockerDefault(),
  });
  await rewriteBundle(dirname(bundle.configPath), await contextOf(setup));
  const { code, stdout, stderr } = await bundle.run("runc");
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "ok\n"], stderr);
});

test("a prestart hook does not change its own container, but the filter of the next one", async () => {
  await using setup = await createSetup();
  await using bundle = await createBundle({
    args: SLEEP,
    seccomp: dockerDefault(),
  });
  const hook = {
    path: HOOK_WORDS[0],
    args: [
      ...HOOK_WORDS,
      ...["hook", "--settings", setup.settingsPath, "--rewrite-bundle"],
    ],
    env: [],
  };
  await edit(bundle, (config) => config.hooks = { prestart: [hook] });
  const first = await bundle.create("crun");
  const plain = dumpFilters(first);
  assertStringIncludes(await setup.log(), "this container keeps the filter");
  const ours = await filterOf(bundle);
  assertEquals(plain.length, 1);
  assert(encodeBase64(plain[0] ?? ours) !== encodeBase64(ours), "libseccomp's");
  // The next container with this configuration.
  await using second = await createBundle({ args: SLEEP });
  await Deno.copyFile(bundle.configPath, second.configPath);
  assertEquals(dumpFilters(await second.create("crun")), [ours]);
  const lines = (await setup.log()).trim().split("\n");
  assertStringIncludes(lines.at(-1) ?? "", "Verified (optimized");
});

test("createRuntime refuses a container without its filter, poststart one with another filter", async (t) => {
  await using setup = await createSetup();
  const hook = (more: readonly string[] = []): unknown => ({
    path: HOOK_WORDS[0],
    args: [
      ...HOOK_WORDS,
      ...["hook", "--settings", setup.settingsPath, ...more],
    ],
    env: [],
  });
  await t.step("not annotated", async () => {
    await using bundle = await createBundle({
      args: SLEEP,
      seccomp: dockerDefault(),
    });
    await edit(bundle, (c) => c.hooks = { createRuntime: [hook()] });
    const refused = await bundle.run("crun");
    assert(refused.code !== 0);
    assertStringIncludes(await setup.log(), "not-verified");
    await edit(bundle, (c) => {
      c.hooks = { createRuntime: [hook(["--verify", "log"])] };
    });
    await bundle.create("crun");
  });
  await t.step("annotated", async () => {
    await using bundle = await createBundle({
      args: SLEEP,
      seccomp: dockerDefault(),
    });
    await edit(bundle, (c) => {
      c.hooks = { createRuntime: [hook()], poststart: [hook()] };
    });
    await rewriteBundle(dirname(bundle.configPath), await contextOf(setup));
    await bundle.create("crun");
    await bundle.start("crun");
    assertStringIncludes(await setup.log(), "Verified (optimized, live: same)");
  });
  await t.step("another filter at run time", async () => {
    await using bundle = await createBundle({
      args: SLEEP,
      seccomp: dockerDefault(),
    });
    await rewriteBundle(dirname(bundle.configPath), await contextOf(setup));
    const pid = await bundle.create("runc");
    await bundle.start("runc");
    const state = {
      ociVersion: "1.0.0",
      id: "c",
      status: "running",
      pid,
      bundle: dirname(bundle.configPath),
    };
    const answer = await runHook(setup, JSON.stringify(state));
    assertEquals([answer.code, answer.stdout.length], [1, 0]);
    assertStringIncludes(await setup.log(), "none of its 1 filters");
  });
});

test("the wrapper under real containers: by Deno, by the store, refused, with the manager's log", async (t) => {
  const view = `#!/bin/sh
if grep -q ' - cgroup ' /proc/self/mountinfo && grep -q ' - cgroup2 ' /proc/self/mountinfo; then
  exec unshare --mount --propagation private sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh crun "$@"
fi
exec crun "$@"
`;
  for (const { name, tools } of toolSets()) {
    await using setup = await createSetup();
    const wrapper = await writeProgram(
      setup.directory,
      "wrapper",
      renderRuntimeWrapper({
        ...dispatcherOptions(setup, tools),
        runtime: await writeProgram(setup.directory, "crun", view),
        runtimeKind: "crun",
        strict: false,
      }),
    );
    await t.step(name, async () => {
      for (const way of ["by Deno", "by the store", "refused"]) {
        await using bundle = await createBundle({
          args: ["/bin/busybox", "echo", way],
          seccomp: dockerDefault(),
        });
        const directory = dirname(bundle.configPath);
        // Compact, as containerd writes it.
        await edit(bundle, (config) => {
          if (way !== "refused") return;
          config.annotations = { [KEY]: "BgAAAAAA/38=" };
        });
        const log = join(directory, "log.json");
        const { code, stdout, stderr } = await runProgram(
          [
            wrapper,
            ...["--root", join(directory, "state"), "--log", log],
            ...["--log-format", "json", "run", "--bundle", directory],
            `seccomp-tree-${crypto.randomUUID()}`,
          ],
          "",
          { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } },
        );
        if (way === "refused") {
          assertEquals([code, stdout.length], [1, 0]);
          const line = JSON.parse(await Deno.readTextFile(log));
          assertEquals(line.level, "error");
          assertStringIncludes(line.msg, "gets ALLOW");
          continue;
        }
        assertEquals(
          [code, new TextDecoder().decode(stdout)],
          [0, `${way}\n`],
          stderr,
        );
        assert((await filterOf(bundle)).length > 0);
      }
      const compiled = (await setup.log()).match(/compiled and proved/g);
      assertEquals(compiled?.length, 1, "once, then found");
    });
  }
});
