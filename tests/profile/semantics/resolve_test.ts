import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProfileError } from "../../../profile/diagnostic.ts";
import { resolve, targetArches } from "../../../profile/semantics/resolve.ts";
import { decide } from "../../../verify/decide.ts";
import {
  ALLOW,
  archOf,
  arg,
  type Entry,
  entry,
  EPERM,
  findings,
  KILL,
  LOG,
  numberOf,
  profileOf,
  resolved,
  SKIPPED,
  STARTS,
  TRAP,
  verdicts,
  X32,
} from "../shared.ts";

const EINVAL = 0x0005_0016;
/** The diagnostics, except those about the start of containers. */
function said(
  entries: readonly Entry[],
  ...rest: readonly [
    arches?: Parameters<typeof findings>[1],
    options?: Parameters<typeof findings>[2],
  ]
): readonly string[] {
  return findings(profileOf([...entries, STARTS]), ...rest);
}

function names(
  native: Parameters<typeof archOf>[0],
  list: readonly string[],
): string {
  return targetArches(archOf(native), list).map((a) => a.name).join();
}

Deno.test("targetArches() always filters the native architecture, first", () => {
  assertEquals(names("x86_64", []), "x86_64");
  assertEquals(names("x86_64", ["SCMP_ARCH_X86"]), "x86_64,x86");
  assertEquals(
    names("x86_64", [
      "SCMP_ARCH_X32",
      "SCMP_ARCH_X86_64",
      "SCMP_ARCH_X86",
      "SCMP_ARCH_X32",
    ]),
    "x86_64,x32,x86",
  );
  assertEquals(names("s390x", ["SCMP_ARCH_S390"]), "s390x,s390");
});

Deno.test("targetArches() refuses what the runtimes refuse, all at once", () => {
  const error = assertThrows(
    () =>
      targetArches(archOf("x86_64"), [
        "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC",
        "SCMP_ARCH_X86",
      ]),
    ProfileError,
  );
  assertEquals(
    error.diagnostics.map((d) => `${d.path} ${d.code} ${d.message}: ${d.fix}`),
    [
      'architectures[0] byte-order Cannot filter architecture "SCMP_ARCH_S390X" on x86_64: byte orders differ: remove it; the runtimes also refuse the container',
      'architectures[1] unsupported-architecture Cannot filter architecture "SCMP_ARCH_PARISC": no system call table: remove it, or compile for a host that does not need it',
    ],
  );
});

Deno.test("resolve() kills unknown architectures whatever the default is", () => {
  for (const action of ["allow", "errno", "kill_process"] as const) {
    const { policy } = resolved(profileOf([], action));
    const data = { nr: 0, arch: 0x4000_0003, instructionPointer: 0n, args: [] };
    assertEquals(decide(policy, data).value, KILL, action);
    assertEquals(policy.badArchValue, KILL, action);
  }
});

Deno.test("resolve() guards the numbers of x32 where x86_64 is alone", () => {
  const ask = verdicts(profileOf([entry("kill", "kill")], "allow"));
  const table = [
    [0x3fff_ffff, ALLOW],
    [0x4000_0000, KILL],
    [X32 + 1, KILL],
    [0x7fff_ffff, KILL],
    [0x8000_0000, KILL],
    [0xffff_fffe, KILL],
    [SKIPPED, ALLOW],
  ] as const;
  for (const [nr, value] of table) {
    assertEquals(ask("x86_64", nr), value, nr.toString(16));
  }
  const both = verdicts(profileOf([], "allow"), ["x86_64", "x32"]);
  for (const nr of [0, X32, X32 + 9000, 0x8000_0000, SKIPPED]) {
    assertEquals(both("x86_64", nr), ALLOW, nr.toString(16));
  }
  const x32 = verdicts(profileOf([], "allow"), ["x32"]);
  assertEquals([x32("x32", 0), x32("x32", 0x3fff_ffff), x32("x32", X32)], [
    KILL,
    KILL,
    ALLOW,
  ]);
});

Deno.test("resolve() applies the default to nr −1 elsewhere", () => {
  const ask = verdicts(profileOf([]), ["x86_64", "x86"]);
  assertEquals([ask("x86", SKIPPED), ask("x86_64", SKIPPED)], [EPERM, EPERM]);
});

Deno.test("resolve() gives a name the number of each architecture", () => {
  const ask = verdicts(profileOf([entry("openat", "allow")]), [
    "x86_64",
    "x86",
    "x32",
  ]);
  // Numbers from the kernel's tables, by hand.
  assertEquals(ask("x86_64", 257), ALLOW);
  assertEquals(ask("x86", 295), ALLOW);
  assertEquals(ask("x86_64", X32 + 257), ALLOW);
  assertEquals(ask("x86", 257), EPERM);
  assertEquals(ask("x86_64", 295), EPERM);
});

