import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { encodeBase64 } from "../../bpf/base64.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import {
  findTools,
  keepsNul,
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../hook/dispatcher.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig } from "../../hook/precreate.ts";
import { addAnnotation, readConfigText } from "../../hook/rewrite.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import {
  createSetup,
  dispatcherOptions,
  dockerConfig,
  namesIn,
  runProgram,
  type Setup,
  SMALL_SECTION,
  smallConfig,
  type ToolSet,
  toolSets,
  writeProgram,
} from "./shared.ts";

const SEED = 20260102;

/** Puts the filters of configurations into the setup's store. */
async function prime(setup: Setup, texts: readonly string[]): Promise<void> {
  const log = openLog({ file: setup.logPath });
  const context = await gatherContext(
    { ...DEFAULTS, store: setup.store, names: "host" },
    startDeadline(60_000),
    log,
  );
  for (const text of texts) await rewriteConfig(text, context);
}

/** A hook whose slow path only says that it was asked, and what. */
async function stubbedHook(
  setup: Setup,
  { tools }: ToolSet,
  deadlineSeconds = 10,
): Promise<string> {
  const slow = await writeProgram(
    setup.directory,
    "slow",
    "#!/bin/sh\nprintf SLOW:\nexec cat\n",
  );
  const options = dispatcherOptions(setup, tools, [slow]);
  return await writeProgram(
    setup.directory,
    "hook",
    renderHookDispatcher({ ...options, deadlineSeconds }),
  );
}

/** The filter of the small section, made without the store. */
async function annotated(text: string): Promise<string> {
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "host" },
    startDeadline(60_000),
    openLog("stderr"),
  );
  const rewrite = await rewriteConfig(text, context);
  assert(rewrite.kind === "added");
  return addAnnotation(readConfigText(text), encodeBase64(rewrite.entry.bytes));
}

const HITS: readonly string[] = [
  smallConfig(),
  smallConfig({ tail: "\n" }),
  smallConfig({ head: '"annotations":{},' }),
  smallConfig({ head: '"annotations": { } ,' }),
  smallConfig({ head: '"annotations":{"a":"b"},' }),
  smallConfig({ tail: ',"annotations":{"a":"b","c":""}' }),
  smallConfig({ tail: ',"annotations":{}, "z":[[],{},[{"q":[1,2.5e-3,-0]}]]' }),
  smallConfig({
    head:
      '"hard":18446744073709551615,"f":1E400,"n":[true,false,null,""],"e":"\\"\\\\\\u003c\\n\\\\",',
  }),
  smallConfig({ head: '"x":{"linux":{"a":1},"annotations":[]},' }),
  smallConfig({ head: '"seccomp":"seccomp","env":["\\"seccomp\\":{"],' }),
  smallConfig().replaceAll(":", " :\t").replaceAll(",", "\r\n,  ").replace(
    /.*"seccomp" :\t(.*)/s,
    (all, section) => all.replace(section, `${SMALL_SECTION}}}`),
  ),
];

const NONE: readonly string[] = [
  "{}",
  '{"ociVersion":"1.0.0","linux":{}}',
  ' {"linux":{"resources":{"seccomp2":[1]}},"annotations":{"a":"b"}}\n',
];

