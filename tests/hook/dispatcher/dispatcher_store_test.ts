import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { renderHookDispatcher } from "../../../hook/dispatcher/dispatcher.ts";
import { has, needs, pathOf } from "../../machine.ts";
import { prime, stubbedHook } from "../primed.ts";
import {
  createSetup,
  dispatcherOptions,
  NAMES,
  namesIn,
  runProgram,
  smallConfig,
  toolSets,
  writeProgram,
} from "../shared.ts";

const test = needs("busybox", "mawk");

Deno.test("the hook's dispatcher leaves a doubtful store to Deno", async (t) => {
  for (const tools of toolSets()) {
    await using setup = await createSetup();
    await prime(setup, [smallConfig()]);
    const names = await namesIn(setup.store);
    const entry = names.find((name) => /^[0-9]/.test(name)) ?? "";
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
      "mode of the entry": {
        doubt: () => Deno.chmod(path, 0o602),
        undo: () => Deno.chmod(path, 0o600),
      },
      "owner of the entry": {
        doubt: () => Deno.chown(path, 1234, 0),
        undo: () => Deno.chown(path, Deno.uid(), Deno.gid()),
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
      "linked entry": {
        doubt: async () => {
          await Deno.rename(path, `${setup.directory}/moved`);
          await Deno.symlink(`${setup.directory}/moved`, path);
        },
        undo: () => Deno.rename(`${setup.directory}/moved`, path),
      },
      "two entries of one section": {
        doubt: () => Deno.copyFile(path, path.replace(/.$/, "_")),
        undo: () => Deno.remove(path.replace(/.$/, "_")),
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

Deno.test("the hook's dispatcher does not wait forever", async (t) => {
  await using setup = await createSetup();
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const hook = await stubbedHook(setup, tools, 1);
      const child = new Deno.Command(hook, {
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      // Whole, but not ended.
      await writer.write(new TextEncoder().encode("{}"));
      const { stdout } = await child.output();
      assertEquals(new TextDecoder().decode(stdout), "SLOW:\u0001");
      await writer.close().catch(() => {});
    });
  }
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
          await ask("exit 137", answers),
          await ask("exit 7", answers, "--strict"),
        ],
        [
          [0, `AGAIN:${smallConfig()}`, ""],
          [1, "", ""],
          [1, "", ended(1)],
          [1, "", ended(137)],
          [0, `AGAIN:${smallConfig()}`, ""],
        ],
      );
    });
  }
});

Deno.test("the hook's dispatcher hands all of it to Deno where a program was removed", async () => {
  await using setup = await createSetup();
  const text = '{"linux":{}}\n\n';
  const [dash] = toolSets();
  if (dash === undefined) return; // recorded by toolSets()
  for (const gone of ["awk", "timeout", "stat", "sha256sum"]) {
    const tools = { ...dash.tools, [gone]: ["/usr/bin/removed", "word"] };
    const hook = await stubbedHook(setup, { name: gone, tools });
    const { code, stdout } = await runProgram([hook], text);
    const asked = gone === "awk" || gone === "timeout";
    assertEquals(
      [code, new TextDecoder().decode(stdout)],
      [0, asked ? `SLOW:${text}` : text],
      gone,
    );
  }
});

test("the hook's dispatcher asks Deno where the busybox that was its shell is removed", async () => {
  await using setup = await createSetup();
  await prime(setup, [smallConfig()]);
  const inside = toolSets().find(({ tools }) => tools.stat[0] === "stat");
  assert(inside !== undefined);
  const hook = await stubbedHook(setup, inside);
  const ask = async (text: string): Promise<string> => {
    const { stdout } = await runProgram([hook], text);
    return new TextDecoder().decode(stdout);
  };
  assert(!(await ask(smallConfig())).startsWith("SLOW:"));
  const text = await Deno.readTextFile(hook);
  await Deno.writeTextFile(
    hook,
    text.replaceAll(pathOf("busybox") ?? "", "/removed"),
  );
  assertEquals(await ask(smallConfig()), `SLOW:${smallConfig()}`);
  assertEquals(await ask('{"linux":{}}\n'), '{"linux":{}}\n');
});

Deno.test("the hook's dispatcher asks Deno where the store is too large to be listed", async (t) => {
  await using setup = await createSetup();
  await prime(setup, [smallConfig()]);
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const hook = await stubbedHook(setup, tools);
      const ask = async (text: string): Promise<string> => {
        const { stdout } = await runProgram([hook], text);
        return new TextDecoder().decode(stdout);
      };
      assert(!(await ask(smallConfig())).startsWith("SLOW:"));
      const many = Array.from(
        { length: 700 },
        (_, i) => join(setup.store, `1.${"a".repeat(150)}.${i}.0`),
      );
      for (const path of many) await Deno.writeTextFile(path, "");
      assertEquals(await ask(smallConfig()), `SLOW:${smallConfig()}`);
      assertEquals(await ask('{"linux":{}}'), '{"linux":{}}');
      for (const path of many) await Deno.remove(path);
    });
  }
});

function ended(status: number): string {
  return `seccomp-tree: the hook ended with status ${status}: run seccomp-tree doctor\n`;
}
