import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { combine } from "../../pipeline/combine/combine.ts";
import type { Combined } from "../../pipeline/combine/result.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { distinctSemantics } from "../../profile/semantics/quirks.ts";
import { StatementError } from "../../statements/condition.ts";
import { decide } from "../../verify/decide.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

const TARGET = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
const ALLOW = 0x7fff_0000;

/** An entry of a profile. */
type Entry = readonly [
  names: string,
  action: string,
  ...args:
    (readonly [index: number, op: string, value: number, two?: number])[],
];

/** Makes a profile; actions are words such as `ALLOW` and `ERRNO 38`. */
function profileOf(
  fallback: string,
  entries: readonly Entry[],
  arches: readonly string[] = ["X86_64"],
): { readonly profile: ReturnType<typeof parseProfile> } {
  const action = (text: string): Record<string, unknown> => {
    const [name, data] = text.split(" ");
    return {
      action: `SCMP_ACT_${name}`,
      ...(data === undefined ? {} : { errnoRet: Number(data) }),
    };
  };
  const { action: defaultAction, errnoRet } = action(fallback);
  const text = JSON.stringify({
    defaultAction,
    ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
    architectures: arches.map((name) => `SCMP_ARCH_${name}`),
    syscalls: entries.map(([names, word, ...args]) => ({
      names: names.split(" "),
      ...action(word),
      args: args.map(([index, op, value, valueTwo]) => ({
        index,
        op: `SCMP_CMP_${op}`,
        value,
        ...(valueTwo === undefined ? {} : { valueTwo }),
      })),
    })),
  });
  return { profile: parseProfile(text) };
}

/** The entries of a result as short lines. */
function lines(result: Combined): readonly string[] {
  assert(result.kind === "profile", Deno.inspect(result));
  return result.section.syscalls.map(({ names, action, errnoRet, args }) =>
    [
      names.join(" "),
      action.replace("SCMP_ACT_", ""),
      ...(errnoRet === undefined ? [] : [errnoRet]),
      ...args.map(({ index, op, value, valueTwo }) =>
        `${index} ${op.replace("SCMP_CMP_", "")} ${value}${
          valueTwo === 0n ? "" : `/${valueTwo}`
        }`
      ),
    ].join(" ")
  );
}

Deno.test("combine() intersects, unites and subtracts call by call", () => {
  const a = profileOf("ERRNO", [["read write", "ALLOW"], ["open", "LOG"]]);
  const b = profileOf("ERRNO", [["read open", "ALLOW"], ["close", "ALLOW"]]);
  assertEquals(lines(combine([a, b], TARGET)), ["read ALLOW", "open LOG"]);
  assertEquals(lines(combine([a, b], TARGET, { operation: "union" })), [
    "close open read write ALLOW",
  ]);
  assertEquals(lines(combine([a, b], TARGET, { operation: "minus" })), [
    "write ALLOW",
  ]);
});

Deno.test("combine() takes the lesser errno, and 0 after all others", () => {
  const of = (errno: number): ReturnType<typeof profileOf> =>
    profileOf("ALLOW", [["open", `ERRNO ${errno}`]]);
  const cases = [[38, 1, 1], [0, 38, 38], [0, 0, 0]] as const;
  for (const [x, y, wanted] of cases) {
    for (const pair of [[of(x), of(y)], [of(y), of(x)]]) {
      const result = combine(pair, TARGET);
      assert(result.kind === "profile");
      const [entry] = result.section.syscalls;
      assertEquals(entry?.errnoRet ?? 1, wanted);
    }
  }
});

Deno.test("combine() writes intervals and exceptions of arguments", () => {
  const below = profileOf("ERRNO", [["socket", "ALLOW", [0, "LT", 38]]]);
  const others = profileOf("ERRNO", [["socket", "ALLOW", [0, "NE", 2]]]);
  assertEquals(lines(combine([below, others], TARGET)).length, 6);
  const union = combine([below, others], TARGET, { operation: "union" });
  assertEquals(lines(union), ["socket ALLOW"]);
  const most = combine([others, others], TARGET);
  assertEquals(lines(most), ["socket ALLOW 0 NE 2"]);
});

Deno.test("combine() reads repeated indices as alternatives", () => {
  const between = profileOf("ERRNO", [
    ["socket", "ALLOW", [0, "GE", 2], [0, "LE", 10]],
  ]);
  // Both runtimes take one or the other, which is always true.
  assertEquals(lines(combine([between], TARGET)), ["socket ALLOW"]);
});

