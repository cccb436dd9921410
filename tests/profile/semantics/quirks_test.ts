import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  describeSemantics,
  distinctSemantics,
  meaningKey,
  NEWEST,
  OLDEST,
  QUIRKS,
  readingOf,
} from "../../../profile/semantics/quirks.ts";
import {
  compareVersions,
  type Semantics,
} from "../../../profile/semantics/versions.ts";
import {
  ALLOW,
  arg,
  ENOSYS,
  type Entry,
  entry,
  EPERM,
  findings,
  numberOf,
  profileOf,
  STARTS,
  verdicts,
} from "../shared.ts";

/** Versions on both sides of each change, from sources and experiments. */
const CHANGES: readonly (readonly [
  quirk: string,
  has: readonly Semantics[],
  hasNot: readonly Semantics[],
])[] = [
  ["first-six-comparisons", [
    "crun@0.17",
    "crun@1.8.1",
    "crun@1.28",
    "crun@1.29",
    "crun@1.29.1",
  ], ["crun", "crun@1.30", "crun@1.30.1", "crun@9.9", "runc", "runc@1.1.5"]],
  ["default-errno-ignored", ["crun@0.18"], [
    "crun@0.19",
    "crun",
    "runc@1.0.0-rc93",
    "runc@1.0.0",
    "runc",
  ]],
  ["enosys-stub", ["runc", "runc@1.0.0-rc93", "runc@1.1.5"], ["crun"]],
  ["stub-of-listed-only", ["runc@1.1.5", "runc@1.1.14"], [
    "runc@1.1.15",
    "runc@1.1",
    "runc@1.2.0",
    "runc",
  ]],
  ["stub-answers-setup", ["runc@1.1.3", "runc@1.1.5", "runc"], [
    "runc@1.1.2",
    "runc@1.0.3",
  ]],
  ["refuses-empty-name", ["runc", "runc@1.1.5"], ["crun", "crun@1.8.1"]],
  ["refuses-idle-errno", ["crun", "crun@0.19"], ["crun@0.18", "runc"]],
  ["refuses-redundant-rule", ["runc@1.0.1"], ["runc@1.0.2", "runc"]],
  ["refuses-notify", ["runc@1.0.3"], ["runc@1.1.0", "runc", "crun"]],
  ["refuses-notify-on-write", ["runc", "runc@1.1.5"], ["crun"]],
  ["refuses-kill-process", ["runc@1.1.2"], ["runc@1.1.3", "runc"]],
  ["refuses-flags", ["runc@1.1.5", "runc@1.1"], ["runc@1.2.0", "runc", "crun"]],
  ["refuses-wait-killable", ["runc@1.4.3", "crun@1.5"], [
    "runc@1.5.0",
    "runc",
    "crun@1.6",
    "crun",
  ]],
];

Deno.test("readingOf() knows on which side of each change a version is", () => {
  for (const [quirk, has, hasNot] of CHANGES) {
    const names = (semantics: Semantics): readonly string[] => [
      ...readingOf(semantics).quirks,
    ];
    for (const semantics of has) {
      assert(names(semantics).includes(quirk), `${semantics} has ${quirk}`);
    }
    for (const semantics of hasNot) {
      assert(!names(semantics).includes(quirk), `${semantics} has no ${quirk}`);
    }
  }
  // No row is missing.
  assertEquals(
    [...new Set(QUIRKS.map(({ name }) => name))].sort(),
    CHANGES.map(([quirk]) => quirk).sort(),
  );
});

