import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { decodeBase64 } from "../../bpf/base64.ts";
import { decode } from "../../bpf/encode.ts";
import { renderHookDispatcher } from "../../hook/dispatcher/dispatcher.ts";
import { findTools } from "../../hook/dispatcher/tools.ts";
import { openStore } from "../../hook/store/store.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { resolve, targetArches } from "../../profile/semantics/resolve.ts";
import { selectFor } from "../../profile/select.ts";
import { archByName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { has, needs, pathOf } from "../machine.ts";
import {
  annotationOf,
  createSetup,
  dispatcherOptions,
  dockerConfig,
  HOOK,
  HOOK_WORDS,
  NAMES,
  namesIn,
  runHook,
  runProgram,
  SMALL_SECTION,
  smallConfig,
  writeProgram,
} from "./shared.ts";

const test = needs("mdwe");

const DENO: readonly string[] = [
  ...[Deno.execPath(), "run", "--no-prompt", "--no-config", "--no-lock"],
  ...["--no-remote", "--no-npm"],
];

/** Proves an annotation equal to the small section, by the built-in names. */
function assertSmallFilter(value: string): void {
  const native = archByName("x86_64");
  assert(native !== undefined);
  const { seccomp } = selectFor(parseProfile(SMALL_SECTION), {
    arch: "x86_64",
    kernel: undefined,
    capabilities: new Set(),
  });
  assert(seccomp !== undefined);
  const { policy } = resolve(seccomp, {
    arches: targetArches(native, seccomp.architectures),
    semantics: "crun",
  });
  const program = decode(decodeBase64(value));
  const proof = proveEquivalent(program, policy);
  assertEquals(proof.kind, "equal");
}

Deno.test("hook/main.ts needs no permission, environment, home, JIT or writable root to rewrite", async (t) => {
  const unshare = pathOf("unshare") ?? "";
  const readOnly = [
    ...[unshare, "--mount", "--propagation", "private"],
    ...["/bin/sh", "-c", 'mount -o remount,bind,ro / / && exec "$@"', "sh"],
  ];
  const ways: Readonly<
    Record<string, { words: readonly string[]; env?: Record<string, string> }>
  > = {
    "nothing": { words: [...DENO, HOOK] },
    "home": { words: [...DENO, HOOK], env: { HOME: "/nonexistent" } },
    "hostile environment": {
      words: [...DENO, HOOK],
      env: {
        HOME: "/proc",
        PATH: "",
        LC_ALL: "tr_TR.UTF-8",
        XDG_CACHE_HOME: "/proc",
      },
    },
    "without JIT": { words: [...DENO, "--v8-flags=--jitless", HOOK] },
    "read-only root": { words: [...readOnly, ...DENO, HOOK] },
  };
  const text = smallConfig({ head: '"n":18446744073709551615,' });
  for (const [name, { words, env }] of Object.entries(ways)) {
    if (
      words[0] === unshare && !has("mounts", "the hook on a read-only root")
    ) {
      continue;
    }
    await t.step(name, async () => {
      const { code, stdout, stderr } = await runProgram(
        words,
        text,
        env === undefined ? {} : { env },
      );
      assertEquals(code, 0, stderr);
      const written = new TextDecoder().decode(stdout);
      assertSmallFilter(annotationOf(written));
      assertEquals(
        written.replace(/"annotations":\{"[^"]*":"[^"]*"\},/, ""),
        text,
      );
      assertStringIncludes(stderr, "built-in table");
      assertStringIncludes(stderr, "Every filter is compiled again");
    });
  }
});

test("hook/main.ts works if executable memory is forbidden", async () => {
  await using setup = await createSetup();
  // PR_SET_MDWE of linux/prctl.h, kept by all that this starts: systemd's
  // MemoryDenyWriteExecute.
  const file = join(setup.directory, "mdwe.ts");
  await Deno.writeTextFile(
    file,
    `const { symbols } = Deno.dlopen("libc.so.6", {
      prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    });
    if (symbols.prctl(65, 1n, 0n, 0n, 0n) !== 0) throw new Error("no PR_SET_MDWE");
    const [program, ...args] = Deno.args;
    const { code } = await new Deno.Command(program, { args }).spawn().status;
    Deno.exit(code);`,
  );
  const jitless = [...DENO, "--v8-flags=--jitless", "-A"];
  const call = ["hook", "--settings", setup.settingsPath];
  const dispatcher = await writeProgram(
    setup.directory,
    "dispatcher",
    renderHookDispatcher({
      ...dispatcherOptions(setup, await findTools(), [...DENO, "-A", HOOK]),
      withoutJit: [...jitless, HOOK],
    }),
  );
  for (const words of [[...jitless, HOOK, ...call], [dispatcher]]) {
    const { code, stdout, stderr } = await runProgram(
      [...jitless, file, ...words],
      smallConfig(),
    );
    // Deno complains about its fast calls, and makes slow ones.
    assertEquals(code, 0, stderr);
    assertSmallFilter(annotationOf(stdout));
    await Deno.remove(setup.store, { recursive: true });
  }
});

Deno.test("hook/main.ts never returns an unproved filter", async () => {
  await using setup = await createSetup();
  const compiler = new URL("../../compiler/compile.ts", import.meta.url).href;
  const stub = join(setup.directory, "compile.ts");
  const map = join(setup.directory, "map.json");
  await Deno.writeTextFile(
    stub,
    `export const compile = () => ({
      program: [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff0000 }],
    });`,
  );
  await Deno.writeTextFile(
    map,
    JSON.stringify({ imports: { [compiler]: `file://${stub}` } }),
  );
  const { code, stdout } = await runProgram(
    [
      ...[...DENO, `--import-map=${map}`, "-A", HOOK],
      ...["hook", "--settings", setup.settingsPath],
    ],
    smallConfig(),
  );
  // The runtime makes its own filter.
  assertEquals([code, new TextDecoder().decode(stdout)], [0, smallConfig()]);
  const [error] = await setup.errors();
  assertStringIncludes(error?.msg ?? "", "failed-proof");
  const store = await openStore(setup.store);
  const items = await store?.list() ?? [];
  assertEquals(items.map(({ entry }) => entry?.bytes.length), [0]);
});

Deno.test("hook/main.ts has no npm: and no node: import", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", HOOK],
  }).output();
  const info = new TextDecoder().decode(stdout);
  assert(!/"specifier":\s*"(?:npm|node|jsr|https?):/.test(info), "local only");
});

