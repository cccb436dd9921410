import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../../hook/dispatcher/dispatcher.ts";
import { has, needs } from "../../machine.ts";
import { annotated, prime, stubbedHook } from "../primed.ts";
import {
  createSetup,
  dispatcherOptions,
  NAMES,
  namesIn,
  runProgram,
  SMALL_SECTION,
  smallConfig,
  toolSets,
  writeProgram,
} from "../shared.ts";

Deno.test("the hook's dispatcher leaves a doubtful store to Deno", async (t) => {
  for (const tools of toolSets()) {
    await using setup = await createSetup();
    await prime(setup, [smallConfig()]);
    const names = await namesIn(setup.store);
    const entry = names.find((name) => name.endsWith(".0")) ?? "";
    const path = join(setup.store, entry);
    const environment = join(setup.store, `environment.crun.${NAMES}`);
    const good = await Deno.readTextFile(path);
    const current = await Deno.readTextFile(environment);
    const hook = await stubbedHook(setup, tools);
    const isSlow = async (): Promise<boolean> => {
      const { stdout } = await runProgram([hook], smallConfig());
      return new TextDecoder().decode(stdout).startsWith("SLOW:");
    };
    const doubts: Readonly<
      Record<string, { doubt(): Promise<void>; undo(): Promise<void> }>
    > = {
      "folder": {
        doubt: () => Deno.chmod(setup.store, 0o720),
        undo: () => Deno.chmod(setup.store, 0o700),
      },
      "parent": {
        doubt: () => Deno.chmod(setup.directory, 0o702),
        undo: () => Deno.chmod(setup.directory, 0o700),
      },
      "owner of the folder": {
        doubt: () => Deno.chown(setup.store, 1234, 0),
        undo: () => Deno.chown(setup.store, Deno.uid(), Deno.gid()),
      },
      "mode of the environment": {
        doubt: () => Deno.chmod(environment, 0o620),
        undo: () => Deno.chmod(environment, 0o600),
      },
      "filter": {
        doubt: () =>
          Deno.writeTextFile(path, good.replace(/^filter I/m, "filter J")),
        undo: () => Deno.writeTextFile(path, good),
      },
      "half an entry": {
        doubt: () => Deno.writeTextFile(path, good.slice(0, -40)),
        undo: () => Deno.writeTextFile(path, good),
      },
      "empty entry": {
        doubt: () => Deno.writeTextFile(path, ""),
        undo: () => Deno.writeTextFile(path, good),
      },
      "linked folder": {
        doubt: async () => {
          await Deno.rename(setup.store, `${setup.directory}/moved`);
          await Deno.symlink(`${setup.directory}/moved`, setup.store);
        },
        undo: async () => {
          await Deno.remove(setup.store);
          await Deno.rename(`${setup.directory}/moved`, setup.store);
        },
      },
      "folder that others can enter": {
        doubt: () => Deno.chmod(setup.store, 0o711),
        undo: () => Deno.chmod(setup.store, 0o700),
      },
      "no link to the library": {
        doubt: () => Deno.rename(`${environment}.files/1`, `${environment}.1`),
        undo: () => Deno.rename(`${environment}.1`, `${environment}.files/1`),
      },
      "section": {
        doubt: () =>
          Deno.writeTextFile(path, good.replace('"write"', '"mkdir"')),
        undo: () => Deno.writeTextFile(path, good),
      },
      "one copy of the filter": {
        doubt: () =>
          Deno.writeTextFile(
            path,
            good.replace(/^filter I(.*\ndigest)/m, "filter J$1"),
          ),
        undo: () => Deno.writeTextFile(path, good),
      },
      "entry of another environment": {
        doubt: () =>
          Deno.writeTextFile(
            path,
            good.replace(/^environment .*/m, "environment 0123456789abcdef"),
          ),
        undo: () => Deno.writeTextFile(path, good),
      },
      "another library": {
        doubt: () =>
          Deno.writeTextFile(
            environment,
            current.replace(/(\d+)(?=\nend)/, (n) => `${Number(n) + 1}`),
          ),
        undo: () => Deno.writeTextFile(environment, current),
      },
      "another environment": {
        doubt: () =>
          Deno.writeTextFile(
            environment,
            current.replace(/^id .*/m, "id 0123456789abcdef"),
          ),
        undo: () => Deno.writeTextFile(environment, current),
      },
      "half an environment": {
        doubt: () => Deno.writeTextFile(environment, current.slice(0, -4)),
        undo: () => Deno.writeTextFile(environment, current),
      },
      "no environment": {
        doubt: () => Deno.remove(environment),
        undo: () => Deno.writeTextFile(environment, current, { mode: 0o600 }),
      },
    };
    await t.step(tools.name, async () => {
      for (const [name, { doubt, undo }] of Object.entries(doubts)) {
        if (name.startsWith("owner") && !has("root", name)) continue;
        assert(!await isSlow(), `before ${name}`);
        await doubt();
        assert(await isSlow(), name);
        await undo();
      }
      assert(!await isSlow(), "at the end");
    });
  }
});

