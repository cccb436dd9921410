import { assertEquals } from "@std/assert";
import { DEFAULT_PROFILE } from "../../../profile/default_profile.ts";
import { foreignText } from "../../../profile/formats/foreign.ts";
import { checkTable, findings, withField } from "./parse_table.ts";

const YAML = [
  "Cannot read a profile from YAML, such as a Kubernetes SeccompProfile: give the profile as JSON; in a SeccompProfile, it is the spec",
];
const LXC = [
  "Cannot read a profile from an LXC policy: list its calls in a Docker or OCI profile",
];
const MINIJAIL = [
  "Cannot read a profile from a minijail policy: list its calls in a Docker or OCI profile, or give the filter that minijail's compile_seccomp_policy makes from it",
];
const KAFEL = [
  "Cannot read a profile from a kafel policy: list its calls in a Docker or OCI profile, or give the filter that kafel's dump_policy_bpf makes from it",
];
const FIRECRACKER = [
  "Cannot read a profile from a filter in Firecracker's format: list its calls in a Docker or OCI profile",
];

/** Texts in the formats of other tools, after their documentation. */
const TEXTS: readonly (readonly [string, readonly string[]])[] = [
  ["apiVersion: v1\nkind: SeccompProfile\n", YAML],
  ["# ours: https://a.example/b\n\napiVersion: v1\n", YAML],
  ["---\n# x\ndefaultAction: SCMP_ACT_ERRNO\n", YAML],
  ["%YAML 1.2\n---\n", YAML],
  ["defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [read]\n", YAML],
  ["'defaultAction': SCMP_ACT_ERRNO\n", YAML],
  ["spec:\n  defaultAction: SCMP_ACT_ERRNO\n", YAML],
  [`# ${"long ".repeat(2000)}\nkind: SeccompProfile\n`, YAML],
  ["2\ndenylist\nreject_force_umount\n[all]\nkexec_load errno 1\n", LXC],
  ["2\nblacklist\n[all]\n", LXC],
  ["1\nwhitelist\n103\n104\n", LXC],
  ["# a policy\r\n2\r\nallowlist errno 5\r\nread\r\n", LXC],
  ["lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp\n", LXC],
  ["read: 1\nwrite: 1\n", MINIJAIL],
  ["# policy\n@include ./base.policy\nread: allow\n", MINIJAIL],
  ["@default: kill-thread\n", MINIJAIL],
  ["@frequency ./x.frequency\nread: allow\n", MINIJAIL],
  ["openat: return EPERM\n", MINIJAIL],
  ["ioctl: arg1 == 0x5401 || arg1 == 0x5402\n", MINIJAIL],
  ["socket: arg0 in AF_UNIX; return EPERM\n", MINIJAIL],
  ["{read, write}: allow\n", MINIJAIL],
  ["access[arch=x86_64]: kill-process\n", MINIJAIL],
  [
    "POLICY sample {\n  ALLOW { read, write }\n}\nUSE sample DEFAULT KILL\n",
    KAFEL,
  ],
  ["#define STDOUT 1\nALLOW {\n  write(fd) { fd == STDOUT }\n}\n", KAFEL],
  ["// a\nERRNO(1) { ptrace }\nDEFAULT ALLOW\n", KAFEL],
  ["KILL_PROCESS { ptrace } DEFAULT ALLOW", KAFEL],
  [
    '{"vmm":{"default_action":"trap","filter_action":"allow","filter":[]}}',
    FIRECRACKER,
  ],
  [
    '{"main":{"mismatch_action":"trap","match_action":"allow","filter":[]}}',
    FIRECRACKER,
  ],
  [
    '{"default_action":"trap","filter_action":"allow","filter":[]}',
    FIRECRACKER,
  ],
  ["/etc/docker/seccomp.json\n", [
    'Cannot read a profile from the path "/etc/docker/seccomp.json": give the file there',
  ]],
  ['"profiles/audit.json"', [
    'Cannot read a profile from the path "profiles/audit.json": give the file there',
  ]],
  ["./a b.json", [
    'Cannot read a profile from the path "./a b.json": give the file there',
  ]],
  ["runtime/default\n", [
    'Cannot read a profile from the word "runtime/default": give the file that it stands for, or default:docker',
  ]],
  ['"unconfined"', [
    'Cannot read a profile from the word "unconfined": an unconfined container has no filter',
  ]],
  ['{"type":"Localhost","localhostProfile":"profiles/audit.json"}', [
    "Cannot read a profile from a Kubernetes security context: give the file that localhostProfile names",
  ]],
  ['{"seccomp-profile":"/etc/docker/x.json"}', [
    'Cannot read a profile from settings of dockerd: give the file that "seccomp-profile" names',
  ]],
  ['"x"', [
    'Cannot read a profile from the string "x": give an object with "defaultAction" and "syscalls", or a whole config.json',
  ]],
];

Deno.test("parseProfile() names the formats of other tools, and what to do", () => {
  for (const [text, [expected = ""]] of TEXTS) {
    const [line = ""] = findings(text);
    assertEquals(line.replace(/^\d+:\d+: error: /, ""), expected, text);
  }
});

Deno.test("parseProfile() reports where another format begins", () => {
  checkTable([["\n\n  read: 1\n", [
    "3:3: error: Cannot read a profile from a minijail policy…",
  ]]]);
});

Deno.test("foreignText() takes no profile for another format", () => {
  const words = [
    "DEFAULT ALLOW",
    "POLICY a {",
    "read: 1",
    "kind: x",
    "2\ndenylist",
  ];
  const texts = [
    DEFAULT_PROFILE,
    "{}",
    "",
    withField('"syscalls":[]'),
    ...words.flatMap((word) => [
      `{\n/*\n${word}\n*/}`,
      `{\n"x":"${word.replace("\n", "\\n")}"}`,
      `// ${word.replace("\n", " ")}\n{}`,
      `/*\n${word}\n*/{}`,
      JSON.stringify([word]),
    ]),
  ];
  for (const text of texts) assertEquals(foreignText(text), undefined, text);
});