Deno.test("hook/main.ts stores proved filters and finds them again", async () => {
  await using setup = await createSetup();
  const text = dockerConfig();
  const first = await runHook(setup, text);
  assertEquals(first.code, 0, first.stderr);
  const names = await namesIn(setup.store);
  assertEquals(
    names.map((name) => name.replace(/.*\.0$/, "entry")),
    [
      ...["entry", "count.hit", "count.left", "count.miss"],
      ...[`environment.crun.${NAMES}`, `environment.crun.${NAMES}.files`],
    ],
  );
  assertEquals((await runHook(setup, text)).stdout, first.stdout);
  assertEquals(await namesIn(setup.store), names);
  const log = (await setup.log()).trim().split("\n");
  assertEquals(
    log.filter((line) => line.includes("compiled and proved")).length,
    1,
    "compiled once",
  );
  // The settings require runc's stub: the annotation is a different filter.
  const runc = await runHook(setup, text, ["--semantics", "runc"]);
  assert(annotationOf(runc.stdout) !== annotationOf(first.stdout));
  const entries = (await namesIn(setup.store)).filter((name) =>
    name.endsWith(".0")
  );
  assertEquals(entries.length, 2);
});

Deno.test("hook/main.ts refuses bad input with an empty output and a line in its log", async () => {
  await using setup = await createSetup();
  const state =
    '{"ociVersion":"1.0.2","id":"c","status":"created","pid":1,"bundle":"/nonexistent"}';
  for (
    const { input, code } of [
      { input: "", code: "bad-input" },
      { input: " \n", code: "bad-config" },
      { input: "null", code: "bad-config" },
      { input: smallConfig().slice(0, 100), code: "bad-config" },
      { input: `${smallConfig()}\0`, code: "bad-config" },
      { input: new Uint8Array([0x7b, 0xff, 0x7d]), code: "bad-config" },
      { input: "{}", code: "bad-input" },
      { input: '{"linux":{"seccomp":{}}}', code: "bad-config" },
      {
        input: smallConfig({ section: SMALL_SECTION.replace("ERRNO", "ERNO") }),
        code: "bad-config",
      },
      {
        input: smallConfig({
          section: SMALL_SECTION.replace(
            '"names"',
            '"includes":{"caps":["CAP_KILL"]},"names"',
          ),
        }),
        code: "bad-config",
      },
      { input: smallConfig({ tail: ',"linux":{}' }), code: "bad-config" },
      {
        input: smallConfig({ head: `"a":"${"x".repeat(17 * 2 ** 20)}",` }),
        code: "bad-input",
      },
      { input: state, code: "bad-bundle" },
    ]
  ) {
    const name = typeof input === "string" ? input.slice(0, 80) : String(input);
    await Deno.writeTextFile(setup.logPath, "");
    const result = await runHook(setup, input);
    assertEquals([result.code, result.stdout.length], [1, 0], name);
    const errors = await setup.errors();
    assertEquals(errors.map((line) => line.code), [code], name);
  }
});