Deno.test("the list of changes covers both sides of each entry of QUIRKS", () => {
  for (const { name, runtime, since, until } of QUIRKS) {
    const [, has = [], hasNot = []] = CHANGES.find(([quirk]) =>
      quirk === name
    ) ?? [];
    const versions = (list: readonly Semantics[]): readonly string[] =>
      list.map((semantics) => semantics.split("@"))
        .filter(([asked]) => asked === runtime)
        .map(([, version]) => version ?? NEWEST[runtime]);
    const isBefore = (version: string, change: string): boolean =>
      compareVersions(version, change) < 0;
    const row = `${name} of ${runtime}`;
    const inside = versions(has).some((version) =>
      (since === undefined || !isBefore(version, since)) &&
      (until === undefined || isBefore(version, until))
    );
    assert(inside, `${row}: no version that has it`);
    const others = versions(hasNot);
    assert(
      since === undefined || others.some((other) => isBefore(other, since)),
      `${row}: no version before ${since}`,
    );
    assert(
      until === undefined || others.some((other) => !isBefore(other, until)),
      `${row}: no version from ${until} on`,
    );
  }
});

Deno.test("readingOf() reads versions beyond those known as the nearest one", () => {
  assertEquals(readingOf("crun").version, NEWEST.crun);
  assertEquals(readingOf("crun@99.0").readAs, NEWEST.crun);
  assertEquals(readingOf("runc@0.1.1").readAs, OLDEST.runc);
  assertEquals(describeSemantics("runc@1.1.5"), "runc 1.1.5");
  assertEquals(
    describeSemantics("crun@99.0"),
    `crun 99.0, read as ${NEWEST.crun}, the newest known`,
  );
  assertEquals(
    describeSemantics("runc@0.1.1"),
    `runc 0.1.1, read as ${OLDEST.runc}, the oldest known`,
  );
  assertThrows(() => readingOf("crun@new"), RangeError);
});

Deno.test("distinctSemantics() has one version for each meaning", () => {
  const list = distinctSemantics();
  assertEquals(list, [
    "crun",
    "crun@0.19.0",
    "crun@0.17",
    "runc",
    "runc@1.1.3",
    "runc@1.0.0",
  ]);
  assertEquals(new Set(list.map(meaningKey)).size, list.length);
});

/** Answers of x86_64 to one call, by value of its first argument. */
function asked(
  entries: readonly Entry[],
  semantics: Semantics,
): (...args: readonly bigint[]) => number {
  const ask = verdicts(profileOf(entries), ["x86_64"], { semantics });
  return (...args) => ask("x86_64", "syslog", ...args);
}

Deno.test("resolve() takes the comparisons that the version takes", () => {
  const values = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
  const alternatives = [
    entry("syslog", "allow", values.map((value) => arg(0, "eq", value))),
  ];
  for (const semantics of ["crun@1.8.1", "crun@1.29.1"] as const) {
    const ask = asked(alternatives, semantics);
    assertEquals([ask(1n), ask(6n), ask(7n), ask(8n)], [
      ALLOW,
      ALLOW,
      EPERM,
      EPERM,
    ], semantics);
  }
  for (const semantics of ["crun", "crun@1.30", "runc@1.1.5"] as const) {
    const ask = asked(alternatives, semantics);
    assertEquals(
      [ask(1n), ask(6n), ask(7n), ask(8n), ask(9n)],
      [ALLOW, ALLOW, ALLOW, ALLOW, EPERM],
      semantics,
    );
  }
  // Six that name six arguments are one rule; a seventh makes alternatives.
  const seven = [entry("syslog", "allow", [
    ...[0, 1, 2, 3, 4, 5].map((index) => arg(index, "eq", 1n)),
    arg(0, "eq", 9n),
  ])];
  const [old, now] = [asked(seven, "crun@1.29"), asked(seven, "crun")];
  assertEquals([old(1n, 1n, 1n, 1n, 1n, 1n), now(1n, 1n, 1n, 1n, 1n, 1n)], [
    ALLOW,
    ALLOW,
  ]);
  assertEquals([old(9n), old(0n, 1n), now(9n), now(0n, 1n)], [
    EPERM,
    EPERM,
    ALLOW,
    ALLOW,
  ]);
});