Deno.test("combine() keeps what every known version reads", () => {
  const docker = { profile: parseProfile(DEFAULT_PROFILE) };
  const own = profileOf("ALLOW", [["mkdir mkdirat", "ERRNO 38"]], [
    "X86_64",
    "X86",
    "X32",
  ]);
  const result = combine([docker, own], TARGET);
  assert(result.kind === "profile");
  assertEquals(result.equal, distinctSemantics());
  const made = parseProfile(result.text, { kind: "oci" });
  const stack = [docker, own].map(({ profile }) => {
    const filter = compilePolicy(resolveParsed(profile, TARGET).policy);
    assert(filter.kind === "proved");
    return filter.program;
  });
  for (const semantics of ["crun", "crun@1.8.1", "crun@0.19.0"] as const) {
    const { policy } = resolveParsed(made, { ...TARGET, semantics });
    const sides = [[0, 1], [1, 0]].map((order) => ({
      programs: order.map((i) => stack[i] ?? []),
      littleEndian: true,
    }));
    assert(
      sides.some((side) => proveEquivalent(policy, side).kind === "equal"),
      semantics,
    );
  }
});

Deno.test("combine() reports the part that no profile expresses, and makes a filter", () => {
  const native = profileOf("ERRNO", [["open", "ALLOW"]]);
  const both = profileOf("ERRNO", [["read", "ALLOW"]], ["X86_64", "X86"]);
  const result = combine([native, both], TARGET, { operation: "union" });
  assert(result.kind === "unsaid");
  assertEquals(result.part, "open on x86");
  assertMatch(result.reason, /one meaning for all architectures/);
  assert(result.witness !== undefined);
  const { data, wanted, got } = result.witness;
  assertEquals([wanted, got], [0x0005_0001, ALLOW]);
  const policy = result.toPolicy();
  assert(policy !== undefined);
  assertEquals(decide(policy, data).value, wanted);
  assertEquals(compilePolicy(policy).kind, "proved");
});

Deno.test("combine() does not allow socketcall through entries for socket", () => {
  const profile = profileOf("ALLOW", [["read", "ERRNO"]], ["X86_64", "X86"]);
  const edit = { call: "socket", condition: "domain == AF_ALG" } as const;
  const result = combine([profile], TARGET, {
    edits: [{ ...edit, answer: "deny" }],
  });
  assert(result.kind === "unsaid");
  assertEquals(result.part, "socketcall on x86");
  const whole = combine([profile], TARGET, {
    edits: [{ ...edit, answer: "deny" }, {
      call: "socketcall",
      answer: "deny",
    }],
  });
  assertEquals(lines(whole), [
    "read socketcall ERRNO",
    "socket ERRNO 0 EQ 38",
  ]);
});

Deno.test("combine() changes calls by name and condition", () => {
  const profile = profileOf("ERRNO", [["read clone", "ALLOW"]]);
  const result = combine([profile], TARGET, {
    edits: [
      { call: "openat", condition: "flags ∌ O_CREAT", answer: ALLOW },
      { call: "clone3", answer: 0x0005_0026 },
      { call: "clone", condition: "flags ∋ CLONE_NEWUSER", answer: "deny" },
    ],
  });
  assertEquals(lines(result), [
    "read ALLOW",
    "clone3 ERRNO 38",
    "clone ALLOW 0 MASKED_EQ 268435456",
    "openat ALLOW 2 MASKED_EQ 64",
  ]);
  assertThrows(
    () => combine([profile], TARGET, { edits: [{ call: "opnat", answer: 0 }] }),
    StatementError,
    "did you mean openat",
  );
});

Deno.test("combine() uses precedence if that takes fewer entries", () => {
  const profile = profileOf("ERRNO", [
    ["socket", "ERRNO 22", [0, "EQ", 16], [2, "EQ", 9]],
    ["socket", "ALLOW", [0, "EQ", 16], [2, "MASKED_EQ", 3840, 0]],
    ["socket", "ALLOW", [0, "NE", 16], [2, "MASKED_EQ", 3840, 0]],
  ]);
  assertEquals(lines(combine([profile], TARGET)).length, 3);
});

Deno.test("combine() keeps comments and the order of the first profile", () => {
  const text = `{
    "defaultAction": "SCMP_ACT_ERRNO",
    "architectures": ["SCMP_ARCH_X86_64"],
    "flags": ["SECCOMP_FILTER_FLAG_LOG"],
    "syscalls": [
      { "names": ["write"], "action": "SCMP_ACT_LOG", "comment": "to see" },
      { "names": ["read", "close"], "action": "SCMP_ACT_ALLOW", "comment": "" },
      { "names": ["accept"], "action": "SCMP_ACT_ALLOW", "comment": "serves" }
    ]
  }`;
  const input = [{ profile: parseProfile(text) }];
  const normal = combine(input, TARGET);
  assertEquals(lines(normal), ["accept close read ALLOW", "write LOG"]);
  assert(normal.kind === "profile");
  assertEquals(
    normal.section.syscalls.map(({ comment }) => comment),
    ["serves", "to see"],
  );
  assertEquals(normal.section.flags, ["SECCOMP_FILTER_FLAG_LOG"]);
  const kept = combine(input, TARGET, { keepOrder: true });
  assertEquals(lines(kept), ["write LOG", "read close accept ALLOW"]);
});