const MISSES: readonly string[] = [
  "",
  " ",
  "[]",
  "{",
  '{"a":1',
  '{"a":"b',
  '{"a":"b\\"',
  '{"a":1}}',
  '{"a":1}{}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a" 1}',
  '{"a":}',
  '{"a":1 2}',
  '{"a":[1,]}',
  '{"a":[,1]}',
  '{"a":[1}',
  "{1:2}",
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":1e}',
  '{"a":nul}',
  '{"a":True}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"a":"\t"}',
  '{"a":"\u007f"}',
  '{"a":"é"}',
  '{"a":1} // no',
  '{"a":1,"a":1}',
  '{"x":{"b":1,"b":1}}',
  '{"\\u0061":1}',
  '{"Linux":{}}',
  '{"Annotations":{}}',
  '{"linux":{"Seccomp":1}}',
  '{"linux":[]}',
  '{"linux":null}',
  '{"annotations":null,"linux":{}}',
  '{"annotations":["a"]}',
  '{"annotations":{"a":1}}',
  '{"annotations":{"a":{}}}',
  '{"linux":{"seccomp":null}}',
  '{"linux":{"seccomp":"x"}}',
  '{"linux":{"seccomp":[]}}',
  '{"linux":{"seccomp":{}}}',
  smallConfig({ section: `${SMALL_SECTION} ` }).replace("} }", "} ,}"),
  smallConfig({ section: SMALL_SECTION.replace("read", "open") }),
  smallConfig({ section: SMALL_SECTION.replace("[", "[ ") }),
  smallConfig({ section: SMALL_SECTION.replace(",", ", ") }),
  smallConfig({ tail: `,"linux":{"seccomp":${SMALL_SECTION}}` }),
  smallConfig({ head: `"linux":{},` }),
  smallConfig({ head: `"x":{"seccomp":${SMALL_SECTION}},` }),
  `{"x":{"seccomp":${SMALL_SECTION}}}`,
  `{"seccomp":${SMALL_SECTION}}`,
  `{"linux":{"x":{"seccomp":${SMALL_SECTION}}}}`,
  `{"linux":[{"seccomp":${SMALL_SECTION}}]}`,
  `{"a":"\\"seccomp\\":{","linux":{"Seccomp":{},"seccomp":${SMALL_SECTION}}}`,
  smallConfig({
    head: '"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},',
  }),
  smallConfig({ head: '"annotations":{"run.oci.seccomp.receiver":"/s"},' }),
  smallConfig({ head: '"annotations":{"run.oci.seccomp\\u005fbpf_data":""},' }),
  smallConfig({ head: '"annotations":null,' }),
  smallConfig({ head: `"a":${"[".repeat(101)}${"]".repeat(101)},` }),
];

Deno.test("the hook's dispatcher adds what is certain, hands on the rest byte for byte", async (t) => {
  await using setup = await createSetup();
  await prime(setup, [smallConfig()]);
  for (const tools of toolSets()) {
    await t.step(tools.name, async () => {
      const hook = await stubbedHook(setup, tools);
      const decoder = new TextDecoder();
      const ask = async (text: string | Uint8Array): Promise<string> => {
        const { code, stdout, stderr } = await runProgram([hook], text);
        assertEquals([code, stderr], [0, ""]);
        return decoder.decode(stdout);
      };
      for (const text of HITS) {
        assertEquals(await ask(text), await annotated(text), text);
      }
      for (const text of NONE) assertEquals(await ask(text), text);
      for (const text of MISSES) {
        assertEquals(await ask(text), `SLOW:${text}`, text);
      }
      const high = Uint8Array.from({ length: 255 }, (_, i) => i + 1);
      for (const bytes of [high.slice(1), high.slice(127)]) {
        const { stdout } = await runProgram([hook], bytes);
        assertEquals(
          stdout.slice("SLOW:".length),
          bytes,
          "every byte but 0, 1",
        );
      }
      // A NUL would vanish in a shell: nobody may take the rest for whole.
      for (const text of ["\0", `${smallConfig()}\0`, '{"a":"\0"}', "{\0}"]) {
        const answer = await ask(text);
        assert(answer.startsWith("SLOW:"), JSON.stringify(text));
        assert(answer.includes("\u0001"), JSON.stringify(text));
      }
      for (const text of [`${smallConfig()}\u0001`, "{}\u0001", "{}\u0002"]) {
        assertEquals(await ask(text), `SLOW:${text}`, JSON.stringify(text));
      }
      assertEquals(
        (await runProgram([hook, "--strict"], smallConfig())).stdout,
        new TextEncoder().encode(`SLOW:${smallConfig()}`),
        "arguments are for Deno",
      );
    });
  }
});

