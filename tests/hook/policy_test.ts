import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { decode, encode } from "../../bpf/encode.ts";
import {
  annotationOf,
  createSetup,
  runHook,
  SMALL_SECTION,
  smallConfig,
} from "./shared.ts";

const KEY = "run.oci.seccomp_bpf_data";

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

Deno.test("hook/main.ts logs doubtful constructs of a section and does not refuse them", async (t) => {
  await using setup = await createSetup({ deadlineMs: 600_000 });
  const sections: Readonly<Record<string, readonly [string, string]>> = {
    "a remark": [
      SMALL_SECTION.replace("{", '{"_comment":"x",').replace(
        '{"names"',
        '{"Comments":["y"],"names"',
      ),
      "_comment",
    ],
    "a name of the C library": [
      SMALL_SECTION.replace('"read"', '"read","pread"'),
      "pread",
    ],
    "a rule without a call": [
      SMALL_SECTION.replace(
        "[{",
        '[{"names":["cacheflush"],"action":"SCMP_ACT_KILL"},{',
      ),
      "cacheflush",
    ],
    "a filter that denies nothing": [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["cacheflush","pread"],"action":"SCMP_ACT_ERRNO"}]}',
      "Filter denies nothing",
    ],
  };
  for (const [name, [section, doubt]] of Object.entries(sections)) {
    await t.step(name, async () => {
      assert(section !== SMALL_SECTION);
      const text = smallConfig({ section });
      const { code, stdout, stderr } = await runHook(setup, text, ["--strict"]);
      assertEquals(code, 0, stderr);
      assert(annotationOf(new TextDecoder().decode(stdout)).length > 0);
      const log = await Deno.readTextFile(setup.logPath);
      assertStringIncludes(log, doubt);
    });
  }
});

Deno.test("hook/main.ts passes on sections that it cannot optimize, and refuses them when strict", async (t) => {
  await using setup = await createSetup();
  const notify = SMALL_SECTION.replace(
    '"SCMP_ACT_ALLOW"}',
    '"SCMP_ACT_ALLOW"},{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}',
  );
  const values = Array.from({ length: 2100 }, (_, i) => i * 7 + 1);
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
    // libseccomp refuses it, so the runtime does, as it would without a hook.
    "an architecture of the other byte order": {
      text: smallConfig({
        section: SMALL_SECTION.replace("X86_64", "MIPS64"),
      }),
      reason: "refused",
    },
    "too large": { text: smallConfig({ section: large }), reason: "too-large" },
  };
  for (const [name, { text, reason }] of Object.entries(cases)) {
    await t.step(name, async () => {
      const lax = await runHook(setup, text);
      assertEquals(lax.code, 0, lax.stderr);
      assert(new TextDecoder().decode(lax.stdout) === text, "unchanged");
      assertStringIncludes(await setup.log(), `(${reason})`);
      if (reason === "too-large") return; // Once is long enough.
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
  // Known by now, and still not with another receiver beside it.
  const text = listening.replace(
    "{",
    '{"annotations":{"run.oci.seccomp.receiver":"/r"},',
  );
  const other = await runHook(setup, text);
  assertEquals(new TextDecoder().decode(other.stdout), text);
});

Deno.test("hook/main.ts leaves refused sections to their runtime and optimizes the others", async (t) => {
  const idle = SMALL_SECTION.replace(
    '"SCMP_ACT_ALLOW"',
    '"SCMP_ACT_ALLOW","errnoRet":1',
  );
  const empty = SMALL_SECTION.replace('"read"', '"read",""');
  const flags = SMALL_SECTION.replace(
    "{",
    '{"flags":["SECCOMP_FILTER_FLAG_LOG"],',
  );
  const seven = SMALL_SECTION.replace(
    "[{",
    `[{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[${
      Array.from(
        { length: 7 },
        (_, i) => `{"index":0,"value":${i},"op":"SCMP_CMP_EQ"}`,
      ).join(",")
    }]},{`,
  );
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    [idle, "crun@1.8.1", "crun 1.8.1 refuses an errno for"],
    [idle, "runc@1.1.5", undefined],
    [empty, "runc@1.1.5", "runc 1.1.5 refuses an empty name"],
    [empty, "crun@1.8.1", undefined],
    [flags, "runc@1.1.5", "runc 1.1.5 refuses flags"],
    [flags, "runc@1.2.0", undefined],
    [seven, "crun@1.8.1", undefined],
    [seven, "crun@1.30", undefined],
    [seven, "runc@1.1.5", undefined],
  ];
  const filters = new Map<string, string>();
  for (const [section, semantics, refusal] of cases) {
    await t.step(`${semantics}: ${refusal ?? "runs"}`, async () => {
      await using setup = await createSetup({ deadlineMs: 600_000 });
      const text = smallConfig({ section });
      const words = ["--semantics", semantics];
      const { code, stdout, stderr } = await runHook(setup, text, words);
      assertEquals(code, 0, stderr);
      const written = new TextDecoder().decode(stdout);
      if (refusal === undefined) {
        filters.set(`${section} ${semantics}`, annotationOf(written));
      } else {
        assertEquals(written, text);
        assertStringIncludes(await setup.log(), refusal);
      }
    });
  }
  const of = (semantics: string): string | undefined =>
    filters.get(`${seven} ${semantics}`);
  assert(of("crun@1.8.1") !== of("crun@1.30"), "six and seven comparisons");
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
        seen: "no call that it allows beyond it was found",
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
    const [error, ...more] = await setup.errors();
    assertEquals([error?.code, more], ["foreign-annotation", []], name);
    assertStringIncludes(error?.msg ?? "", seen, name);
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
