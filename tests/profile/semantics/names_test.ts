import { assertEquals } from "@std/assert";
import type { UnknownNames } from "../../../profile/semantics/names.ts";
import { quote } from "../../../profile/text.ts";
import {
  ALLOW,
  entry,
  EPERM,
  findings,
  profileOf,
  resolved,
  STARTS,
  verdicts,
} from "../shared.ts";

/** The diagnostics, except those about the start of containers. */
function said(
  entries: Parameters<typeof profileOf>[0],
  options?: Parameters<typeof findings>[2] & {
    readonly defaultAction?: "allow";
  },
  arches?: Parameters<typeof findings>[1],
): readonly string[] {
  const { defaultAction, ...target } = options ?? {};
  const seccomp = profileOf([...entries, STARTS], defaultAction);
  return findings(seccomp, arches, target);
}

Deno.test("checkNames() reports names that exist nowhere", () => {
  const ignore = "pass --unknown ignore to behave like the runtimes";
  const table = [
    ["opnat", `did you mean "openat"`],
    ["READ", `write "read"`],
    [" read ", `write "read"`],
    ["", `correct the name, or ${ignore}`],
    ["63", `write names, not numbers, or ${ignore}`],
    ["0x3f", `write names, not numbers, or ${ignore}`],
    ["no_such_call_at_all", `correct the name, or ${ignore}`],
    ["__proto__", `did you mean "prctl"`],
    ["constructor", `correct the name, or ${ignore}`],
  ] as const;
  for (const [name, fix] of table) {
    const shown = JSON.stringify(name);
    assertEquals(said([entry(["read", name], "allow")]), [
      `warning unknown-syscall syscalls[0].names[1]: System call ${shown} is unknown: this rule has no effect: ${fix}`,
    ], name);
    assertEquals(said([entry(name, "kill")], { defaultAction: "allow" }), [
      `error unknown-syscall syscalls[0].names[0]: System call ${shown} is unknown: this rule would deny nothing: ${fix}`,
    ], name);
    // Another rule that denies prevents the warning about a filter without one.
    const rules = [entry("mkdir", "kill"), entry(name, "kill")];
    const severities = (
      unknown: UnknownNames,
    ): readonly (string | undefined)[] =>
      said(rules, { defaultAction: "allow", unknown })
        .map((line) => line.split(" ")[0]);
    assertEquals(severities("ignore"), [], name);
    assertEquals(severities("warn"), ["warning"], name);
    assertEquals(severities("deny-error"), ["error"], name);
    assertEquals(severities("error"), ["error"], name);
    assertEquals(
      said([entry(["read", name], "allow")], { unknown: "error" }),
      [
        `error unknown-syscall syscalls[0].names[1]: System call ${shown} is unknown: this rule has no effect: ${fix}`,
      ],
      name,
    );
  }
});

Deno.test("checkNames() prefers the system call of a C library function", () => {
  const of = (what: string): string => `the system call of ${what}()`;
  const table = [
    ["pread", `did you mean "pread64", ${of("pread")}`, "x86_64"],
    ["pwrite", `did you mean "pwrite64", ${of("pwrite")}`, "x86_64"],
    ["fstatat", `did you mean "newfstatat", ${of("fstatat")}`, "x86_64"],
    ["fstatat", `did you mean "fstatat64", ${of("fstatat")}`, "x86"],
    [
      "posix_fadvise",
      `did you mean "fadvise64", ${of("posix_fadvise")}`,
      "aarch64",
    ],
    [
      "posix_fadvise",
      `did you mean "arm_fadvise64_64", ${of("posix_fadvise")}`,
      "arm",
    ],
    ["wait", `did you mean "wait4", ${of("wait")}`, "x86_64"],
    ["prlimit", `did you mean "prlimit64", ${of("prlimit")}`, "x86_64"],
    ["newuname", `did you mean "uname", ${of("newuname")}`, "x86_64"],
    [
      "mkfifo",
      'did you mean "mknod" or "mknodat", the system calls of mkfifo()',
      "x86_64",
    ],
    ["mkfifo", `did you mean "mknodat", ${of("mkfifo")}`, "aarch64"],
    [
      "system",
      'did you mean "clone", "clone3" or "execve", the system calls of system()',
      "x86_64",
    ],
  ] as const;
  for (const [name, fix, arch] of table) {
    for (const written of [name, ` ${name}`, `${name}()`, `SYS_${name}`]) {
      const lines = said([entry(["read", written], "allow")], {}, [arch]);
      assertEquals(lines.length, 1, written);
      assertEquals(lines[0]?.split("no effect: ")[1], fix, written);
    }
  }
});