Deno.test("the hook's dispatcher says what Deno says, whatever becomes of a byte", async (t) => {
  await using setup = await createSetup();
  const base = smallConfig({
    head: '"a":["x\\\\",{"b":-1.5e3}],"annotations":{"k":"v"},',
    tail: ',"z":[[],null]',
  });
  await prime(setup, [base]);
  const context = await gatherContext(
    { ...DEFAULTS, store: setup.store, names: "host" },
    startDeadline(60_000),
    openLog({ file: setup.logPath }),
  );
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const letters = '{}[],:"\\ \n01-.etrunlasxAL';
  const mutants = Array.from({ length: 60 }, () => {
    const at = random(base.length);
    const letter = letters[random(letters.length)] ?? "";
    const cut = random(3);
    return base.slice(0, at) + (cut === 0 ? "" : letter) +
      base.slice(at + (cut === 2 ? 0 : 1));
  });
  for (const tools of toolSets()) {
    await t.step(`${tools.name}, seed ${SEED}`, async () => {
      const hook = await stubbedHook(setup, tools);
      let certain = 0;
      for (const text of mutants) {
        const { stdout } = await runProgram([hook], text);
        const answer = new TextDecoder().decode(stdout);
        if (answer.startsWith("SLOW:")) {
          assertEquals(answer, `SLOW:${text}`);
          continue;
        }
        certain++;
        // Throws where the configuration is to be refused.
        const { text: expected } = await rewriteConfig(text, context);
        assertEquals(answer, expected, text);
      }
      assertNotEquals(certain, 0, "some mutants are harmless");
    });
  }
});

Deno.test("the hook's dispatcher leaves a doubtful store to Deno", async (t) => {
  for (const tools of toolSets()) {
    await using setup = await createSetup();
    await prime(setup, [smallConfig()]);
    const names = await namesIn(setup.store);
    const entry = names.find((name) => /^[0-9]/.test(name)) ?? "";
    const path = join(setup.store, entry);
    const environment = join(setup.store, "environment.crun.host");
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
        undo: () => Deno.chown(setup.store, 0, 0),
      },
      "mode of the entry": {
        doubt: () => Deno.chmod(path, 0o602),
        undo: () => Deno.chmod(path, 0o600),
      },
      "owner of the entry": {
        doubt: () => Deno.chown(path, 1234, 0),
        undo: () => Deno.chown(path, 0, 0),
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
        assert(!await isSlow(), `before ${name}`);
        await doubt();
        assert(await isSlow(), name);
        await undo();
      }
      assert(!await isSlow(), "at the end");
    });
  }
});