Deno.test("the dispatchers put an entry aside that is a link or that others own", async (t) => {
  await using setup = await createSetup();
  const bundle = join(setup.directory, "bundle");
  await Deno.mkdir(bundle);
  const config = join(bundle, "config.json");
  const settings = { runtime: "/bin/true", runtimeKind: "crun" } as const;
  const entryOf = async (): Promise<string> => {
    const names = await namesIn(setup.store);
    return join(setup.store, names.find((name) => name.endsWith(".0")) ?? "");
  };
  const doubts: Readonly<Record<string, (path: string) => Promise<void>>> = {
    "linked entry": async (path) => {
      await Deno.rename(path, `${setup.directory}/moved`);
      await Deno.symlink(`${setup.directory}/moved`, path);
    },
    ...(has("root", "entries of another user")
      ? { "owner of the entry": (path) => Deno.chown(path, 1234, 0) }
      : {}),
  };
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const hook = await stubbedHook(setup, tools);
      const wrapper = await writeProgram(
        setup.directory,
        "wrapper",
        renderRuntimeWrapper({
          ...dispatcherOptions(setup, tools.tools, ["/bin/false"]),
          ...settings,
          strict: false,
        }),
      );
      for (const [name, doubt] of Object.entries(doubts)) {
        await Deno.remove(setup.store, { recursive: true }).catch(() => {});
        await prime(setup, [smallConfig()]);
        await doubt(await entryOf());
        assertEquals((await runProgram([hook], smallConfig())).code, 0);
        assertMatch((await namesIn(setup.store)).join(), /\.0\.bad/, name);
        await Deno.remove(setup.store, { recursive: true });
        await prime(setup, [smallConfig()], settings);
        await doubt(await entryOf());
        await Deno.writeTextFile(config, smallConfig());
        const words = [wrapper, "create", "--bundle", bundle, "ID"];
        assertEquals((await runProgram(words)).code, 0);
        assertMatch((await namesIn(setup.store)).join(), /\.0\.bad/, name);
        assertEquals(await Deno.readTextFile(config), smallConfig(), name);
      }
    });
  }
});

needs("root")(
  "an environment that others own is written again, and the dispatcher believes it then",
  async () => {
    await using setup = await createSetup();
    const [first] = toolSets();
    if (first === undefined) return; // recorded by toolSets()
    await prime(setup, [smallConfig()]);
    const hook = await stubbedHook(setup, first);
    const isSlow = async (): Promise<boolean> => {
      const { stdout } = await runProgram([hook], smallConfig());
      return new TextDecoder().decode(stdout).startsWith("SLOW:");
    };
    const environment = join(setup.store, `environment.crun.${NAMES}`);
    for (
      const change of [
        () => Deno.chown(environment, 1234, 1234),
        () => Deno.chmod(environment, 0o666),
      ]
    ) {
      await change();
      assert(await isSlow());
      await prime(setup, [smallConfig()]);
      assert(!await isSlow());
    }
  },
);

Deno.test("the dispatchers kill an awk that never ends, and call Deno", async () => {
  await using setup = await createSetup();
  const [first] = toolSets();
  if (first === undefined) return; // recorded by toolSets()
  const endless = await writeProgram(
    setup.directory,
    "endless",
    "#!/bin/sh\nwhile :; do :; done\n",
  );
  const tools = { ...first.tools, awk: [endless] };
  const hook = await stubbedHook(setup, { ...first, tools }, 1);
  const { stdout } = await runProgram([hook], smallConfig());
  assertEquals(new TextDecoder().decode(stdout), "SLOW:\u0001");
  const asked = join(setup.directory, "asked");
  const slow = await writeProgram(
    setup.directory,
    "slow",
    `#!/bin/sh\necho "$@" >${asked}\n`,
  );
  const wrapper = await writeProgram(
    setup.directory,
    "wrapper",
    renderRuntimeWrapper({
      ...dispatcherOptions(setup, tools, [slow]),
      deadlineSeconds: 1,
      runtime: "/bin/true",
      runtimeKind: "crun",
      strict: false,
    }),
  );
  const config = join(setup.directory, "config.json");
  await Deno.writeTextFile(config, smallConfig());
  const words = ["create", "--bundle", setup.directory, "ID"];
  assertEquals((await runProgram([wrapper, ...words])).code, 0);
  assertMatch(await Deno.readTextFile(asked), /^runtime .* ID$/m);
});