Deno.test("resolve() compares 32-bit arguments on x86 and x32", () => {
  const ask = verdicts(
    profileOf([
      entry("personality", "allow", [arg(0, "eq", 0x5_0000_0001n)]),
      entry("getpriority", "allow", [arg(0, "lt", 1n << 32n)]),
      entry("setpriority", "allow", [arg(0, "ge", 1n << 32n)]),
      entry("sync", "allow", [arg(0, "masked_eq", 0xff_0000_0000n, 0n)]),
      entry("umask", "allow", [arg(0, "gt", 0xffff_ffffn)]),
    ]),
    ["x86_64", "x86", "x32"],
  );
  const x32 = (name: string): number => numberOf("x32", name);
  assertEquals(ask("x86_64", "personality", 1n), EPERM);
  assertEquals(ask("x86_64", "personality", 0x5_0000_0001n), ALLOW);
  for (const value of [1n, 0x5_0000_0001n, 0x9_0000_0001n]) {
    assertEquals(ask("x86", "personality", value), ALLOW, `${value}`);
    assertEquals(ask("x86_64", x32("personality"), value), ALLOW, `${value}`);
  }
  assertEquals(ask("x86_64", "getpriority", 7n), ALLOW);
  assertEquals(ask("x86", "getpriority", 7n), EPERM);
  assertEquals(ask("x86_64", "setpriority", 7n), EPERM);
  assertEquals(ask("x86", "setpriority", 7n), ALLOW);
  assertEquals(ask("x86_64", "sync", 1n << 33n), EPERM);
  assertEquals(ask("x86", "sync", 1n << 33n), ALLOW);
  assertEquals(ask("x86_64", "umask", 1n << 33n), ALLOW);
  assertEquals(ask("x86", "umask", 1n << 33n), EPERM);
});

Deno.test("resolve() skips entries equal to the default, which then protect nothing", () => {
  const ask = verdicts(profileOf([
    entry("kill", "errno", [arg(0, "eq", 5n)]),
    entry("kill", "allow"),
  ]));
  assertEquals(ask("x86_64", "kill", 5n), ALLOW);
  // Another errno is another action.
  const other = profileOf([
    entry("kill", "errno", [arg(0, "eq", 5n)], 22),
    entry("kill", "allow", [arg(0, "ne", 4n)]),
  ]);
  assertEquals(verdicts(other)("x86_64", "kill", 5n), EINVAL);
});

Deno.test("resolve() takes a repeated index as OR, loudly", () => {
  const entries = [
    entry("kill", "allow", [
      arg(0, "ge", 5n),
      arg(0, "le", 2n),
      arg(1, "eq", 9n),
    ]),
  ];
  const ask = verdicts(profileOf(entries));
  assertEquals(ask("x86_64", "kill", 5n, 0n), ALLOW);
  assertEquals(ask("x86_64", "kill", 2n, 0n), ALLOW);
  assertEquals(ask("x86_64", "kill", 3n, 0n), EPERM);
  assertEquals(ask("x86_64", "kill", 3n, 9n), ALLOW);
  assertEquals(said(entries).map((l) => l.split(":")[0]), [
    "warning repeated-index syscalls[0].args",
  ]);
  assertEquals(
    said(entries, ["x86_64"], { strict: true }).map((l) => l.split(":")[0]),
    [
      "error repeated-index syscalls[0].args",
    ],
  );
});

Deno.test("resolve() ignores the order of args", () => {
  const args = [arg(0, "eq", 1n), arg(2, "gt", 3n)];
  const a = resolved(profileOf([entry("kill", "allow", args)])).policy;
  const b =
    resolved(profileOf([entry("kill", "allow", args.toReversed())])).policy;
  assertEquals(a, b);
});

Deno.test("resolve() conflicts name both rules, for absent names as well", () => {
  const clash = (name: string): readonly Entry[] => [
    entry(name, "allow", [arg(0, "eq", 1n)]),
    entry(name, "log", [arg(0, "eq", 1n)]),
  ];
  assertEquals(said(clash("kill")), [
    'error conflicting-rules syscalls[1]: Cannot add this rule for "kill" on x86_64: the rule at syscalls[0] has the same condition and another action: remove one of the two; the runtimes refuse the container (EEXIST)',
  ]);
  // Filed under its negative number where the call does not exist.
  assertEquals(
    said(clash("s390_runtime_instr")).filter((l) => l.startsWith("error")),
    [
      'error conflicting-rules syscalls[1]: Cannot add this rule for "s390_runtime_instr" on x86_64: the rule at syscalls[0] has the same condition and another action: remove one of the two; the runtimes refuse the container (EEXIST)',
    ],
  );
  // Dropped on architectures with a multiplexer.
  assertEquals(
    said(clash("riscv_flush_icache"), ["x86"]).filter((l) =>
      l.startsWith("error")
    ),
    [],
  );
  const error = assertThrows(
    () => resolved(profileOf([...clash("kill"), ...clash("read")])),
    ProfileError,
  );
  assertEquals(
    error.diagnostics.filter((d) => d.severity === "error").length,
    2,
  );
});