Deno.test("resolve() warns about more than six comparisons under any runtime", () => {
  const profile = profileOf([
    STARTS,
    entry(
      "syslog",
      "allow",
      Array.from({ length: 7 }, (_, i) => arg(0, "eq", BigInt(i))),
    ),
  ]);
  const said = (semantics: Semantics, strict = false): readonly string[] =>
    findings(profile, ["x86_64"], { semantics, strict })
      .filter((line) => line.includes("too-many-args"));
  assertEquals(said("crun@1.8.1"), [
    "warning too-many-args syscalls[1].args: Entry has 7 comparisons: crun before 1.30 takes the first 6, later versions and runc take all; this reading takes the first 6: split it into entries of at most 6 comparisons",
  ]);
  assertEquals(said("runc").map((line) => line.split(";")[1]), [
    " this reading takes all: split it into entries of at most 6 comparisons",
  ]);
  assertEquals(said("crun", true).map((line) => line.split(" ")[0]), ["error"]);
  const six = Array.from({ length: 6 }, (_, i) => arg(0, "eq", BigInt(i)));
  const quiet = profileOf([
    STARTS,
    entry("syslog", "allow", six),
    // An entry that makes no rule.
    entry("syslog", "errno", [...six, arg(0, "eq", 9n)]),
  ]);
  const lines = findings(quiet, ["x86_64"], { semantics: "crun@1.8.1" });
  assertEquals(lines.filter((line) => line.includes("too-many-args")), []);
});

Deno.test("enosysStub() depends on the version: listed architectures, number 0", () => {
  const list = [entry(["read", "openat"], "allow")];
  const max = numberOf("x86_64", "openat");
  const listed = { ...profileOf(list), architectures: ["SCMP_ARCH_X86_64"] };
  const foreign = { ...profileOf(list), architectures: ["SCMP_ARCH_X86"] };
  const table = [
    ["runc@1.1.5", [EPERM, EPERM], [ENOSYS, EPERM], [EPERM, ENOSYS]],
    ["runc@1.1.14", [EPERM, EPERM], [ENOSYS, EPERM], [EPERM, ENOSYS]],
    ["runc@1.1.15", [ENOSYS, EPERM], [ENOSYS, EPERM], [ENOSYS, ENOSYS]],
    ["runc", [ENOSYS, EPERM], [ENOSYS, EPERM], [ENOSYS, ENOSYS]],
    ["crun", [EPERM, EPERM], [EPERM, EPERM], [EPERM, EPERM]],
  ] as const;
  for (const [semantics, ...expected] of table) {
    for (const [i, profile] of [profileOf(list), listed, foreign].entries()) {
      const arches = i === 2 ? ["x86_64", "x86"] as const : ["x86_64"] as const;
      const ask = verdicts(profile, arches, { semantics });
      const x86 = i === 2 ? ask("x86", numberOf("x86", "openat") + 1) : EPERM;
      assertEquals(
        [ask("x86_64", max + 1), x86],
        [...expected[i] ?? []],
        `${semantics}, list ${profile.architectures}`,
      );
    }
  }
  const setup = (semantics: Semantics): number =>
    verdicts({ ...profileOf(list), architectures: ["SCMP_ARCH_S390X"] }, [
      "s390x",
    ], { semantics })("s390x", 0);
  assertEquals([setup("runc@1.1.0"), setup("runc@1.1.3"), setup("runc")], [
    EPERM,
    ENOSYS,
    ENOSYS,
  ]);
});

Deno.test("resolve() ignores defaultErrnoRet when the version does", () => {
  const profile = profileOf([STARTS], "errno", 13);
  const ask = (semantics: Semantics): number =>
    verdicts(profile, ["x86_64"], { semantics })("x86_64", "read");
  assertEquals([ask("crun@0.17"), ask("crun"), ask("runc@1.0.0")], [
    EPERM,
    0x0005_000d,
    0x0005_000d,
  ]);
  assertEquals(findings(profile, ["x86_64"], { semantics: "crun@0.17" }), [
    "warning default-errno-ignored defaultErrnoRet: crun 0.17 ignores it and returns EPERM: use a newer version, or remove it",
  ]);
});

