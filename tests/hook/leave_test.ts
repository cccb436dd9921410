import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { gatherContext } from "../../hook/context.ts";
import { type Deadline, startDeadline } from "../../hook/deadline.ts";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../hook/dispatcher/dispatcher.ts";
import { RefusedError } from "../../hook/error.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig, type RewriteContext } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { stubbedHook } from "./primed.ts";
import {
  annotationOf,
  createSetup,
  dispatcherOptions,
  NAMES,
  namesIn,
  runHook,
  runProgram,
  type Setup,
  SMALL_SECTION,
  smallConfig,
  toolSets,
  writeProgram,
} from "./shared.ts";

const PASSED: Deadline = { left: () => 0, check: () => {} };

function contextOf(setup: Setup): Promise<RewriteContext> {
  return gatherContext(
    { ...DEFAULTS, store: setup.store, names: NAMES },
    startDeadline(1000 * PATIENCE_S),
    openLog({ file: setup.logPath }),
  );
}

Deno.test("a section that takes too long is tried once, left to its runtime, and tried again when asked", async (t) => {
  await using setup = await createSetup();
  const text = smallConfig();
  const context = await contextOf(setup);
  const reason = async (more: Partial<RewriteContext>): Promise<string> => {
    const rewrite = await rewriteConfig(text, { ...context, ...more });
    return rewrite.kind === "unchanged" ? rewrite.reason : rewrite.kind;
  };
  assertEquals(await reason({ deadline: PASSED }), "deadline");
  assertEquals(await reason({}), "remembered");
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const ask = async (hook: string): Promise<string> => {
        const { stdout } = await runProgram([hook], text);
        return new TextDecoder().decode(stdout);
      };
      const hook = await stubbedHook(setup, tools);
      assertEquals(await ask(hook), text, "without Deno");
      const strict = await writeProgram(
        setup.directory,
        "strict",
        renderHookDispatcher({
          ...dispatcherOptions(setup, tools.tools, [`${setup.directory}/slow`]),
          strict: true,
        }),
      );
      assertEquals(await ask(strict), `SLOW:${text}`);
    });
  }
  const error = await assertRejects(
    () => reason({ deadline: PASSED, strict: true }),
    RefusedError,
  );
  assertEquals(error.code, "not-optimized");
  assertEquals(await reason({ retry: true }), "added");
  assertEquals(await reason({}), "added");
});

Deno.test("hook/main.ts leaves a section to crun if crun must refuse unknown names", async () => {
  await using setup = await createSetup();
  const section = SMALL_SECTION.replace('"read"', '"read","no_such_call"');
  const head = (value: string): string =>
    `"annotations":{"run.oci.seccomp_fail_unknown_syscall":"${value}"},`;
  // The second time, the filter is stored.
  for (const value of ["1", "0", "1", ""]) {
    const text = smallConfig({ section, head: head(value) });
    const { code, stdout } = await runHook(setup, text);
    const answer = new TextDecoder().decode(stdout);
    assertEquals([code, answer === text], [0, value !== "0"], value);
  }
  const known = smallConfig({ head: head("1") });
  assert(annotationOf((await runHook(setup, known)).stdout).length > 0);
});

Deno.test("hook/main.ts detects notifications spelled with escapes", async () => {
  await using setup = await createSetup();
  const notify = (word: string): string =>
    SMALL_SECTION.replace(
      '"SCMP_ACT_ALLOW"}',
      `"SCMP_ACT_ALLOW"},{"names":["mkdir"],"action":"${word}"}`,
    ).replace("{", '{"listenerPath":"/s",');
  const section = notify("SCMP_ACT_NOTIF\\u0059");
  const { stdout } = await runHook(setup, smallConfig({ section }));
  assert(annotationOf(stdout).length > 0, "crun keeps a listener");
  const head = '"annotations":{"run.oci.seccomp.receiver":"/r"},';
  const text = smallConfig({ section, head });
  const other = await runHook(setup, text);
  assertEquals(new TextDecoder().decode(other.stdout), text);
});

needs("root")(
  "the wrapper starts a container as it is from a bundle that it cannot trust or change",
  async () => {
    await using setup = await createSetup();
    const [first] = toolSets();
    if (first === undefined) return; // recorded by toolSets()
    const runtime = await writeProgram(
      setup.directory,
      "crun",
      `#!/bin/sh\necho crun version 1.8.1\necho started >>${setup.directory}/started\n`,
    );
    const wrapper = await writeProgram(
      setup.directory,
      "wrapper",
      renderRuntimeWrapper({
        ...dispatcherOptions(setup, first.tools),
        runtime,
        runtimeKind: "crun",
      }),
    );
    const bundle = join(setup.directory, "in/bundle");
    await Deno.mkdir(bundle, { recursive: true });
    const config = join(bundle, "config.json");
    const start = async (
      text: string,
      ...words: readonly string[]
    ): Promise<readonly [number, boolean, boolean]> => {
      await Deno.writeTextFile(config, text);
      await Deno.remove(`${setup.directory}/started`).catch(() => {});
      const { code } = await runProgram([
        ...words,
        ...[wrapper, "create", "--bundle", bundle, "ID"],
      ]);
      const started = await namesIn(setup.directory);
      return [
        code,
        started.includes("started"),
        await Deno.readTextFile(config) === text,
      ];
    };
    const changes = [
      ["world-writable", config, 0o666],
      ["world-writable folder", bundle, 0o777],
      ["world-writable folder above", join(setup.directory, "in"), 0o777],
    ] as const;
    for (const [name, path, mode] of changes) {
      await Deno.writeTextFile(config, "");
      const before = (await Deno.stat(path)).mode ?? 0;
      await Deno.chmod(path, mode);
      assertEquals(await start(smallConfig()), [0, true, true], name);
      const head = '"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},';
      assertEquals(
        await start(smallConfig({ head })),
        [1, false, true],
        `${name}, with a foreign filter`,
      );
      await Deno.chmod(path, before & 0o7777);
    }
    assertEquals(await start(smallConfig()), [0, true, false]);
  },
);

Deno.test("hook and wrapper start a container unchanged without Deno, but never with a foreign filter", async (t) => {
  await using setup = await createSetup();
  const foreign = smallConfig({
    head: '"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},',
  });
  const twice = smallConfig({ tail: `,"linux":{}` });
  const killed = await writeProgram(
    setup.directory,
    "killed",
    "#!/bin/sh\nkill -9 $$\n",
  );
  for (const { name, tools } of toolSets()) {
    await t.step(name, async () => {
      for (const slow of [["/removed/deno"], [killed], ["/bin/true"]]) {
        const options = dispatcherOptions(setup, tools, slow);
        const hook = await writeProgram(
          setup.directory,
          "hook",
          renderHookDispatcher(options),
        );
        for (const text of [smallConfig(), foreign, twice]) {
          const { code, stdout } = await runProgram([hook], text);
          assertEquals(
            [code, new TextDecoder().decode(stdout)],
            text === smallConfig() ? [0, text] : [1, ""],
            `${slow}: ${text}`,
          );
        }
      }
    });
  }
});