Deno.test("hook/main.ts makes a damaged entry again, and leaves a doubtful store alone", async () => {
  await using setup = await createSetup();
  const first = await runHook(setup, smallConfig());
  const entry = (await namesIn(setup.store)).find((n) => n.endsWith(".0"));
  const path = join(setup.store, entry ?? "");
  const good = await Deno.readTextFile(path);
  const bad = good.replaceAll(/^filter .*$/gm, "filter BgAAAAAA/38=");
  await Deno.writeTextFile(path, bad);
  const changed = await runHook(setup, smallConfig());
  assertEquals([changed.code, changed.stdout], [0, first.stdout]);
  assertStringIncludes(changed.stderr, "doubtful-store");
  assertEquals(await Deno.readTextFile(`${path}.bad`), bad);
  assertEquals(await Deno.readTextFile(path), good);

  await Deno.chmod(setup.store, 0o770);
  const names = await namesIn(setup.store);
  const doubtful = await runHook(setup, smallConfig());
  const text = new TextDecoder();
  assertEquals([doubtful.code, text.decode(doubtful.stdout)], [
    0,
    smallConfig(),
  ]);
  assertStringIncludes(doubtful.stderr, "doubtful-store");
  assertEquals(await namesIn(setup.store), names);
  assertEquals((await runHook(setup, smallConfig(), ["--strict"])).code, 1);
  // An annotation is judged anyway.
  for (const value of [annotationOf(first.stdout), "BgAAAAAA/38="]) {
    const head = `"annotations":{"run.oci.seccomp_bpf_data":"${value}"},`;
    const { code, stdout } = await runHook(setup, smallConfig({ head }));
    const expected = value === "BgAAAAAA/38="
      ? [1, ""]
      : [0, smallConfig({ head })];
    assertEquals([code, text.decode(stdout)], expected);
  }
  // Privileged and unconfined containers do not depend on it.
  assertEquals((await runHook(setup, '{"linux":{}}')).code, 0);
});

Deno.test("hook/main.ts escapes what it logs", async () => {
  await using setup = await createSetup();
  const evil = 'x\\n{\\"level\\":\\"info\\"}\\u001b[2J\\u202e\\u0085';
  const { code, stderr } = await runHook(
    setup,
    `{"linux":{},"annotations":{"${evil}":1}}`,
  );
  assertEquals(code, 1);
  for (const text of [await setup.log(), stderr]) {
    assertEquals(text.split("\n").length, 2, text);
    // deno-lint-ignore no-control-regex -- none may be left
    assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/.test(text), text);
  }
});

Deno.test("hook/main.ts ends by its own deadline", async () => {
  await using setup = await createSetup({ deadlineMs: 500 });
  const [program = "", ...args] = HOOK_WORDS;
  const child = new Deno.Command(program, {
    args: [...args, "hook", "--settings", setup.settingsPath],
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(smallConfig()));
  const { code, stdout } = await child.output();
  assertEquals([code, stdout.length], [1, 0]);
  assertStringIncludes(await setup.log(), "deadline");
  await writer.close().catch(() => {});
});

Deno.test("hook/main.ts refuses settings that are unknown, malformed or writable by others", async () => {
  await using setup = await createSetup();
  const ask = async (): Promise<number> =>
    (await runHook(setup, '{"linux":{}}')).code;
  assertEquals(await ask(), 0);
  for (
    const text of [
      '{"stor":"/x"}',
      '{"store":"x"}',
      '{"log":"x"}',
      "",
      '{"strict":1}',
    ]
  ) {
    await Deno.writeTextFile(setup.settingsPath, text);
    assertEquals(await ask(), 1, text);
  }
  await Deno.writeTextFile(
    setup.settingsPath,
    '{"log":"stderr","store":"none"}',
  );
  assertEquals(await ask(), 0);
  await Deno.chmod(setup.settingsPath, 0o666);
  assertEquals(await ask(), 1);
  assertEquals(
    (await runProgram([...HOOK_WORDS, "--frobnicate"], '{"linux":{}}')).code,
    1,
  );
});
