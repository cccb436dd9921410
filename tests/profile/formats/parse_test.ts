import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProfileError } from "../../../profile/diagnostic.ts";
import { MAX_FINDINGS } from "../../../profile/formats/findings.ts";
import { parseProfile } from "../../../profile/formats/parse.ts";
import { checkTable, findings, withField, withRule } from "./parse_table.ts";

const GIVE = 'give an object with "defaultAction" and "syscalls", or a whole ' +
  "config.json";

Deno.test("parseProfile() names the expected shape for other values", () => {
  checkTable([
    ["", ["1:1: error: The text is empty: give a JSON object"]],
    [" \n ", ["2:2: error: The text is empty: give a JSON object"]],
    ["null", [`1:1: error: Cannot read a profile from null: ${GIVE}`]],
    ["[]", [`1:1: error: Cannot read a profile from an array: ${GIVE}`]],
    ['"x"', [
      `1:1: error: Cannot read a profile from the string "x": ${GIVE}`,
    ]],
    ["42", [`1:1: error: Cannot read a profile from the number 42: ${GIVE}`]],
    ["true", [`1:1: error: Cannot read a profile from true: ${GIVE}`]],
  ]);
});

Deno.test("parseProfile() refuses a profile without default action", () => {
  const missing = 'error: defaultAction: Required field "defaultAction" is ';
  checkTable([
    ["{}", [`1:1: ${missing}missing: say what calls without a rule get…`]],
    ['{"syscalls":[]}', [`1:1: ${missing}missing…`]],
    ['{"defaultAction":null}', [`1:18: ${missing}null…`]],
    ['{"linux":{"seccomp":{}}}', [
      '1:21: error: linux.seccomp.defaultAction: Required field "defaultAction" is missing…',
    ]],
  ]);
});

Deno.test("parseProfile() refuses repeated keys along with other errors", () => {
  checkTable([[
    '{"defaultAction":"SCMP_ACT_ERRNO",\n"defaultAction":"SCMP_ACT_ALLOW",\n"syscalls":[{"names":["a"],"action":"LOG"}]}',
    [
      "2:1: error: defaultAction: Key is repeated, first at 1:2: keep one…",
      '3:37: error: syscalls[0].action: Unknown action "LOG": did you mean "SCMP_ACT_LOG"',
    ],
  ]]);
});

Deno.test("parseProfile() accepts comments and a mark, refuses other text", () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const ok = '{"defaultAction":"SCMP_ACT_ERRNO"}';
  const utf16 = (littleEndian: boolean, text: string): Uint8Array => {
    const view = new DataView(new ArrayBuffer(text.length * 2));
    for (let i = 0; i < text.length; i++) {
      view.setUint16(2 * i, text.charCodeAt(i), littleEndian);
    }
    return new Uint8Array(view.buffer);
  };
  const isUtf16 = "1:1: error: The text is UTF-16: save it as UTF-8";
  checkTable([
    [`\ufeff${ok}`, ["1:1: note: The text starts with a byte order mark…"]],
    [encode(`\ufeff${ok}`), [
      "1:1: note: The text starts with a byte order mark…",
    ]],
    [`${ok}\n// x`, ["2:1: note: The text has comments…"]],
    [`${ok} /* x */`, ["1:36: note: The text has comments…"]],
    ['{"defaultAction":"SCMP_ACT_ERRNO",}', [
      '1:34: error: defaultAction: Comma before "}": remove it…',
    ]],
    [utf16(true, ok), [isUtf16]],
    [utf16(false, ok), [isUtf16]],
    [utf16(true, `\ufeff${ok}`), [isUtf16]],
    [utf16(false, `\ufeff${ok}`), [isUtf16]],
    ['{"defaultAction":"SCMP_\0"}', [
      "1:24: error: defaultAction: NUL in a string…",
    ]],
    ['{"defaultAction":"\\ud800"}', [
      "1:19: error: defaultAction: Half a surrogate pair…",
    ]],
    ['{"defaultAction":"\ud800"}', ["1:19: error: Half a surrogate pair…"]],
    [`${ok}}`, [
      '1:35: error: Unexpected text after the end of the value, found "}"…',
    ]],
    [new Uint8Array([...encode('{\n"é'), 0xff, 0x22]), [
      "2:3: error: The text is not UTF-8: byte 0xff at offset 5: save it as UTF-8",
    ]],
    [new Uint8Array([...encode(`${ok} `), 0xc3]), [
      "1:37: error: The text is not UTF-8: it ends within a character…",
    ]],
  ]);
});

Deno.test("parseProfile() limits depth, length and findings", () => {
  const long = assertThrows(
    () => parseProfile(new Uint8Array(11), { maxLength: 10 }),
    ProfileError,
  );
  assertEquals(long.diagnostics[0]?.code, "json-size");
  assertThrows(() => parseProfile(new Uint8Array(2 ** 24 + 1)), ProfileError);
  checkTable([["[".repeat(100_000), [
    "1:129: error: Nesting is deeper than 128 levels…",
  ]]]);
  const bad = Array.from({ length: 3000 }, () => "{}").join(",");
  const seen = findings(
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${bad}]}`,
  );
  assertEquals(seen.length, MAX_FINDINGS + 1);
  assert(
    seen.at(-1)?.includes("More errors follow"),
    seen.at(-1),
  );
});

Deno.test("parseProfile() reads a million names and a hundred thousand rules", () => {
  const names = Array.from({ length: 1_000_000 }, () => '"openat"').join(",");
  const wide = parseProfile(
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW","names":[${names}]}]}`,
  );
  assertEquals(wide.section?.syscalls[0]?.names.length, 1_000_000);
  const rule = '{"names":["read"],"action":"SCMP_ACT_ALLOW"}';
  const rules = Array.from({ length: 100_000 }, () => rule).join(",");
  const long = parseProfile(
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rules}]}`,
  );
  assertEquals(long.section?.syscalls.at(-1)?.path, "syscalls[99999]");
});

Deno.test("parseProfile() takes names such as __proto__ as data", () => {
  const { section } = parseProfile(
    '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["__proto__","constructor","toString"],"action":"SCMP_ACT_ALLOW"}]}',
  );
  assertEquals(section?.syscalls[0]?.names, [
    "__proto__",
    "constructor",
    "toString",
  ]);
  checkTable([
    [withField('"__proto__":{"architectures":["x"]},"toString":1'), [
      '2:1: warning: __proto__: Unknown field "__proto__"…',
      '2:37: warning: toString: Unknown field "toString"…',
    ]],
    ['{"defaultAction":"constructor"}', [
      '1:18: error: defaultAction: Unknown action "constructor": use one of SCMP_ACT_KILL, …',
    ]],
    [withRule(',"includes":{"arches":["toString"],"__proto__":{}}'), [
      '2:67: error: syscalls[0].includes.arches[0]: Unknown architecture "toString": use one such as amd64, x86, x32',
      '2:79: error: syscalls[0].includes.__proto__: Unknown condition "__proto__": use caps, arches or minKernel',
    ]],
  ]);
});
