import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { encodeBase64 } from "../../../bpf/base64.ts";
import { encode } from "../../../bpf/encode.ts";
import { toHex } from "../../../bpf/hex.ts";
import type { Program } from "../../../bpf/instruction.ts";
import { guessKind } from "../../../cli/input/sources/guess.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

/** Allows number 39, kills on all others; hand-made. */
const PROGRAM: Program = [
  { op: "ld.abs", jt: 0, jf: 0, k: 0 },
  { op: "jeq.k", jt: 0, jf: 1, k: 39 },
  { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
  { op: "ret.k", jt: 0, jf: 0, k: 0x8000_0000 },
];
const LITTLE = encode(PROGRAM);
const BIG = encode(PROGRAM, { littleEndian: false });
const TEXT = "ld [0]\njeq #39, yes\nret #0x80000000\nyes: ret #0x7fff0000\n";

Deno.test("sources are recognized automatically", async () => {
  const base64 = encodeBase64(LITTLE);
  const cases: readonly (readonly [string, string | Uint8Array])[] = [
    ["raw", LITTLE],
    ["raw of a big-endian machine", BIG],
    ["base64", base64],
    ["base64 with a line feed", `${base64}\n`],
    [
      "base64 in lines, as base64(1) writes it",
      `${base64.slice(0, 20)}\r\n${base64.slice(20)}\r\n`,
    ],
    ["base64 of a big-endian machine", encodeBase64(BIG)],
    ["hex", toHex(LITTLE)],
    [
      "hex in capitals and words",
      toHex(LITTLE).toUpperCase().replace(/(.{8})/g, "$1 \n"),
    ],
    ["assembly", TEXT],
    [
      "assembly in capitals",
      TEXT.replace(/ld|jeq|ret/g, (m) => m.toUpperCase()),
    ],
    ["assembly after comments", `; a\n# b\n/* c\nd */\n${TEXT}`],
    ["assembly with a label first", `start: ${TEXT}`],
  ];
  for (const [name, stdin] of cases) {
    const allowed = await call(["simulate", "-", "x86_64:39"], { stdin });
    assertEquals([allowed.code, allowed.err], [0, ""], name);
    assertMatch(allowed.out, /^ALLOW\n/, name);
    const killed = await call(["simulate", "-", "x86_64:40"], { stdin });
    assertMatch(killed.out, /^KILL_PROCESS\n/, name);
  }
});

Deno.test("formats of other tools are recognized by name", async () => {
  const cases: readonly (readonly [string, string])[] = [
    ["# ours: https://a.example/\napiVersion: v1\n", "YAML"],
    ["kind: SeccompProfile\n", "a SeccompProfile without a spec"],
    ["1\nwhitelist\n103\n", "an LXC policy"],
    ["ALLOW { read }\n", "a kafel policy"],
    ["/etc/seccomp.json\n", 'the path "/etc/seccomp.json"'],
    ["seccomp/profile.json", 'the path "seccomp/profile.json"'],
    ["unconfined", 'the word "unconfined"'],
  ];
  for (const [stdin, what] of cases) {
    for (const command of ["compile", "prove", "stats", "simulate"]) {
      const words = { prove: ["default:docker"], simulate: ["read"] };
      const more = words[command as keyof typeof words] ?? [];
      const { code, err } = await call([command, "-", ...more], { stdin });
      assertEquals(code, 3, `${command}: ${stdin}`);
      assertMatch(err, /^<stdin>:\d+:\d+: error: Cannot read a profile from /);
      assert(err.includes(what), err);
    }
  }
  // A label may have the name of a key of YAML.
  const labels = ["kind: ret #0x7fff0000\n", "spec:\n ld [0]\n ret #0\n"];
  for (const text of labels) {
    assertEquals(guessKind("x", new TextEncoder().encode(text)), "asm", text);
  }
});

Deno.test("profiles are recognized automatically, and as the kind that is forced", async () => {
  const config = `{"linux": {"seccomp": ${SMALL_PROFILE}}}`;
  const docker = SMALL_PROFILE.replace(
    /"architectures":\[[^\]]*\]/,
    '"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}]',
  );
  const cases: readonly (readonly [string, string, string])[] = [
    ["an OCI section", SMALL_PROFILE, "oci"],
    ["a whole configuration", config, "config"],
    ["Docker's format", docker, "docker"],
    ["comments first", `// a\n/* b */\n${SMALL_PROFILE}`, "oci"],
    ["a byte order mark", `\ufeff${SMALL_PROFILE}`, "oci"],
  ];
  const expected = await call(["compile", ...FIXED, "-"], {
    stdin: SMALL_PROFILE,
  });
  assertEquals(expected.code, 0, expected.err);
  for (const [name, stdin, kind] of cases) {
    for (const from of [[], ["--from", "profile"], ["--from", kind]]) {
      const { code, out, err } = await call(
        ["compile", ...FIXED, ...from, "-"],
        { stdin },
      );
      assertEquals([code, out], [0, expected.out], `${name} ${from}: ${err}`);
    }
  }
  const wrong = await call(["compile", ...FIXED, "--from", "config", "-"], {
    stdin: SMALL_PROFILE,
  });
  assertEquals(wrong.code, 3, "an OCI section is no configuration");
});