Deno.test("the hook's dispatcher starts Deno again if it cannot start with a JIT", async (t) => {
  await using setup = await createSetup();
  const program = (name: string, line: string): Promise<string> =>
    writeProgram(setup.directory, name, `#!/bin/sh\n${line}\n`);
  const answers = await program("answers", "printf AGAIN:\nexec cat");
  for (const { name, tools } of toolSets()) {
    await t.step(name, async () => {
      const ask = async (
        line: string,
        withoutJit: string,
        ...args: readonly string[]
      ): Promise<readonly [number, string, string]> => {
        const options = {
          ...dispatcherOptions(setup, tools, [await program("slow", line)]),
          withoutJit: [withoutJit],
        };
        const hook = await writeProgram(
          setup.directory,
          "hook",
          renderHookDispatcher(options),
        );
        const { code, stdout, stderr } = await runProgram(
          [hook, ...args],
          smallConfig(),
        );
        return [code, new TextDecoder().decode(stdout), stderr];
      };
      const fails = await program("fails", "exit 1");
      assertEquals(
        [
          await ask("exit 1", answers),
          await ask("exit 3", answers),
          await ask("exit 1", fails),
          await ask("exit 2", answers),
          await ask("exit 7", answers, "--strict"),
        ],
        [
          [0, `AGAIN:${smallConfig()}`, ""],
          [1, "", ""],
          [0, smallConfig(), ended(1)],
          [0, smallConfig(), ended(2)],
          [0, `AGAIN:${smallConfig()}`, ""],
        ],
      );
    });
  }
});

Deno.test("the hook's dispatcher hands the input to Deno if a program was removed", async () => {
  await using setup = await createSetup();
  const text = '{"linux":{}}\n\n';
  const [dash] = toolSets();
  if (dash === undefined) return; // recorded by toolSets()
  for (const gone of ["awk", "stat"]) {
    const tools = { ...dash.tools, [gone]: ["/usr/bin/removed", "word"] };
    const hook = await stubbedHook(setup, { name: gone, tools });
    const { code, stdout } = await runProgram([hook], text);
    const asked = gone === "awk";
    assertEquals(
      [code, new TextDecoder().decode(stdout)],
      [0, asked ? `SLOW:${text}` : text],
      gone,
    );
  }
});

Deno.test("the hook's dispatcher finds the entry of a section among thousands, and among those that look alike", async (t) => {
  await using setup = await createSetup();
  // The same lengths between the same braces.
  const alike = ["read", "open", "stat"].map((name) =>
    smallConfig({ section: SMALL_SECTION.replace("read", name) })
  );
  await prime(setup, alike);
  const names = await namesIn(setup.store);
  const first = names.find((name) => name.endsWith(".0")) ?? "";
  assert(names.includes(first.replace(/0$/, "2")));
  const entry = await Deno.readTextFile(join(setup.store, first));
  for (let i = 0; i < 5000; i++) {
    const name = first.replace(/\.[0-9]+\.0$/, `.${i}.0`);
    if (name !== first) {
      await Deno.writeTextFile(join(setup.store, name), entry);
    }
  }
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const hook = await stubbedHook(setup, tools);
      for (const text of alike) {
        const { stdout } = await runProgram([hook], text);
        const answer = new TextDecoder().decode(stdout);
        assertEquals(answer, await annotated(text));
      }
    });
  }
});

function ended(status: number): string {
  return `seccomp-tree: the hook ended with status ${status}: run seccomp-tree doctor\n`;
}

needs("root")("Deno starts for a user without a home", async () => {
  await using setup = await createSetup({ store: "none", log: "stderr" });
  const [first] = toolSets();
  if (first === undefined) return; // recorded by toolSets()
  await Deno.chmod(setup.directory, 0o755);
  await Deno.chmod(setup.settingsPath, 0o644);
  const hook = await writeProgram(
    setup.directory,
    "hook",
    renderHookDispatcher(dispatcherOptions(setup, first.tools)),
  );
  const { code, stdout, stderr } = await runProgram(
    // Deno and this checkout may be in a folder that only root can access.
    [
      ...["/usr/bin/setpriv", "--reuid", "54321", "--clear-groups"],
      ...["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"],
      hook,
    ],
    smallConfig(),
  );
  assertEquals(code, 0, stderr);
  assertEquals(
    new TextDecoder().decode(stdout),
    await annotated(smallConfig()),
  );
});
