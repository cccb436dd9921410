import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { decode, encode } from "../../bpf/encode.ts";
import { parseProfile } from "../../profile/parse.ts";
import { resolve, targetArches } from "../../profile/resolve.ts";
import { selectFor } from "../../profile/select.ts";
import { archByName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import {
  annotationOf,
  createSetup,
  dockerConfig,
  HOOK,
  HOOK_WORDS,
  namesIn,
  runHook,
  runProgram,
  SMALL_SECTION,
  smallConfig,
} from "./shared.ts";

const KEY = "run.oci.seccomp_bpf_data";
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
  const proof = proveEquivalent({ kind: "program", program }, {
    kind: "policy",
    policy,
  });
  assertEquals(proof.kind, "equal");
}

Deno.test("hook/main.ts needs no permission, environment, home, JIT or writable root to rewrite", async (t) => {
  const readOnly = [
    ...["/usr/bin/unshare", "--mount", "--propagation", "private"],
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
      assertStringIncludes(stderr, "Every filter is compiled anew");
    });
  }
});

Deno.test("hook/main.ts has no npm: and no node: import", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", HOOK],
  }).output();
  const info = new TextDecoder().decode(stdout);
  assert(!/"specifier":\s*"(?:npm|node|jsr|https?):/.test(info), "local only");
});

Deno.test("hook/main.ts stores what it proved, and finds it again", async () => {
  await using setup = await createSetup();
  const text = dockerConfig();
  const first = await runHook(setup, text);
  assertEquals(first.code, 0, first.stderr);
  const names = await namesIn(setup.store);
  assertEquals(
    names.map((name) => name.replace(/^[0-9]+\..*/, "entry")),
    [".lock", "entry", "environment.crun.host"],
  );
  assertEquals((await runHook(setup, text)).stdout, first.stdout);
  assertEquals(await namesIn(setup.store), names);
  const log = (await setup.log()).trim().split("\n");
  assertEquals(
    log.filter((line) => line.includes("compiled and proved")).length,
    1,
    "compiled once",
  );
  // The settings ask for runc's stub: another filter beside it.
  const runc = await runHook(setup, text, ["--semantics", "runc"]);
  assert(annotationOf(runc.stdout) !== annotationOf(first.stdout));
  assertEquals((await namesIn(setup.store)).length, 5);
});

