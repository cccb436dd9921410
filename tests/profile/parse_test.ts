import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Diagnostic, ProfileError } from "../../profile/error.ts";
import { MAX_FINDINGS } from "../../profile/findings.ts";
import { locate } from "../../profile/json_path.ts";
import { type ParseOptions, parseProfile } from "../../profile/parse.ts";

/** One finding as the command line shows it, without the file name. */
function show(d: Diagnostic): string {
  const path = d.path === "" ? "" : `${d.path}: `;
  const fix = d.fix === undefined ? "" : `: ${d.fix}`;
  return `${d.line}:${d.column}: ${d.severity}: ${path}${d.message}${fix}`;
}

/** Everything that is said about a profile, whether it is accepted or not. */
function findings(
  source: string | Uint8Array,
  options: ParseOptions = {},
): readonly string[] {
  try {
    return parseProfile(source, options).diagnostics.map(show);
  } catch (error) {
    if (error instanceof ProfileError) return error.diagnostics.map(show);
    throw error;
  }
}

/** A profile with one rule that has these further fields. */
function withRule(fields: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[\n{"names":["read"],"action":"SCMP_ACT_ALLOW"${fields}}]}`;
}

/** A profile with one comparison. */
function withArg(arg: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[\n${arg}]}]}`;
}

/** A profile with these further fields, on a second line. */
function withField(fields: string): string {
  return `{"defaultAction":"SCMP_ACT_ERRNO",\n${fields}}`;
}

/** Checks a table: input to all findings; an ending in … is a beginning. */
function checkTable(
  table: readonly (readonly [string | Uint8Array, readonly string[]])[],
  options: ParseOptions = {},
): void {
  for (const [source, expected] of table) {
    const seen = findings(source, options);
    const name = String(source).slice(0, 300);
    assertEquals(seen.length, expected.length, `${name}\n${seen.join("\n")}`);
    for (const [i, line] of expected.entries()) {
      const cut = line.endsWith("…") ? line.length - 1 : undefined;
      assertEquals(
        seen[i]?.slice(0, cut),
        line.slice(0, cut),
        `${name}\n${seen[i]}`,
      );
    }
  }
}

const GIVE = 'give an object with "defaultAction" and "syscalls", or a whole ' +
  "config.json";
const U64 = "write an integer from 0 to 18446744073709551615";

Deno.test("parseProfile() row 1: names the expected shape for other values", () => {
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

Deno.test("parseProfile() row 2: refuses a profile without default action", () => {
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

Deno.test("parseProfile() row 3: refuses repeated keys along with other errors", () => {
  checkTable([[
    '{"defaultAction":"SCMP_ACT_ERRNO",\n"defaultAction":"SCMP_ACT_ALLOW",\n"syscalls":[{"names":["a"],"action":"LOG"}]}',
    [
      "2:1: error: defaultAction: Key is repeated, first at 1:2: keep one…",
      '3:37: error: syscalls[0].action: Unknown action "LOG": did you mean "SCMP_ACT_LOG"',
    ],
  ]]);
});

Deno.test("parseProfile() row 4: accepts comments and a mark, refuses other text", () => {
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
      '1:35: error: Unexpected text behind the end of the value, seen "}"…',
    ]],
    [new Uint8Array([...encode('{\n"é'), 0xff, 0x22]), [
      "2:3: error: The text is no UTF-8: byte 0xff at offset 5: save it as UTF-8",
    ]],
    [new Uint8Array([...encode(`${ok} `), 0xc3]), [
      "1:37: error: The text is no UTF-8: it ends within a character…",
    ]],
  ]);
});

Deno.test("parseProfile() row 5: limits depth, length and findings", () => {
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
    seen.at(-1)?.includes("More errors from here on"),
    seen.at(-1),
  );
});

