import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../hook/dispatcher/dispatcher.ts";
import { findTools, keepsNul } from "../../hook/dispatcher/tools.ts";
import { has, needs, pathOf } from "../machine.ts";
import { annotated, prime } from "./primed.ts";
import {
  createSetup,
  dispatcherOptions,
  dockerConfig,
  namesIn,
  runProgram,
  smallConfig,
  toolSets,
  writeProgram,
} from "./shared.ts";

const test = needs("busybox", "mawk");

Deno.test("the wrapper rewrites a bundle as Deno does, and executes the runtime", async (t) => {
  await using setup = await createSetup();
  const text = dockerConfig({ annotations: { a: "b" } });
  const expected = await annotated(text);
  const runtime = await writeProgram(
    setup.directory,
    "crun",
    // Inherited state of a runtime: arguments, environment, signals, limits,
    // files.
    `#!/bin/sh
printf '<%s>' "$@"
/usr/bin/env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL=
while read -r line; do
  case $line in Sig[IB]*) echo "$line" ;; esac
done </proc/self/status
for file in /proc/$$/fd/*; do printf '%s ' "\${file##*/}"; done
ulimit -n
ulimit -t
cat <&7
`,
  );
  const slow = await writeProgram(
    setup.directory,
    "slow",
    `#!/bin/sh\necho SLOW >>${setup.directory}/asked\nexit 3\n`,
  );
  const bundle = join(setup.directory, "bundle");
  await Deno.mkdir(bundle);
  const config = join(bundle, "config.json");
  const words = [
    ...["--root", "/r", "--log", "/l", "--log-format=json", "create"],
    ...["--bundle", bundle, "--pid-file", "/p", "ID", "a b\n"],
  ];
  const call = (
    program: string,
  ): Promise<Awaited<ReturnType<typeof runProgram>>> =>
    runProgram(
      [
        "/bin/sh",
        "-c",
        'ulimit -Sn 333; ulimit -t 55; echo seven >"$0/7"; exec "$@" 7<"$0/7"',
        setup.directory,
        program,
        ...words,
      ],
      "",
      { env: { A: "b c", log: "1", PATH: "/usr/bin:/bin" } },
    );
  await prime(setup, [text], { runtime, runtimeKind: "crun" });
  const plain = await call(runtime);
  // A file that the shell writes would have another owner or another group.
  const owners = has("root", "another user's configurations")
    ? [
      () => Deno.chown(config, 4711, 0),
      () => Deno.chown(config, 0, 4711),
      async () => {
        await Deno.chown(bundle, 0, 4711);
        await Deno.chmod(bundle, 0o2755);
      },
    ]
    : [];
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
      // Doubtful: the slow path is called and refuses; nothing is started or
      // changed.
      for (
        const doubt of [
          () => Deno.chmod(config, 0o666),
          () => Deno.chmod(bundle, 0o777),
          ...owners,
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
        const { uid, gid } = await Deno.stat(config);
        const { code, stdout } = await call(wrapper);
        assertEquals([code, stdout.length], [1, 0]);
        assertEquals(await Deno.readTextFile(config), text);
        const after = await Deno.stat(config);
        assertEquals([after.uid, after.gid], [uid, gid]);
        if (owners.length > 0) await Deno.chown(bundle, 0, 0);
      }
      await Deno.chmod(bundle, 0o755);
      await Deno.remove(config);
    });
  }
});