Deno.test("checkNames() strips prefixes, blanks and parentheses from a name", () => {
  const prefixes = ["sys_", "SYS_", "__NR_", "__NR3264_", "__x64_sys_"];
  const written = [
    ...prefixes.map((prefix) => `${prefix}openat`),
    ...["openat ", "\topenat", "openat()", "openat(2)", "\u00a0OPENAT"],
  ];
  for (const name of written) {
    assertEquals(said([entry(["read", name], "allow")]), [
      `warning unknown-syscall syscalls[0].names[1]: System call ${
        quote(name)
      } is unknown: this rule has no effect: write "openat"`,
    ]);
  }
  // Replacements of a call if that name is unknown.
  const [line] = said([entry(["read", "__NR_mkdir"], "allow")], {}, [
    "aarch64",
  ]);
  assertEquals(line?.split("effect: ")[1], 'write "mkdirat"');
});

Deno.test("checkNames() treats a rule that is stricter than the default as denying", () => {
  const severity = (entries: Parameters<typeof said>[0]): string | undefined =>
    said(entries)[0]?.split(" ")[0];
  assertEquals(severity([entry("opnat", "kill")]), "error");
  assertEquals(severity([entry("opnat", "kill_process")]), "error");
  assertEquals(severity([entry("opnat", "log")]), "warning");
  // Another errno is as strict as the default's.
  assertEquals(severity([entry("opnat", "errno", [], 38)]), "warning");
});

Deno.test("checkNames() ignores entries that make no rule", () => {
  assertEquals(said([entry("opnat", "errno")]), []);
});

Deno.test("checkNames() accepts names of other architectures", () => {
  assertEquals(
    said([entry(["read", "socketcall", "s390_pci_mmio_read"], "allow")]),
    [
      "note no-such-call-here syscalls[0].names: No rule on x86_64 for socketcall, s390_pci_mmio_read: calls of other architectures",
    ],
  );
  assertEquals(
    said([entry(["read", "socketcall"], "allow")], {}, ["x86_64", "x86"]),
    [],
  );
  // Behind a multiplexer a call is there.
  assertEquals(said([entry("accept", "allow")], {}, ["x86_64", "x86"]), []);
});

Deno.test("checkNames() uses the host's library on request", () => {
  const knows = (name: string): boolean => name !== "mseal";
  const seccomp = profileOf([entry(["read", "mseal"], "allow"), STARTS]);
  assertEquals(findings(seccomp, ["x86_64"], { knows }), [
    `warning unknown-syscall syscalls[0].names[1]: System call "mseal" is not known to the host's libseccomp: this rule has no effect: use --names builtin, or update libseccomp`,
  ]);
  const ask = verdicts(seccomp, ["x86_64"], { knows });
  assertEquals([ask("x86_64", "mseal"), ask("x86_64", "read")], [EPERM, ALLOW]);
  assertEquals(resolved(seccomp, ["x86_64"], { knows }).unknownNames, [
    "mseal",
  ]);
});

Deno.test("checkNames() reports all names at once and suggests for the first only", () => {
  const names = Array.from({ length: 200 }, (_, i) => `opnat${i}`);
  const lines = said([entry(names, "kill")], { defaultAction: "allow" });
  assertEquals(lines.length, 200);
  assertEquals(
    lines.filter((l) => l.includes("did you mean")).length <= 20,
    true,
  );
});
