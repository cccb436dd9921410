import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../../hook/dispatcher/dispatcher.ts";
import { readCounts } from "../../../hook/store/counts.ts";
import { openStore } from "../../../hook/store/store.ts";
import { prime } from "../primed.ts";
import {
  createSetup,
  dispatcherOptions,
  namesIn,
  runHook,
  runProgram,
  type Setup,
  SMALL_SECTION,
  smallConfig,
  type ToolSet,
  toolSets,
  writeProgram,
} from "../shared.ts";

const OTHER = smallConfig({ section: SMALL_SECTION.replace("read", "open") });

interface Both {
  /** Starts a container by the hook; returns its configuration. */
  hook(text: string): Promise<string>;
  /** Starts one by the wrapper. */
  wrapper(text: string): Promise<string>;
}

/** Both dispatchers, whose slow path records its call and runs a line. */
async function dispatchers(
  setup: Setup,
  { tools }: ToolSet,
  line: string,
): Promise<Both> {
  const slow = await writeProgram(
    setup.directory,
    "slow",
    `#!/bin/sh\necho >>${setup.directory}/asked\n${line}\n`,
  );
  const options = dispatcherOptions(setup, tools, [slow]);
  const { directory } = setup;
  const hook = await writeProgram(
    directory,
    "hook",
    renderHookDispatcher(options),
  );
  const wrapper = await writeProgram(
    directory,
    "wrapper",
    renderRuntimeWrapper({
      ...options,
      runtime: "/bin/true",
      runtimeKind: "crun",
      strict: false,
    }),
  );
  const bundle = join(directory, "bundle");
  await Deno.mkdir(bundle, { recursive: true });
  const config = join(bundle, "config.json");
  return {
    hook: async (text) => {
      const { code, stdout } = await runProgram([hook], text);
      assertEquals(code, 0);
      return new TextDecoder().decode(stdout);
    },
    wrapper: async (text) => {
      await Deno.writeTextFile(config, text);
      const words = [wrapper, "create", "--bundle", bundle, "ID"];
      assertEquals((await runProgram(words)).code, 0);
      assertEquals(await namesIn(bundle), ["config.json"]);
      return await Deno.readTextFile(config);
    },
  };
}

/** The number of calls of the slow path. */
async function asked({ directory }: Setup): Promise<number> {
  const path = join(directory, "asked");
  try {
    return (await Deno.readTextFile(path)).length;
  } catch {
    return 0;
  }
}

const WRAPPED = { runtime: "/bin/true", runtimeKind: "crun" } as const;

Deno.test("the dispatchers count hits, and Deno folds what is long", async (t) => {
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      await using setup = await createSetup();
      await prime(setup, [smallConfig()]);
      await prime(setup, [smallConfig()], WRAPPED);
      const { hook, wrapper } = await dispatchers(setup, tools, "exec cat");
      for (let i = 0; i < 3; i++) await hook(smallConfig());
      await wrapper(smallConfig());
      // Without a filter: of no count.
      await hook('{"linux":{}}');
      const { hit, left, failed } = await readCounts(setup.store);
      assertEquals([hit, left, failed], [4, 0, 0]);
      const path = join(setup.store, "count.hit");
      await Deno.writeFile(path, new Uint8Array(1_048_577));
      assertEquals(await asked(setup), 0);
      await hook(smallConfig());
      assertEquals(await asked(setup), 1, "a long count is for Deno");
      await prime(setup, [smallConfig()]);
      assertEquals((await Deno.stat(path)).size, 1);
      assertEquals((await readCounts(setup.store)).hit, 1_048_577);
      await hook(smallConfig());
      assertEquals((await readCounts(setup.store)).hit, 1_048_578);
      assertEquals(await asked(setup), 1);
    });
  }
});

Deno.test("a compiler that is killed is not started again for the same section", async (t) => {
  for (const tools of toolSets()) {
    for (const isPrimed of [true, false]) {
      await t.step(
        `${tools.name}, ${isPrimed ? "primed" : "cold"}`,
        async () => {
          await using setup = await createSetup();
          if (isPrimed) await prime(setup, [OTHER]);
          else await Deno.mkdir(setup.store, { mode: 0o700 });
          const text = smallConfig();
          const { hook } = await dispatchers(setup, tools, "kill -9 $$");
          for (let i = 0; i < 3; i++) assertEquals(await hook(text), text);
          assertEquals(await asked(setup), 1);
          assertEquals(await counts(setup), { left: 2, failed: 1 });
          if (isPrimed) await hook(OTHER);
          assertEquals(
            await asked(setup),
            1,
            "the other section has its filter",
          );
          // An hour later.
          const [killed = ""] = (await namesIn(setup.store)).filter((name) =>
            name.endsWith(".killed")
          );
          const store = await openStore(setup.store);
          const item = (await store?.list())?.find(({ name }) =>
            name === killed
          );
          assertMatch(item?.killed ?? "", /killed: its runtime .* until 20/);
          await Deno.writeTextFile(join(setup.store, killed), "1234567890\n");
          await hook(text);
          assertEquals(await asked(setup), 2);
          // By a filter it is forgotten.
          await prime(setup, [text]);
          if (isPrimed) {
            const names = await namesIn(setup.store);
            assertEquals(names.filter((name) => /killed/.test(name)), []);
          }
        },
      );
    }
    await t.step(`${tools.name}, wrapper`, async () => {
      await using setup = await createSetup();
      await prime(setup, [OTHER], WRAPPED);
      const text = smallConfig();
      const { wrapper } = await dispatchers(setup, tools, "kill -9 $$");
      for (let i = 0; i < 3; i++) assertEquals(await wrapper(text), text);
      assertEquals(await asked(setup), 1);
      assertEquals(await counts(setup), { left: 2, failed: 1 });
    });
  }
});

async function counts(
  setup: Setup,
): Promise<{ left: number; failed: number }> {
  const { left, failed } = await readCounts(setup.store);
  return { left, failed };
}

Deno.test("the hook counts compiled, left and refused containers, but not in a foreign store", async () => {
  await using setup = await createSetup();
  const notify = SMALL_SECTION.replace("SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY");
  const foreign = smallConfig({
    head: '"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},',
  });
  for (
    const [text, code] of [
      [smallConfig(), 0],
      [smallConfig(), 0],
      [smallConfig({ section: notify }), 0],
      [foreign, 1],
      ['{"linux":{}}', 0],
    ] as const
  ) {
    assertEquals((await runHook(setup, text)).code, code, text);
  }
  const expected = { hit: 1, miss: 1, left: 1, refused: 1, failed: 0 };
  assertEquals(await readCounts(setup.store), expected);
  await Deno.chmod(setup.store, 0o777);
  await runHook(setup, foreign);
  await runHook(setup, smallConfig());
  assertEquals(await readCounts(setup.store), expected);
});