Deno.test("resolve() reports which rule wins", () => {
  assertEquals(
    said([
      entry("kill", "log", [arg(0, "eq", 1n)]),
      entry(["read", "kill"], "allow"),
    ]),
    ['warning dead-rule syscalls[0]: Rule has no effect for "kill" on x86_64: the rule at syscalls[1] has no conditions and replaces it: remove one of the two'],
  );
  assertEquals(
    said([
      entry("kill", "allow"),
      entry("kill", "log"),
    ], ["x86_64", "x86"]),
    [
      'warning dead-rule syscalls[1]: Rule has no effect for "kill" on x86_64: the rule at syscalls[0] has no conditions and replaces it: remove one of the two',
      'note dead-rule syscalls[1]: Rule has no effect for "kill" on x86: the rule at syscalls[0] has no conditions and replaces it: remove one of the two',
    ],
  );
  assertEquals(
    said([
      entry("kill", "log", [arg(0, "eq", 1n)]),
      entry("kill", "allow", [arg(1, "eq", 5n)]),
    ]),
    ['note rule-order syscalls[1]: Rules for "kill" on x86_64 are evaluated in this order: syscalls[1], syscalls[0]'],
  );
  assertEquals(
    said([
      entry("kill", "allow", [arg(0, "eq", 1n)]),
      entry("kill", "allow"),
    ]),
    [],
  );
});

Deno.test("resolve() orders rules of several actions as libseccomp asks them", () => {
  const ask = verdicts(profileOf([
    entry("kill", "log", [arg(0, "eq", 1n)]),
    entry("kill", "trap", [arg(1, "eq", 5n)]),
    entry("tkill", "log", [arg(0, "eq", 1n)]),
    entry("tkill", "trap", [arg(0, "ne", 3n)]),
    entry("tkill", "kill", [arg(0, "eq", 5n)]),
  ]));
  assertEquals(ask("x86_64", "kill", 1n, 5n), TRAP);
  assertEquals(ask("x86_64", "kill", 1n, 4n), LOG);
  assertEquals(ask("x86_64", "tkill", 1n), TRAP);
  assertEquals(ask("x86_64", "tkill", 5n), KILL);
  assertEquals(ask("x86_64", "tkill", 3n), EPERM);
});

Deno.test("resolve() ignored bits, empty masks and dead rules are warned of", () => {
  const codes = (entries: readonly Entry[]): readonly string[] =>
    said(entries).map((l) => l.split(" ").slice(0, 2).join(" "));
  assertEquals(codes([entry("kill", "allow", [arg(0, "masked_eq", 1n, 3n)])]), [
    "warning bits-outside-mask",
  ]);
  assertEquals(codes([entry("kill", "allow", [arg(0, "masked_eq", 0n, 3n)])]), [
    "warning empty-mask",
  ]);
  assertEquals(codes([entry("kill", "allow", [arg(0, "lt", 0n)])]), [
    "warning dead-rule",
  ]);
});

Deno.test("resolve() refuses all bad values at once", () => {
  const seccomp = profileOf([
    entry("read", "errno", [], 4095),
    entry("opnat", "kill"),
    entry("kill", "log", [arg(0, "eq", 1n)]),
    entry("kill", "trap", [arg(0, "eq", 1n)]),
  ], "allow");
  const error = assertThrows(() => resolved(seccomp), ProfileError);
  assertEquals(error.diagnostics.map((d) => d.code), [
    "errno-range",
    "unknown-syscall",
    "conflicting-rules",
  ]);
});

Deno.test("resolve() joins x86_64 and x32 and keeps the order of architectures", () => {
  const { policy } = resolved(profileOf([]), ["x86_64", "x86", "x32"]);
  assertEquals(policy.arches.map((a) => a.names), [["x86_64", "x32"], ["x86"]]);
  assertEquals(policy.arches.map((a) => a.auditArch), [
    0xc000_003e,
    0x4000_0003,
  ]);
  assertEquals([
    policy.littleEndian,
    resolved(profileOf([]), ["s390x"]).policy.littleEndian,
  ], [true, false]);
});

Deno.test("resolve() of no rules is the default with guards", () => {
  const { policy, unknownNames } = resolve(profileOf([]), {
    arches: [archOf("x86_64")],
    semantics: "crun",
  });
  assertEquals(policy.arches[0]?.rules.map((r) => r.source), ["x32 guard"]);
  assertEquals(unknownNames, []);
  assert(policy.defaultValue === EPERM);
});