Deno.test("the hook's dispatcher does not wait for ever", async (t) => {
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

Deno.test("the wrapper rewrites a bundle as Deno does, and becomes the runtime", async (t) => {
  await using setup = await createSetup();
  const text = dockerConfig({ annotations: { a: "b" } });
  await prime(setup, [text]);
  const expected = await annotated(text);
  const runtime = await writeProgram(
    setup.directory,
    "crun",
    // What a runtime inherits: arguments, environment, signals, limits, files.
    `#!/bin/sh
printf '<%s>' "$@"
/usr/bin/env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL=
while read -r line; do
  case $line in Sig[IB]*) echo "$line" ;; esac
done </proc/self/status
for file in /proc/$$/fd/*; do printf '%s ' "\${file##*/}"; done
ulimit -n
cat <&7
`,
  );
  const slow = await writeProgram(
    setup.directory,
    "slow",
    `#!/bin/sh\necho SLOW >>${setup.directory}/asked\nexit 1\n`,
  );
  const bundle = join(setup.directory, "bundle");
  await Deno.mkdir(bundle);
  const config = join(bundle, "config.json");
  const words = ["--root", "/r", "create", "--bundle", bundle, "ID", "a b\n"];
  const call = (
    program: string,
  ): Promise<Awaited<ReturnType<typeof runProgram>>> =>
    runProgram(
      [
        "/bin/sh",
        "-c",
        'ulimit -Sn 333; echo seven >"$0/7"; exec "$@" 7<"$0/7"',
        setup.directory,
        program,
        ...words,
      ],
      "",
      { env: { A: "b c", log: "1", PATH: "/usr/bin:/bin" } },
    );
  const plain = await call(runtime);
  for (const { name, tools } of toolSets()) {
    await t.step(name, async () => {
      const wrapper = await writeProgram(
        setup.directory,
        "wrapper",
        renderRuntimeWrapper({
          ...dispatcherOptions(setup, tools, [slow]),
          runtime,
          runtimeKind: "crun",
          strict: false,
        }),
      );
      for (const mode of [0o600, 0o644, 0o640]) {
        await Deno.writeTextFile(config, text);
        await Deno.chmod(config, mode);
        const wrapped = await call(wrapper);
        assertEquals(await Deno.readTextFile(config), expected);
        assertEquals(((await Deno.lstat(config)).mode ?? 0) & 0o7777, mode);
        assertEquals(await namesIn(bundle), ["config.json"]);
        assertEquals(
          new TextDecoder().decode(wrapped.stdout),
          new TextDecoder().decode(plain.stdout),
        );
        assertEquals([wrapped.code, wrapped.stderr], [0, plain.stderr]);
      }
      // Unconfined: untouched.
      const inode = async (): Promise<number | null> =>
        (await Deno.lstat(config)).ino;
      await Deno.writeTextFile(config, '{"linux":{}}');
      const before = await inode();
      assertEquals((await call(wrapper)).code, 0);
      assertEquals(await inode(), before);
      // Doubtful: asked, refused, nothing started and nothing changed.
      for (
        const doubt of [
          () => Deno.chmod(config, 0o666),
          () => Deno.chmod(bundle, 0o777),
          async () => {
            await Deno.rename(config, join(setup.directory, "else"));
            await Deno.symlink("../else", config);
          },
        ]
      ) {
        await Deno.chmod(bundle, 0o755);
        await Deno.remove(config);
        await Deno.writeTextFile(config, text);
        await doubt();
        const { code, stdout } = await call(wrapper);
        assertEquals([code, stdout.length], [1, 0]);
        assertEquals(await Deno.readTextFile(config), text);
      }
      await Deno.chmod(bundle, 0o755);
      await Deno.remove(config);
    });
  }
});

Deno.test("renderRuntimeWrapper() calls a runtime without raw filters at once, unless strict", async () => {
  await using setup = await createSetup();
  const options = {
    ...dispatcherOptions(setup, await findTools()),
    runtime: "/usr/sbin/runc",
    runtimeKind: "runc",
  } as const;
  const text = renderRuntimeWrapper({ ...options, strict: false });
  assertEquals(text.split("\n").slice(-2), [`exec '/usr/sbin/runc' "$@"`, ""]);
  const strict = renderRuntimeWrapper({ ...options, strict: true });
  assert(strict.includes("hook/main.ts"));
});

Deno.test("render…() refuses what it cannot write into a program", async () => {
  await using setup = await createSetup();
  const options = dispatcherOptions(setup, await findTools());
  for (
    const bad of [
      { store: "store" },
      { store: "/a b" },
      { store: "/a/../b" },
      { store: "/a'" },
      { deadlineSeconds: 0 },
      { deadlineSeconds: 1.5 },
      { slow: ["/a\0"] },
      { tools: { ...options.tools, awk: ["awk"] } },
    ]
  ) {
    assertThrows(
      () => renderHookDispatcher({ ...options, ...bad }),
      RangeError,
    );
  }
});

Deno.test("keepsNul() tells awks apart", async () => {
  assertEquals(await keepsNul(["/usr/bin/mawk"]), true);
  assertEquals(await keepsNul(["/usr/bin/gawk"]), true);
  assertEquals(await keepsNul(["/bin/busybox", "awk"]), false);
});