Deno.test("parseProfile() row 5: reads a million names and a hundred thousand rules", () => {
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

Deno.test("parseProfile() row 6: takes names such as __proto__ as data", () => {
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

Deno.test("parseProfile() row 7: refuses unknown actions with a suggestion", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["SCMP_ACT_ALOW", "SCMP_ACT_ALLOW"],
    ["scmp_act_allow", "SCMP_ACT_ALLOW"],
    [" SCMP_ACT_ALLOW ", "SCMP_ACT_ALLOW"],
    ["ALLOW", "SCMP_ACT_ALLOW"],
    ["errno", "SCMP_ACT_ERRNO"],
    ["SCMP_ACT_KILLPROCESS", "SCMP_ACT_KILL_PROCESS"],
    ["kill thread", "SCMP_ACT_KILL_THREAD"],
  ];
  checkTable(cases.map(([seen, meant]) => [
    `{"defaultAction":"${seen}"}`,
    [
      `1:18: error: defaultAction: Unknown action "${seen}": did you mean "${meant}"`,
    ],
  ]));
  checkTable([
    ['{"defaultAction":7}', [
      "1:18: error: defaultAction: Expected an action, seen the number 7",
    ]],
    [`{"defaultAction":"x\\n${"y".repeat(99)}"}`, [
      `1:18: error: defaultAction: Unknown action "x\\n${"y".repeat(58)}…`,
    ]],
  ]);
});

Deno.test("parseProfile() row 10: takes the old name form for Docker's only", () => {
  const rule = '{"name":"read","action":"SCMP_ACT_ALLOW"}';
  const old = parseProfile(
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rule}]}`,
  );
  assertEquals(old.kind, "docker-legacy");
  assertEquals(old.section?.syscalls[0]?.names, ["read"]);
  checkTable([
    [withRule(',"name":"write"'), [
      '2:52: error: syscalls[0].name: Rule has both "name" and "names": move the name into the names',
    ]],
    [withRule(',"name":""'), []],
    [
      `{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[${rule}]}}}`,
      [
        `1:75: error: linux.seccomp.syscalls[0].name: Field "name" is of Docker's format; runtimes ignore it here…`,
      ],
    ],
  ]);
});