Deno.test("combine() keeps conditions if other machines lack a changed call", () => {
  const docker = { profile: parseProfile(DEFAULT_PROFILE) };
  const edits = [{ call: "open", answer: "deny" }] as const;
  const result = combine([docker], TARGET, { edits, keepConditions: true });
  assert(result.kind === "profile" && result.section.archMap !== undefined);
  const profile = parseProfile(result.text, { kind: "docker" });
  const isSame = (arch: "riscv64" | "aarch64"): boolean => {
    const target = { ...TARGET, arch };
    const [a, b] = [docker.profile, profile].map((one) =>
      resolveParsed(one, target).policy
    );
    return a !== undefined && b !== undefined &&
      proveEquivalent(a, b).kind === "equal";
  };
  // The 32-bit programs of aarch64 have it.
  assert(isSame("riscv64") && !isSame("aarch64"));
});

Deno.test("combine() lets entries overlap only if every version reads both", () => {
  // crun 0.17 ignores defaultErrnoRet: an entry with EPERM has its default
  // action, is skipped, and would leave the value to the other entry.
  const list = profileOf("ERRNO 38", [["socket", "ALLOW", [0, "LT", 38]]]);
  const denial = profileOf("ALLOW", [["socket", "ERRNO 1", [0, "EQ", 16]]]);
  const result = combine([list, denial], TARGET);
  assert(result.kind === "profile");
  assertEquals(result.equal, distinctSemantics());
  const made = parseProfile(result.text, { kind: "oci" });
  const data = { nr: 41, arch: 0xc000_003e, instructionPointer: 0n };
  for (const semantics of distinctSemantics()) {
    const { policy } = resolveParsed(made, { ...TARGET, semantics });
    const value = (domain: bigint): number =>
      decide(policy, { ...data, args: [domain] }).value;
    assertEquals([value(16n), value(17n)], [0x0005_0001, ALLOW], semantics);
  }
});

Deno.test("combine() gives up a cover of many masks, and makes a filter", () => {
  // Two intervals with a hole: of one argument, an entry has one comparison.
  const hole = profileOf("ERRNO 13", [["gettid", "ALLOW", [0, "NE", 2 ** 31]]]);
  const above = `{
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{
      "names": ["gettid"],
      "action": "SCMP_ACT_KILL_PROCESS",
      "args": [{ "index": 0, "op": "SCMP_CMP_GE", "value": 9223372032559808513 }]
    }]
  }`;
  const result = combine([hole, { profile: parseProfile(above) }], TARGET);
  assert(result.kind === "unsaid");
  assertEquals(result.part, "gettid on x86_64");
  const policy = result.toPolicy();
  assert(policy !== undefined);
  assertEquals(compilePolicy(policy).kind, "proved");
});

Deno.test("combine() keeps conditions on which all profiles agree", () => {
  const keepConditions = true;
  const docker = { profile: parseProfile(DEFAULT_PROFILE) };
  const edits = [{ call: "keyctl", answer: ALLOW }] as const;
  const more = combine([docker], TARGET, { edits, keepConditions });
  assert(more.kind === "profile");
  assert(more.section.archMap !== undefined);
  const text = more.text;
  const profile = parseProfile(text, { kind: "docker" });
  // Another machine, and containers with other capabilities.
  const targets = [
    { arch: "aarch64", capabilities: new Set(["CAP_SYS_ADMIN", "CAP_BPF"]) },
    { arch: "x86_64", capabilities: new Set(["CAP_SYS_PTRACE"]) },
    { arch: "s390x", capabilities: new Set<string>() },
  ] as const;
  for (const { arch, capabilities } of targets) {
    const target = { ...TARGET, arch, capabilities };
    const got = resolveParsed(profile, target).policy;
    const wanted = combine([docker], target, { edits });
    assert(wanted.kind === "profile");
    assertEquals(proveEquivalent(got, wanted.policy).kind, "equal", arch);
  }
  // Both sides agree: a profile with itself, and with the changed one.
  const both = combine([docker, { profile }], TARGET, { keepConditions });
  assert(both.kind === "profile" && both.section.archMap !== undefined);
  // They do not: a call with a condition in one is allowed always in the other.
  const mount = [{ call: "mount", answer: ALLOW }] as const;
  const other = combine([docker], TARGET, { edits: mount, keepConditions });
  assert(other.kind === "profile" && other.section.archMap !== undefined);
  const changed = { profile: parseProfile(other.text, { kind: "docker" }) };
  const decided = combine([docker, changed], TARGET, { keepConditions });
  assert(decided.kind === "profile");
  assertEquals(decided.section.archMap, undefined);
});