Deno.test("the wrapper compiles again after its runtime was replaced, and for another runtime", async () => {
  await using setup = await createSetup();
  const write = (name: string, version: string): Promise<string> =>
    writeProgram(
      setup.directory,
      name,
      `#!/bin/sh\n# ${name} ${version}\necho crun version ${version}\n`,
    );
  const runtime = await write("crun", "1.8.1");
  const other = await write("other", "1.28");
  const asked = join(setup.directory, "asked");
  const slow = await writeProgram(
    setup.directory,
    "slow",
    `#!/bin/sh\necho SLOW >>${asked}\n`,
  );
  const bundle = join(setup.directory, "bundle");
  await Deno.mkdir(bundle);
  const text = smallConfig();
  const wrapperOf = async (
    name: string,
    path: string,
  ): Promise<() => Promise<number>> => {
    const wrapper = await writeProgram(
      setup.directory,
      name,
      renderRuntimeWrapper({
        ...dispatcherOptions(setup, await findTools("usual"), [slow]),
        runtime: path,
        runtimeKind: "crun",
        strict: false,
      }),
    );
    return async () => {
      await Deno.writeTextFile(join(bundle, "config.json"), text, {
        mode: 0o600,
      });
      await runProgram([wrapper, "create", "--bundle", bundle, "ID"]);
      try {
        return (await Deno.readTextFile(asked)).split("\n").length - 1;
      } catch {
        return 0;
      }
    };
  };
  const start = await wrapperOf("wrapper", runtime);
  const startOther = await wrapperOf("other-wrapper", other);
  const settings = { runtime, runtimeKind: "crun" } as const;
  await prime(setup, [text], settings);
  assertEquals(await start(), 0, "the filter of this version is there");
  assertEquals(await startOther(), 1, "not that of the other runtime");
  await write("crun", "1.30.1");
  assertEquals(await start(), 2, "another version is there");
  await prime(setup, [text], settings);
  assertEquals(await start(), 2, "and now its filter");
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

Deno.test("keepsNul() distinguishes versions of awk", async () => {
  for (
    const [name, words, keeps] of [
      ["mawk", [], true],
      ["gawk", [], true],
      ["busybox", ["awk"], false],
    ] as const
  ) {
    if (!has(name, `keepsNul() of ${name}`)) continue;
    assertEquals(await keepsNul([pathOf(name) ?? "", ...words]), keeps, name);
  }
});

/** The path of a program that a package has installed. */
function systemPath(name: string): string | undefined {
  const paths = ["/usr/bin", "/bin"].map((folder) => `${folder}/${name}`);
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

test("findTools() takes what starts fastest here, for another machine what is usual", async () => {
  const { sh, awk, stat, mv } = await findTools();
  assertEquals({ sh, awk, stat, mv }, {
    sh: "/bin/sh",
    awk: [systemPath("mawk")],
    stat: [systemPath("busybox"), "stat"],
    mv: [systemPath("busybox"), "mv"],
  });
  const usual = await findTools("usual");
  for (const name of ["awk", "stat", "mv"] as const) {
    assertEquals(usual[name], [systemPath(name) ?? ""]);
  }
});

needs("mounts", "busybox")(
  "findTools() takes of busybox only what does what it has to",
  async () => {
    await using setup = await createSetup();
    const busybox = systemPath("busybox") ?? "";
    const fake = await writeProgram(
      setup.directory,
      "busybox",
      '#!/bin/sh\ncase $1 in stat) echo no ;; *) exec "$@" ;; esac\n',
    );
    const module = new URL(
      "../../hook/dispatcher/tools.ts",
      import.meta.url,
    ).href;
    const program = `
    import { findTools } from ${JSON.stringify(module)};
    const { sh, stat, mv } = await findTools();
    console.log(JSON.stringify({ sh, stat, mv }));
  `;
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private", "sh", "-c"],
        'mount --bind "$1" "$2" && exec "$3" eval --no-config --no-lock "$4"',
        ...["sh", fake, busybox, Deno.execPath(), program],
      ],
    }).output();
    const text = new TextDecoder();
    assertEquals(JSON.parse(text.decode(stdout) || text.decode(stderr)), {
      sh: "/bin/sh",
      stat: [systemPath("stat")],
      mv: [busybox, "mv"],
    });
  },
);

Deno.test("keepsNul() returns false for a program that is not awk, or hangs", async () => {
  await using setup = await createSetup();
  const broken = await writeProgram(setup.directory, "broken", "\0ELF?");
  for (const awk of [["/removed"], [broken], ["/bin/false"]]) {
    assertEquals(await keepsNul(awk), false);
  }
});