Deno.test("empty sources are refused with exit 3 and their name", async () => {
  const utf16 = (text: string, littleEndian: boolean): Uint8Array => {
    const view = new DataView(new ArrayBuffer(2 * text.length));
    for (let i = 0; i < text.length; i++) {
      view.setUint16(2 * i, text.charCodeAt(i), littleEndian);
    }
    return new Uint8Array(view.buffer);
  };
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ["empty", "", /it is empty; give a profile/],
    ["white space", " \n\t\n", /^<stdin>:\d+:\d+: error: /],
    ["null", "null", /error/],
    ["a number", "42", /error/],
    ["a string", '"x"', /error/],
    ["a list", "[]", /error/],
    ["ELF", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), /ELF file/],
    ["UTF-16 with a mark", utf16(`\ufeff${SMALL_PROFILE}`, true), /UTF-16/],
    [
      "UTF-16, big-endian, with a mark",
      utf16(`\ufeff${SMALL_PROFILE}`, false),
      /UTF-16/,
    ],
    ["UTF-16 without a mark", utf16(SMALL_PROFILE, true), /UTF-16/],
    ["UTF-16, big-endian", utf16(SMALL_PROFILE, false), /UTF-16/],
    [
      "odd length",
      LITTLE.subarray(0, 31),
      /31 bytes, which is not a multiple of 8/,
    ],
    ["65,536 instructions", new Uint8Array(65_536 * 8), /65,?536|65,?535/],
    [
      "base64 with a stranger",
      `${encodeBase64(LITTLE).slice(0, -2)}-_`,
      /error/,
    ],
    ["hex of an odd length", toHex(LITTLE).slice(1), /error/],
    ["an unknown word", "frobnicate #1\n", /^<stdin>:1:1: error: /],
    [
      "a profile with trailing garbage",
      `${SMALL_PROFILE} x`,
      /^<stdin>:1:\d+: error: /,
    ],
  ];
  for (const [name, stdin, message] of cases) {
    const { code, out, err } = await call(["disasm", "-q", "-"], { stdin });
    assertEquals([code, out], [3, ""], `${name}: ${err}`);
    assertMatch(err, message, name);
    assert(err.startsWith("<stdin>"), `${name}: ${err}`);
  }
});

