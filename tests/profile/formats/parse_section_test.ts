import { assertEquals } from "@std/assert";
import { join, locate } from "../../../profile/json/path.ts";
import { parseProfile } from "../../../profile/formats/parse.ts";
import {
  checkTable,
  findings,
  withArg,
  withField,
  withRule,
} from "./parse_table.ts";

Deno.test("parseProfile() knows the architectures", () => {
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

Deno.test("parseProfile() never ignores Docker's fields", () => {
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

Deno.test("parseProfile() checks conditions", () => {
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
      '3:14: error: syscalls[0].includes.minKernel: Expected a kernel version such as "4.8", found the number 5.1',
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
      "2:56: error: syscalls[0].excludes: Expected an object with caps, arches or minKernel, found an array",
    ]],
  ]);
});

Deno.test("parseProfile() refuses unknown flags and keeps known ones", () => {
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

Deno.test("parseProfile() knows where notifications are possible", () => {
  const rule = (name: string): string =>
    `"syscalls":[{"names":["${name}"],"action":"SCMP_ACT_NOTIFY"}]`;
  const path = '"listenerPath":"/run/x"';
  checkTable([
    // resolve() decides whether a runtime accepts these.
    ['{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x"}', []],
    [withField(`${path},${rule("write")}`), []],
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

Deno.test("parseProfile() distinguishes configurations, states and sections", () => {
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
      "1:21: error: linux.seccomp: Expected an object, found an array",
    ]],
    ['{"linux":7}', [
      "1:10: error: linux: Expected an object, found the number 7",
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
    "1:1: error: Expected a profile of kind docker, found a whole config.json…",
  ]]], { kind: "docker" });
  checkTable([[withField('"syscalls":[]'), [
    "1:1: error: Expected a whole config.json, found a profile by itself…",
  ]]], { kind: "config" });
});

Deno.test("parseProfile() refuses misspelled fields and warns about unknown ones", () => {
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

Deno.test("parseProfile() takes a remark at any place for a warning", () => {
  const ignored = "which every runtime ignores: remove it";
  const remarks = [
    ...["_comment", "comments", "Comment", "COMMENTS", "_comments", "$comment"],
    ...["__comment__", "//comment", "//", "#", "_", "note", "notes", "Notes"],
    ...["_note", "description", "_description", "remark", "remarks"],
  ];
  for (const key of remarks) {
    const line = (place: string, path: string): string =>
      `${place}: warning: ${
        join(path, key)
      }: Unknown field "${key}", ${ignored}`;
    checkTable([
      [withField(`"${key}":["x"]`), [line("2:1", "")]],
      [withRule(`,"${key}":"x"`), [line("2:45", "syscalls[0]")]],
      [withArg(`{"${key}":{},"index":0,"value":1,"op":"SCMP_CMP_EQ"}`), [
        line("2:2", "syscalls[0].args[0]"),
      ]],
    ]);
    checkTable([
      [withField(`"archMap":[{"${key}":1,"architecture":"SCMP_ARCH_X86"}]`), [
        line("2:13", "archMap[0]"),
      ]],
      [withRule(`,"includes":{"${key}":1}`), [
        line("2:57", "syscalls[0].includes"),
      ]],
    ], { kind: "docker" });
  }
  // A possibly misspelled field or condition is refused as before.
  checkTable([
    [withRule(',"includes":{"cap":["CAP_CHOWN"]}'), [
      '2:57: error: syscalls[0].includes.cap: Unknown condition "cap"…',
    ]],
  ], { kind: "docker" });
});

Deno.test("parseProfile() refuses keys that Go's readers fold to a field", () => {
  const fields = ["defaultAction", "syscalls", "archMap", "listenerPath"];
  for (const field of fields) {
    const key = field.toUpperCase().replaceAll("S", "\u017f");
    checkTable([[withField(`"${key}":[]`), [
      `2:1: error: ${
        join("", key)
      }: Unknown field "${key}": did you mean "${field}"`,
    ]]]);
  }
  checkTable([
    [withRule(',"\u017fy\u017fcall\u017f":1,"ARG\u017f":[]'), [
      '2:45: warning: syscalls[0]["ſyſcallſ"]: Unknown field "ſyſcallſ"…',
      '2:58: error: syscalls[0]["ARGſ"]: Unknown field "ARGſ": did you mean "args"',
    ]],
    ['{"linux":{"\u017feccomp":{}}}', [
      "1:10: note: linux.seccomp: Configuration has no seccomp section…",
      '1:11: error: linux["ſeccomp"]: Unknown field "ſeccomp": did you mean "seccomp"…',
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