Deno.test("parseProfile() row 11: warns of a rule without names", () => {
  const rule = (names: string): string =>
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{${names}"action":"SCMP_ACT_ALLOW"}]}`;
  checkTable([
    [rule('"names":[],'), [
      "1:56: warning: syscalls[0].names: Rule names no system call and so does nothing: add a name or remove the rule",
    ]],
    [rule(""), [
      '1:47: error: syscalls[0].names: Required field "names" is missing: list the names of the system calls',
    ]],
    [rule('"names":null,'), [
      '1:56: error: syscalls[0].names: Required field "names" is null…',
    ]],
    [rule('"names":"read",'), [
      '1:56: error: syscalls[0].names: Expected an array of names, seen the string "read"',
    ]],
    [rule('"names":["a",1],'), [
      "1:61: error: syscalls[0].names[1]: Expected the name of a system call, seen the number 1",
    ]],
  ]);
});

Deno.test("parseProfile() row 12: refuses argument indices that are none", () => {
  const arg = (index: string): string =>
    withArg(`{"value":1,"op":"SCMP_CMP_EQ"${index}}`);
  const path = "error: syscalls[0].args[0].index: Argument index";
  const range = "write an integer from 0 to 5";
  checkTable([
    [arg(',"index":6'), [`2:39: ${path} 6 is too large: ${range}`]],
    [arg(',"index":-1'), [`2:39: ${path} -1 is negative: ${range}`]],
    [arg(',"index":1.5'), [
      `2:39: ${path} 1.5 is not written as an integer: ${range}`,
    ]],
    [arg(',"index":"0"'), [
      `2:39: ${path} is the string "0", not a number: remove the quotes`,
    ]],
    [arg(""), [
      '2:1: error: syscalls[0].args[0].index: Required field "index" is missing: give the argument, 0 to 5',
    ]],
    [arg(',"index":5'), []],
  ]);
});

Deno.test("parseProfile() row 13: refuses a seventh comparison", () => {
  const args = (count: number): string =>
    withArg(
      Array.from(
        { length: count },
        (_, i) => `{"index":${i % 6},"value":0,"op":"SCMP_CMP_EQ"}`,
      ).join("\n,"),
    );
  checkTable([
    [args(6), []],
    [args(7), [
      "8:2: error: syscalls[0].args[6]: Rule has 7 comparisons, 6 are possible…",
    ]],
  ]);
});

Deno.test("parseProfile() row 14: keeps 64-bit values exact", () => {
  for (
    const value of [
      0n,
      2n ** 53n + 1n,
      2n ** 63n,
      2n ** 64n - 1n,
      2114060288n,
    ]
  ) {
    const { section } = parseProfile(
      withArg(
        `{"index":0,"value":${value},"valueTwo":${value},"op":"SCMP_CMP_MASKED_EQ"}`,
      ),
    );
    assertEquals(section?.syscalls[0]?.args, [
      { index: 0, value, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" },
    ]);
  }
  const { section } = parseProfile(
    withArg('{"index":0,"value":7,"op":"SCMP_CMP_GT"}'),
  );
  assertEquals(section?.syscalls[0]?.args[0]?.valueTwo, 0n);
});

Deno.test("parseProfile() row 15: refuses values that are no u64 as written", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["18446744073709551616", `18446744073709551616 is too large: ${U64}`],
    [`1${"0".repeat(500)}`, `1${"0".repeat(39)} is too large: ${U64}`],
    ["-1", `-1 is negative: ${U64}`],
    ["-0", `-0 is negative: ${U64}`],
    ["1.5", `1.5 is not written as an integer: ${U64}`],
    ["1.0", `1.0 is not written as an integer: ${U64}`],
    ["1e3", `1e3 is not written as an integer: ${U64}`],
    ['"5"', 'is the string "5", not a number: remove the quotes'],
    ['"0x5"', `is the string "0x5", not a number: ${U64}`],
    ["true", `is true, not a number: ${U64}`],
    ["[1]", `is an array, not a number: ${U64}`],
  ];
  for (const field of ["value", "valueTwo"] as const) {
    const other = field === "value" ? "" : '"value":0,';
    checkTable(cases.map(([value, said]) => [
      withArg(`{"index":0,"op":"SCMP_CMP_EQ",${other}"${field}":${value}}`),
      [
        `2:${
          field === "value" ? 39 : 52
        }: error: syscalls[0].args[0].${field}: ${field} ${said}`,
      ],
    ]));
  }
  checkTable([
    [withArg('{"index":0,"op":"SCMP_CMP_EG","value":1}'), [
      '2:17: error: syscalls[0].args[0].op: Unknown operator "SCMP_CMP_EG": did you mean "SCMP_CMP_EQ"',
    ]],
    [withArg('{"index":0}'), [
      '2:1: error: syscalls[0].args[0].value: Required field "value" is missing…',
      '2:1: error: syscalls[0].args[0].op: Required field "op" is missing: use one of SCMP_CMP_NE, …',
    ]],
  ]);
});

Deno.test("parseProfile() row 17: checks errno data against the action", () => {
  const rule = (action: string, errno: string): string =>
    `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[\n{"names":["read"],"action":"SCMP_ACT_${action}","errnoRet":${errno}}]}`;
  const path = "error: syscalls[0].errnoRet: errnoRet";
  const range = "write an integer from 0 to 4095";
  const takesNone = (action: string): string =>
    `error: syscalls[0].errnoRet: SCMP_ACT_${action} takes no errnoRet: remove it, or use SCMP_ACT_ERRNO…`;
  checkTable([
    [rule("ERRNO", "4095"), []],
    [rule("ERRNO", "4096"), [`2:56: ${path} 4096 is too large: ${range}`]],
    [rule("ERRNO", "12345"), [`2:56: ${path} 12345 is too large: ${range}`]],
    [rule("ERRNO", "70000"), [`2:56: ${path} 70000 is too large: ${range}`]],
    [rule("ERRNO", "-1"), [`2:56: ${path} -1 is negative: ${range}`]],
    [rule("ERRNO", "0"), [
      "2:56: warning: syscalls[0].errnoRet: errnoRet 0 makes a call pretend to succeed without running…",
    ]],
    [rule("ERRNO", "null"), []],
    [rule("TRACE", "65535"), []],
    [rule("TRACE", "0"), []],
    [rule("TRACE", "65536"), [`2:56: ${path} 65536 is too large…`]],
    [rule("ALLOW", "1"), [`2:56: ${takesNone("ALLOW")}`]],
    [rule("KILL", "1"), [`2:55: ${takesNone("KILL")}`]],
    [rule("LOG", "0"), [`2:54: ${takesNone("LOG")}`]],
    ['{"defaultAction":"SCMP_ACT_ALLOW",\n"defaultErrnoRet":1}', [
      "2:19: error: defaultErrnoRet: SCMP_ACT_ALLOW takes no defaultErrnoRet…",
    ]],
    ['{"defaultAction":"SCMP_ACT_ERRNO",\n"defaultErrnoRet":4096}', [
      "2:19: error: defaultErrnoRet: defaultErrnoRet 4096 is too large…",
    ]],
  ]);
  const { section } = parseProfile(rule("ERRNO", "38"));
  assertEquals(section?.syscalls[0]?.errnoRet, 38);
});

Deno.test("parseProfile() row 19: knows the architectures", () => {
  const path = (i: number): string => `error: architectures[${i}]: Unknown`;
  checkTable([
    [withField('"architectures":["SCMP_ARCH_X86_65"]'), [
      `2:18: ${
        path(0)
      } architecture "SCMP_ARCH_X86_65": did you mean "SCMP_ARCH_X86_64"`,
    ]],
    [withField('"architectures":["x86_64","SCMP_ARCH_NATIVE"]'), [
      `2:18: ${path(0)} architecture "x86_64": did you mean "SCMP_ARCH_X86_64"`,
      `2:27: ${
        path(1)
      } architecture "SCMP_ARCH_NATIVE": use one such as SCMP_ARCH_X86, SCMP_ARCH_X86_64, SCMP_ARCH_X32`,
    ]],
    [withField('"architectures":[]'), []],
    [withField('"architectures":null'), []],
    [withField('"architectures":"SCMP_ARCH_X86"'), [
      "2:17: error: architectures: Expected an array of architectures…",
    ]],
    [withField('"architectures":["SCMP_ARCH_X86","SCMP_ARCH_X86"]'), [
      '2:34: warning: architectures[1]: Repeated architecture "SCMP_ARCH_X86": remove the repetition',
    ]],
  ]);
});

Deno.test("parseProfile() row 20: never ignores Docker's fields", () => {
  const section = withRule(',"includes":{"caps":["CAP_BPF"]}');
  assertEquals(parseProfile(section).kind, "docker");
  assertEquals(parseProfile(withField('"archMap":[]')).kind, "docker");
  const ignored = "is of Docker's format; runtimes ignore it here…";
  const archMap =
    `"archMap":[{"architecture":"SCMP_ARCH_X86","subArchitectures":null}]`;
  checkTable([
    [`{"linux":{"seccomp":${section}}}`, [
      `2:56: error: linux.seccomp.syscalls[0].includes: Field "includes" ${ignored}`,
    ]],
    [`{"linux":{"seccomp":${withField(archMap)}}}`, [
      `2:11: error: linux.seccomp.archMap: Field "archMap" ${ignored}`,
    ]],
    [`{"linux":{"seccomp":${withRule(',"includes":{},"excludes":null')}}}`, []],
  ]);
  checkTable([
    [section, [
      `2:56: error: syscalls[0].includes: Field "includes" ${ignored}`,
    ]],
    ["{}", [
      '1:1: error: defaultAction: Required field "defaultAction" is missing…',
    ]],
  ], { kind: "oci" });
});

Deno.test("parseProfile() row 21: checks conditions", () => {
  const rule = (conditions: string): string =>
    withRule(`,"includes":\n{${conditions}}`);
  const kernel = (seen: string): string =>
    `3:14: error: syscalls[0].includes.minKernel: Kernel version "${seen}" is not of the form KERNEL.MAJOR: write exactly two numbers, such as "4.8"`;
  checkTable([
    [rule('"minKernel":"abc"'), [kernel("abc")]],
    [rule('"minKernel":"5"'), [kernel("5")]],
    [rule('"minKernel":"6.1.0-rc1"'), [kernel("6.1.0-rc1")]],
    [rule('"minKernel":"256.0"'), [kernel("256.0")]],
    [rule('"minKernel":"0.0"'), [kernel("0.0")]],
    [rule('"minKernel":5.1'), [
      '3:14: error: syscalls[0].includes.minKernel: Expected a kernel version such as "4.8", seen the number 5.1',
    ]],
    [rule('"minKernel":""'), []],
    [rule('"minKernel":"4.8"'), []],
    [rule('"caps":["SYS_ADMIN","cap_bpf","CAP_SYS_ADMINN","CAP_XYZZY"]'), [
      '3:10: error: syscalls[0].includes.caps[0]: Unknown capability "SYS_ADMIN": did you mean "CAP_SYS_ADMIN"',
      '3:22: error: syscalls[0].includes.caps[1]: Unknown capability "cap_bpf": did you mean "CAP_BPF"',
      '3:32: error: syscalls[0].includes.caps[2]: Unknown capability "CAP_SYS_ADMINN": did you mean "CAP_SYS_ADMIN"',
      '3:49: error: syscalls[0].includes.caps[3]: Unknown capability "CAP_XYZZY": use one such as CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH',
    ]],
    [rule('"arches":["amd64","amd46"]'), [
      '3:20: error: syscalls[0].includes.arches[1]: Unknown architecture "amd46": did you mean "amd64"',
    ]],
    [rule('"kernel":"4.8"'), [
      '3:2: error: syscalls[0].includes.kernel: Unknown condition "kernel": use caps, arches or minKernel',
    ]],
    [withRule(',"excludes":[]'), [
      "2:56: error: syscalls[0].excludes: Expected an object with caps, arches or minKernel, seen an array",
    ]],
  ]);
});

Deno.test("parseProfile() row 22: refuses unknown flags and keeps known ones", () => {
  checkTable([
    [
      withField(
        '"flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER","SECCOMP_FILTER_FLAG_TSYNC_ESRCH","LOG"]',
      ),
      [
        '2:10: error: flags[0]: Unknown flag "SECCOMP_FILTER_FLAG_NEW_LISTENER"…',
        '2:45: error: flags[1]: Unknown flag "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"…',
        '2:79: error: flags[2]: Unknown flag "LOG": did you mean "SECCOMP_FILTER_FLAG_LOG"',
      ],
    ],
  ]);
  const flags = [
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
  ];
  const read = (list: unknown): readonly string[] | undefined =>
    parseProfile(withField(`"flags":${JSON.stringify(list)}`)).section?.flags;
  assertEquals(read(flags), flags);
  assertEquals(read([]), []);
  assertEquals(read(null), undefined);
});

Deno.test("parseProfile() row 23: knows where notifications are possible", () => {
  const rule = (name: string): string =>
    `"syscalls":[{"names":["${name}"],"action":"SCMP_ACT_NOTIFY"}]`;
  const path = '"listenerPath":"/run/x"';
  checkTable([
    ['{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x"}', [
      "1:18: error: defaultAction: SCMP_ACT_NOTIFY cannot be the default action…",
    ]],
    [withField(`${path},${rule("write")}`), [
      '2:65: error: syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for "write"…',
    ]],
    [withField(`${path},"listenerMetadata":"m",${rule("mount")}`), []],
    [withField(rule("mount")), [
      "1:1: warning: syscalls[0]: SCMP_ACT_NOTIFY without listenerPath fails every call with ENOSYS…",
    ]],
    [withField('"listenerMetadata":"m"'), [
      '1:1: error: Field "listenerMetadata" needs "listenerPath"…',
    ]],
  ]);
  const { section } = parseProfile(withField(`${path},${rule("mount")}`));
  assertEquals(section?.listenerPath, "/run/x");
});

Deno.test("parseProfile() rows 27 to 29: tells configurations, states and sections apart", () => {
  const unconfined =
    "note: linux.seccomp: Configuration has no seccomp section: the container is unconfined";
  checkTable([
    ['{"ociVersion":"1.0.2","process":{}}', [`1:1: ${unconfined}`]],
    ['{"ociVersion":"1.0.2","linux":{}}', [`1:31: ${unconfined}`]],
    ['{"linux":{"seccomp":null}}', [`1:10: ${unconfined}`]],
    [
      '{"ociVersion":"1.0.2","id":"a","status":"created","pid":1,"bundle":"/b"}',
      [
        "1:1: error: Cannot read a profile from a container's state…",
      ],
    ],
    [
      '{"Linux":{"seccomp":{}}}',
      [
        '1:1: error: defaultAction: Required field "defaultAction" is missing…',
        '1:2: warning: Linux: Unknown field "Linux"…',
      ],
    ],
    ['{"ociVersion":"1","Linux":{}}', [
      `1:1: ${unconfined}`,
      '1:19: error: Linux: Unknown field "Linux": did you mean "linux"…',
    ]],
    ['{"linux":{"Seccomp":{}}}', [
      `1:10: ${unconfined}`,
      '1:11: error: linux.Seccomp: Unknown field "Seccomp": did you mean "seccomp"…',
    ]],
    ['{"linux":{"seccomp":[]}}', [
      "1:21: error: linux.seccomp: Expected an object, seen an array",
    ]],
    ['{"linux":7}', [
      "1:10: error: linux: Expected an object, seen the number 7",
    ]],
    [
      '{"ociVersion":"1","defaultAction":"SCMP_ACT_ALLOW"}',
      [
        '1:35: error: defaultAction: Document has "defaultAction" and "ociVersion"…',
        `1:1: ${unconfined}`,
      ].reverse(),
    ],
    ["---\napiVersion: v1", ["1:1: error: Cannot read a profile from YAML…"]],
    ["# c\n\napiVersion: v1", ["1:1: error: Cannot read a profile from YAML…"]],
    ['{"apiVersion":"v1","kind":"SeccompProfile"}', [
      "1:1: error: Cannot read a profile from a Kubernetes object…",
    ]],
    ['{"vmm":{"default_action":"trap","filter_action":"allow","filter":[]}}', [
      "1:1: error: Cannot read a profile from a filter in Firecracker's format…",
    ]],
  ]);
  for (const text of ['{"ociVersion":"1"}', '{"linux":{"seccomp":null}}']) {
    const parsed = parseProfile(text);
    assertEquals([parsed.kind, parsed.section], ["config", undefined]);
  }
  checkTable([['{"linux":{}}', [
    "1:1: error: Expected a profile of kind docker, seen a whole config.json…",
  ]]], { kind: "docker" });
  checkTable([[withField('"syscalls":[]'), [
    "1:1: error: Expected a whole config.json, seen a profile by itself…",
  ]]], { kind: "config" });
});

Deno.test("parseProfile() refuses misspelt fields and warns of unknown ones", () => {
  checkTable([
    [withField('"DefaultErrnoRet":38,"archmap":[],"comment":"x","x-note":1'), [
      '2:1: error: DefaultErrnoRet: Unknown field "DefaultErrnoRet": did you mean "defaultErrnoRet"',
      '2:22: error: archmap: Unknown field "archmap": did you mean "archMap"',
      '2:49: warning: x-note: Unknown field "x-note", which every runtime ignores: remove it',
    ]],
    [withRule(',"exludes":{},"arg":[],"comment":"x"'), [
      '2:45: error: syscalls[0].exludes: Unknown field "exludes": did you mean "excludes"',
      '2:58: error: syscalls[0].arg: Unknown field "arg": did you mean "args"',
    ]],
    [withArg('{"index":0,"value":1,"valuetwo":2,"op":"SCMP_CMP_EQ"}'), [
      '2:22: error: syscalls[0].args[0].valuetwo: Unknown field "valuetwo": did you mean "valueTwo"',
    ]],
  ]);
});

Deno.test("parseProfile() looks at a hundred unknown fields and no more", () => {
  const fields = (count: number): string =>
    withField(Array.from({ length: count }, (_, i) => `"${i}":0`).join(","));
  assertEquals(findings(fields(100)).length, 100);
  const seen = findings(fields(150));
  assertEquals(seen.length, 101);
  assertEquals(
    seen.at(-1),
    "2:691: error: More than 100 unknown fields: give a profile",
  );
});

Deno.test("parseProfile() gives every rule a path that leads back to its place", () => {
  const section = withRule("");
  const own = parseProfile(section);
  const path = own.section?.syscalls[0]?.path ?? "";
  assertEquals(path, "syscalls[0]");
  assertEquals(locate(own.document, path), { line: 2, column: 1 });
  const whole = parseProfile(`{"linux":\n\n{"seccomp":${section}}}`);
  const inside = whole.section?.syscalls[0]?.path ?? "";
  assertEquals(inside, "linux.seccomp.syscalls[0]");
  assertEquals(locate(whole.document, inside), { line: 4, column: 1 });
});