Deno.test("resolve() refuses what the version refuses, with the place", () => {
  const plain = profileOf([STARTS], "allow");
  const notify = "SCMP_ACT_NOTIFY" as const;
  const at = (
    semantics: Semantics,
    profile: Partial<typeof plain>,
  ): readonly string[] =>
    findings({ ...plain, ...profile }, ["x86_64"], { semantics })
      .filter((line) => !/rule-order|dead-rule|elsewhere|no-such/.test(line))
      .map((line) => line.split(": ").slice(0, 2).join(": "));
  const rule = (
    fields: Partial<(typeof plain.syscalls)[number]>,
  ): typeof plain.syscalls => [
    {
      names: ["syslog"],
      action: "SCMP_ACT_LOG",
      args: [],
      path: "syscalls[0]",
      ...fields,
    },
  ];
  const refused = (path: string): readonly string[] => [
    `error runtime-refuses ${path}: Cannot start a container`,
  ];
  const idle = (path: string): readonly string[] => [
    `warning idle-errno ${path}: An errno for an action without data`,
  ];
  const empty = rule({ names: ["syslog", ""] });
  assertEquals(
    at("runc", { syscalls: empty }).slice(0, 1),
    refused("syscalls[0].names[1]"),
  );
  assertEquals(
    at("crun", { syscalls: empty }).filter((l) => /refuses/.test(l)),
    [],
  );
  // Entries that make no rule are still refused for their names.
  const redundant = rule({ names: [""], action: "SCMP_ACT_ALLOW" });
  assertEquals(
    at("runc", { syscalls: redundant }),
    refused("syscalls[0].names[0]"),
  );

  assertEquals(at("crun", { defaultErrnoRet: 1 }), refused("defaultErrnoRet"));
  assertEquals(at("runc", { defaultErrnoRet: 1 }), idle("defaultErrnoRet"));
  const errno = rule({ errnoRet: 5 });
  assertEquals(
    at("crun", { syscalls: errno }),
    refused("syscalls[0].errnoRet"),
  );
  assertEquals(
    at("runc@1.1.5", { syscalls: errno }),
    idle("syscalls[0].errnoRet"),
  );

  assertEquals(
    at("runc@1.0.1", { syscalls: rule({ action: "SCMP_ACT_ALLOW" }) }),
    refused("syscalls[0]"),
  );
  assertEquals(
    at("runc", { syscalls: rule({ action: "SCMP_ACT_ALLOW" }) }),
    [],
  );
  assertEquals(
    at("runc@1.0.3", { syscalls: rule({ action: notify }) }),
    refused("syscalls[0].action"),
  );
  assertEquals(at("runc", { syscalls: rule({ action: notify }) }), []);
  const write = rule({ action: notify, names: ["write"] });
  assertEquals(at("runc", { syscalls: write }), refused("syscalls[0]"));
  assertEquals(at("crun", { syscalls: write }), []);
  assertEquals(at("runc", { defaultAction: notify }), refused("defaultAction"));
  // An entry without a name makes no rule at all.
  const nameless = rule({ action: "SCMP_ACT_ALLOW", names: [] });
  assertEquals(at("runc@1.0.1", { syscalls: nameless }), []);
  const kill = rule({ action: "SCMP_ACT_KILL_PROCESS" });
  assertEquals(
    at("runc@1.1.2", { syscalls: kill }),
    refused("syscalls[0].action"),
  );
  assertEquals(at("runc@1.1.3", { syscalls: kill }), []);
  const log = { flags: ["SECCOMP_FILTER_FLAG_LOG"] };
  assertEquals(at("runc@1.1.5", log), refused("flags"));
  assertEquals([
    ...at("runc", log),
    ...at("crun", log),
    ...at("runc@1.1.5", { flags: [] }),
  ], []);
  const wait = { flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] };
  assertEquals(at("runc@1.4.0", wait), refused("flags[0]"));
  assertEquals(at("runc", wait), []);
});