Deno.test("hook/main.ts leaves a container without a section alone, whatever its annotations", async () => {
  await using setup = await createSetup();
  for (
    const text of [
      '{"ociVersion":"1.0.2","process":{"args":["a"]}}',
      '{"linux":{}}',
      ' {"linux":{"seccomp":null}}\n',
      '{"ociVersion":"99","windows":{},"linux":null,"n":1E400}',
      `{"linux":{},"annotations":{"${KEY}":"BgAAAAAA/38="}}`,
    ]
  ) {
    const { code, stdout, stderr } = await runHook(setup, text, ["--strict"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(new TextDecoder().decode(stdout), text);
  }
});

Deno.test("hook/main.ts passes on what it cannot optimize, and refuses it when strict", async (t) => {
  await using setup = await createSetup();
  const notify = SMALL_SECTION.replace(
    '"SCMP_ACT_ALLOW"}',
    '"SCMP_ACT_ALLOW"},{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}',
  );
  const values = Array.from({ length: 2500 }, (_, i) => i * 7 + 1);
  const large = SMALL_SECTION.replace(
    "[{",
    `[${
      values.map((v, i) =>
        `{"names":["prctl"],"action":"SCMP_ACT_ERRNO","errnoRet":${
          i + 1
        },"args":[{"index":0,"value":${v},"op":"SCMP_CMP_EQ"}]},`
      ).join("")
    }{`,
  );
  const cases: Readonly<Record<string, { text: string; reason: string }>> = {
    "notify": { text: smallConfig({ section: notify }), reason: "notify" },
    "a receiver beside the listener": {
      text: smallConfig({
        section: notify.replace("{", '{"listenerPath":"/s",'),
        head: '"annotations":{"run.oci.seccomp.receiver":"/r"},',
      }),
      reason: "notify",
    },
    "another architecture": {
      text: smallConfig({
        section: SMALL_SECTION.replace("X86_64", "SH"),
      }),
      reason: "architecture",
    },
    "too large": { text: smallConfig({ section: large }), reason: "too-large" },
  };
  for (const [name, { text, reason }] of Object.entries(cases)) {
    await t.step(name, async () => {
      const lax = await runHook(setup, text);
      assertEquals(lax.code, 0, lax.stderr);
      assert(new TextDecoder().decode(lax.stdout) === text, "unchanged");
      assertStringIncludes(await setup.log(), `(${reason})`);
      const strict = await runHook(setup, text, ["--strict"]);
      assertEquals([strict.code, strict.stdout.length], [1, 0]);
      assertStringIncludes(strict.stderr, "not-optimized");
    });
  }
  const listening = smallConfig({
    section: notify.replace("{", '{"listenerPath":"/s",'),
  });
  const { stdout } = await runHook(setup, listening);
  assert(annotationOf(stdout).length > 0, "crun keeps a listener");
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
    const lines = (await setup.log()).trim().split("\n");
    assertEquals(lines.length, 1, name);
    const line = JSON.parse(lines[0] ?? "");
    assertEquals([line.level, line.code], ["error", code], name);
  }
});

Deno.test("hook/main.ts refuses hostile annotations and names the first call they open", async () => {
  await using setup = await createSetup();
  const good = annotationOf((await runHook(setup, smallConfig())).stdout);
  const ret = (k: number): { op: "ret.k"; jt: 0; jf: 0; k: number } => ({
    op: "ret.k",
    jt: 0,
    jf: 0,
    k,
  });
  const allow = ret(0x7fff_0000);
  const bytes = decodeBase64(good);
  // Opens write to descriptor 3 alone... which the section allows; so open.
  const program = decode(bytes);
  const hidden = encode([
    { op: "ld.abs", jt: 0, jf: 0, k: 0 },
    { op: "jeq.k", jt: 0, jf: 3, k: 2 },
    { op: "ld.abs", jt: 0, jf: 0, k: 44 },
    { op: "jeq.k", jt: 0, jf: 1, k: 0x1234 },
    allow,
    ...program,
  ]);
  const raw = (count: number): Uint8Array<ArrayBuffer> => {
    const all = new Uint8Array(count * 8);
    for (let i = 0; i < count; i++) all.set(encode([allow]), i * 8);
    return all;
  };
  for (
    const { name, value, seen } of [
      {
        name: "allow all",
        value: encodeBase64(encode([allow])),
        seen: '"open" on x86_64 gets ALLOW',
      },
      {
        name: "log all",
        value: encodeBase64(encode([ret(0x7ffc_0000)])),
        seen: '"open" on x86_64 gets LOG',
      },
      {
        name: "one call",
        value: encodeBase64(hidden),
        seen: '"open" on x86_64 with arguments',
      },
      {
        name: "stricter",
        value: encodeBase64(encode([ret(0)])),
        seen: "not seen to open",
      },
      {
        name: "65,537 instructions",
        value: encodeBase64(raw(65_537)),
        seen: "65537",
      },
      {
        name: "4,097 instructions",
        value: encodeBase64(raw(4097)),
        seen: "4097",
      },
      { name: "no instruction", value: "", seen: "" },
      {
        name: "trailing bytes",
        value: encodeBase64(new Uint8Array([...bytes, 0])),
        seen: "multiple of 8",
      },
      { name: "padding", value: `${good}=`, seen: "base64" },
      {
        name: "padding inside",
        value: `${good.slice(0, 4)}====${good.slice(4)}`,
        seen: "base64",
      },
      {
        name: "line break",
        value: `${good.slice(0, 8)}\\n${good.slice(8)}`,
        seen: "base64",
      },
      { name: "blank in front", value: ` ${good}`, seen: "base64" },
      {
        name: "no final return",
        value: encodeBase64(bytes.slice(0, 8)),
        seen: "",
      },
    ]
  ) {
    await Deno.writeTextFile(setup.logPath, "");
    const { code, stdout } = await runHook(
      setup,
      smallConfig({ head: `"annotations":{"${KEY}":"${value}"},` }),
    );
    assertEquals([code, stdout.length], [1, 0], name);
    const log = await setup.log();
    assertStringIncludes(log, "foreign-annotation", name);
    assertStringIncludes(JSON.parse(log).msg, seen, name);
  }
  // Ours, and another spelling of the same meaning, pass byte for byte.
  const equal = encodeBase64(
    encode([{ op: "ld.abs", jt: 0, jf: 0, k: 0 }, ...program]),
  );
  for (const value of [good, equal]) {
    const text = smallConfig({ tail: `,"annotations":{"${KEY}":"${value}"}` });
    const { code, stdout, stderr } = await runHook(setup, text);
    assertEquals([code, new TextDecoder().decode(stdout)], [0, text], stderr);
  }
});

Deno.test("hook/main.ts refuses a tampered store", async () => {
  await using setup = await createSetup();
  await runHook(setup, smallConfig());
  const entry = (await namesIn(setup.store)).find((n) => /^[0-9]/.test(n));
  const path = join(setup.store, entry ?? "");
  const good = await Deno.readTextFile(path);
  await Deno.writeTextFile(
    path,
    good.replace(/^filter .*$/m, "filter BgAAAAAA/38="),
  );
  const changed = await runHook(setup, smallConfig());
  assertEquals([changed.code, changed.stdout.length], [1, 0]);
  assertStringIncludes(changed.stderr, "doubtful-store");
  await Deno.writeTextFile(path, good);
  assertEquals((await runHook(setup, smallConfig())).code, 0);
  await Deno.chmod(setup.store, 0o770);
  assertEquals((await runHook(setup, smallConfig())).code, 1);
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