Deno.test("errors of a profile are reported all at once, each with its place", async () => {
  await using folder = await createFolder();
  const path = await folder.write(
    "p.json",
    `{\n  "defaultAction": "SCMP_ACT_ALOW",\n  "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",\n    "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EG"}]}]\n}\n`,
  );
  for (const command of ["compile", "disasm", "stats", "selftest"]) {
    const { code, out, err } = await call([command, path]);
    assertEquals([code, out], [3, ""], command);
    const lines = err.trimEnd().split("\n");
    assertEquals(lines.length, 2, err);
    assert(
      lines[0]?.startsWith(`${path}:2:20: error: defaultAction: `),
      lines[0],
    );
    assertMatch(lines[0] ?? "", /did you mean "SCMP_ACT_ALLOW"$/);
    assert(
      lines[1]?.startsWith(`${path}:4:45: error: syscalls[0].args[0].op: `),
      lines[1],
    );
    assertMatch(lines[1] ?? "", /did you mean "SCMP_CMP_EQ"$/);
  }
});

Deno.test("files that cannot be read are refused with exit 3", async () => {
  await using folder = await createFolder();
  const loop = join(folder.path, "loop");
  await Deno.symlink(loop, loop);
  const cases: readonly (readonly [string, RegExp])[] = [
    [join(folder.path, "missing"), /No such file/],
    [folder.path, /a directory/],
    ["/dev/zero", /a device/],
    [loop, /symbolic links/],
    [join(folder.path, "a\nb"), /a\\nb/],
    [join(folder.path, "x".repeat(300)), /name too long/i],
  ];
  for (const [path, message] of cases) {
    const { code, out, err } = await call(["compile", path]);
    assertEquals([code, out], [3, ""], path);
    assertMatch(err, message, path);
    assertEquals(err.split("\n").length, 2, err);
  }
});

Deno.test("a bundle is its annotation if it has one, otherwise its profile", async () => {
  await using folder = await createFolder();
  const bundle = (annotations: string): Promise<string> =>
    folder.write(
      "config.json",
      `{"annotations": ${annotations}, "linux": {"seccomp": ${SMALL_PROFILE}}}`,
    );
  const word = `bundle:${folder.path}`;
  await bundle("{}");
  const profile = await call(["simulate", ...FIXED, word, "x86_64:0"]);
  assertMatch(profile.out, /^ALLOW\n/, profile.err);
  await bundle(`{"run.oci.seccomp_bpf_data": "${encodeBase64(LITTLE)}"}`);
  const annotated = await call(["simulate", ...FIXED, word, "x86_64:0"]);
  assertMatch(annotated.out, /^KILL_PROCESS\n/, annotated.err);
  for (
    const [name, value] of [
      ["white space", `" ${encodeBase64(LITTLE)}"`],
      ["half an instruction", '"AAAA"'],
      ["empty", '""'],
      ["no string", "5"],
    ]
  ) {
    await bundle(`{"run.oci.seccomp_bpf_data": ${value}}`);
    const { code, out, err } = await call(["disasm", word]);
    assertEquals([code, out], [3, ""], name);
    // Position of the value.
    assertMatch(err, /config\.json:1:46: error: annotations\[/, name);
  }
  const missing = await call(["disasm", `bundle:${folder.path}/none`]);
  assertEquals(missing.code, 3);
});

Deno.test("a process that cannot be read is refused with exit 5", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["pid:0", /no process has this ID/],
    ["pid:-1", /no process has this ID/],
    ["pid:2147483648", /no process has this ID/],
    ["pid:4194304", /no such thread/],
  ];
  for (const [word, message] of cases) {
    for (const command of ["disasm", "dump"]) {
      const { code, out, err } = await call([command, word]);
      assertEquals([code, out], [5, ""], `${command} ${word}: ${err}`);
      assertMatch(err, message, word);
    }
  }
});

Deno.test("guessKind() never takes the base64 of a filter for hex", () => {
  // The last instruction is a return: 0x06 or 0x16, at any place of a group of three bytes.
  for (const code of [0x06, 0x16]) {
    for (let length = 1; length <= 12; length++) {
      const bytes = new Uint8Array(8 * length);
      bytes[8 * (length - 1)] = code;
      const text = new TextEncoder().encode(encodeBase64(bytes));
      assertEquals(guessKind("x", text), "base64", `${code} ${length}`);
    }
  }
});
