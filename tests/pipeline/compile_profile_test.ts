import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import {
  compilePolicy,
  compileProfile,
  type Pass,
  proveTree,
  weightsFor,
} from "../../pipeline/compile_profile.ts";
import { resolveProfile } from "../../pipeline/resolve_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { archByName, type ArchName } from "../../tables/arch.ts";
import { listDifferences, proveNotLooser } from "../../verify/differences.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

const KERNEL = { major: 6, minor: 1 };
const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;

function small(syscalls: readonly unknown[]): string {
  return JSON.stringify({ defaultAction: "SCMP_ACT_ERRNO", syscalls });
}

/** One call whose argument has to be one of n values. */
function valuesPolicy(n: number): Policy {
  const rules = Array.from({ length: n }, (_, i): Rule => ({
    first: 157,
    last: 157,
    conditions: [{
      arg: 0,
      op: "eq",
      mask: 0xffff_ffff_ffff_ffffn,
      value: BigInt(i * 7 + 1),
    }],
    value: 0x0005_0000 + (i % 4000),
    source: `rules[${i}]`,
  }));
  return {
    defaultValue: ALLOW,
    badArchValue: 0,
    littleEndian: true,
    arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules }],
  };
}

Deno.test("compileProfile() returns a proved filter with all assumptions", () => {
  const filter = compileProfile(DEFAULT_PROFILE, {
    arch: "x86_64",
    kernel: KERNEL,
  });
  assert(filter.kind === "proved");
  assertEquals(filter.proof.kind, "equal");
  assertEquals(filter.bytes.length, 8 * filter.program.length);
  assertEquals(decode(filter.bytes), filter.program);
  const { capabilities, ...assumed } = filter.assumed;
  assertEquals(assumed, {
    arches: ["x86_64", "x86", "x32"],
    semantics: "crun",
    kernel: KERNEL,
  });
  assert(capabilities?.has("CAP_CHOWN"));
  assertEquals(filter.trees.map((tree) => tree.names), [
    ["x86_64", "x32"],
    ["x86"],
  ]);
});

Deno.test("compileProfile() writes bytes in the byte order of the machine", () => {
  const text = small([{
    names: ["socket"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: 0, op: "SCMP_CMP_EQ", value: 0x1_0000_0002 }],
  }]);
  const filter = compileProfile(text, { arch: "s390x" });
  assert(filter.kind === "proved");
  assertEquals(filter.policy.littleEndian, false);
  const program = decode(filter.bytes, { littleEndian: false });
  assertEquals(program, filter.program);
  const socket = 359;
  const answer = (first: bigint): number =>
    run(
      prepare(program),
      toWords({
        nr: socket,
        arch: 0x8000_0016,
        instructionPointer: 0n,
        args: [first],
      }, false),
    );
  assertEquals(answer(0x1_0000_0002n), ALLOW);
  assertEquals(answer(0x2_0000_0001n), EPERM);
});

Deno.test("compileProfile() weighs calls by name on every architecture", () => {
  const names = ["read", "write", "openat", "close", "fstat", "mmap", "brk"];
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    syscalls: [{ names, action: "SCMP_ACT_ALLOW" }],
  });
  const counts = new Map([["brk", 1e6]]);
  const plain = compileProfile(text, { arch: "x86_64" });
  const weighed = compileProfile(text, { arch: "x86_64" }, {
    counts,
    background: 0,
  });
  assert(plain.kind === "proved" && weighed.kind === "proved");
  assertEquals(weighed.trees.map(({ tests }) => tests), [1, 1]);
  assert(plain.trees.every(({ tests }) => tests > 1));
});

Deno.test("weightsFor() reaches calls by the names that they have on an architecture", () => {
  const cases: readonly [
    ArchName,
    Record<string, number>,
    [string, number][],
  ][] = [
    ["x86_64", { mmap: 5, newfstatat: 3, read: 1 }, [
      ["mmap", 5],
      ["newfstatat", 3],
      ["read", 1],
    ]],
    ["x86", { mmap: 5, newfstatat: 3, lseek: 2, getuid: 4, read: 1 }, [
      ["mmap2", 5],
      ["fstatat64", 3],
      ["_llseek", 2],
      ["getuid32", 4],
      ["read", 1],
    ]],
    // Recorded there: each call is what it says.
    ["x86", { mmap: 5, mmap2: 7 }, [["mmap", 5], ["mmap2", 7]]],
    ["arm", { mmap: 5, stat: 1 }, [["mmap2", 5], ["stat64", 1]]],
    ["aarch64", { open: 4, openat: 3, stat: 2, fork: 1 }, [
      ["openat", 7],
      ["newfstatat", 2],
      ["clone", 1],
    ]],
  ];
  for (const [name, counts, expected] of cases) {
    const arch = archByName(name);
    assert(arch !== undefined);
    const weights = weightsFor(new Map(Object.entries(counts)), [arch]);
    const numbers = expected.map(([call, count]) =>
      [arch.syscalls.get(call) ?? -1, count] as const
    );
    assertEquals(weights.get(arch.auditArch), new Map(numbers), name);
  }
});

Deno.test("compileProfile() keeps the warnings of an unproved filter", () => {
  const args = [0, 1, 2, 3, 4, 5].map((index) => ({
    index,
    op: "SCMP_CMP_EQ",
    value: index + 7,
  }));
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    _note: "a comment",
    syscalls: [{ names: ["openat"], action: "SCMP_ACT_ALLOW", args }],
  });
  const filter = compileProfile(text, { arch: "x86_64" }, {
    limits: { steps: 10 },
  });
  assert(filter.kind === "unproved");
  assert(!("bytes" in filter) && !("program" in filter), "no filter leaves");
  assertEquals(filter.cause, { kind: "unproven", limit: "steps", allowed: 10 });
  assertStringIncludes(filter.message, "the limit of 10 steps was reached");
  assertEquals(filter.diagnostics[0]?.path, "_note");
});

Deno.test("compilePolicy() reports what makes a filter too large", () => {
  const filter = compilePolicy(valuesPolicy(2100), { workLimit: 0 });
  assert(filter.kind === "unproved" && filter.cause.kind === "too-large");
  assert(filter.cause.length > 4096);
  assertMatch(
    filter.message,
    /^Cannot load the filter: \d+ instructions.*x86_64: /,
  );
});

Deno.test("proveTree() stops between its passes if it is interrupted", () => {
  const passes: Pass[] = [];
  const filter = proveTree(valuesPolicy(3), {
    interrupted: () => true,
    onPass: (pass) => passes.push(pass),
  });
  assert(filter.kind === "unproved");
  assertEquals(filter.cause, { kind: "unproven", limit: "interrupted" });
  assertEquals(passes, ["compile", "encode"]);
});

Deno.test("proveTree() reports the passes in order", () => {
  const passes: Pass[] = [];
  proveTree(valuesPolicy(3), { onPass: (pass) => passes.push(pass) });
  assertEquals(passes, ["compile", "encode", "prove"]);
});

Deno.test("resolveProfile() names every problem with its place", () => {
  const text = `{
  "linux": {
    "seccomp": {
      "defaultAction": "SCMP_ACT_ALLOW",
      "syscalls": [{ "names": ["opnat"], "action": "SCMP_ACT_ERRNO" }]
    }
  }
}`;
  const error = assertThrows(
    () => resolveProfile(text, { arch: "x86_64" }),
    ProfileError,
  );
  assertEquals(
    error.diagnostics.map(({ line, path }) => [line, path]),
    [[5, "linux.seccomp.syscalls[0].names[0]"]],
  );
});

Deno.test("resolveProfile() refuses a configuration without a section", () => {
  const error = assertThrows(
    () => resolveProfile('{"linux":{}}', { arch: "x86_64" }),
    ProfileError,
    "no linux.seccomp section",
  );
  assertEquals(error.diagnostics[0]?.code, "unconfined");
});

Deno.test("resolveProfile() takes a list of architectures in place of the profile's", () => {
  const { assumed, diagnostics } = resolveProfile(DEFAULT_PROFILE, {
    arch: ["x86_64"],
    kernel: KERNEL,
  });
  assertEquals(assumed.arches, ["x86_64"]);
  assertEquals(diagnostics.filter((d) => d.path === "architectures"), []);
});

Deno.test("resolveProfile() takes architectures beyond the native one for listed", () => {
  const text = small([{ names: ["openat"], action: "SCMP_ACT_ALLOW" }]);
  const stubs = (arch: readonly ArchName[]): readonly number[] =>
    resolveProfile(text, { arch, semantics: "runc@1.1.5" }).policy.arches
      .filter(({ rules }) => rules[0]?.source === "runc's ENOSYS stub")
      .map(({ auditArch }) => auditArch);
  assertEquals(stubs(["x86_64"]), []);
  assertEquals(stubs(["x86_64", "x86"]), [0x4000_0003]);
});

Deno.test("resolveProfile() refuses architectures that cannot be meant", () => {
  const text = small([]);
  const refuse = (arch: readonly string[], message: string): unknown =>
    assertThrows(
      // A caller without types may pass anything.
      () => resolveProfile(text, { arch: arch as readonly "x86_64"[] }),
      RangeError,
      message,
    );
  refuse([], "no architecture");
  refuse(["vax"], '"vax"');
  refuse(["x86_64", "s390x"], "byte orders differ");
});

Deno.test("resolveProfile() requires the kernel if a rule depends on it", () => {
  const text = small([{
    names: ["ptrace"],
    action: "SCMP_ACT_ALLOW",
    includes: { minKernel: "4.8" },
  }]);
  assertThrows(
    () => resolveProfile(text, { arch: "x86_64" }),
    ProfileError,
    "give it, such as 6.1",
  );
});

Deno.test("the result of compileProfile() and its policy are sides of a proof", () => {
  const text = small([{ names: ["socket"], action: "SCMP_ACT_ALLOW" }]);
  for (const arch of ["x86_64", "s390x"] as const) {
    const filter = compileProfile(text, { arch });
    assert(filter.kind === "proved");
    const { policy, program } = filter;
    assertEquals(proveEquivalent(filter, policy).kind, "equal");
    assertEquals(proveEquivalent(program, policy).kind, "equal");
    assertEquals(
      proveEquivalent({ programs: [program] }, filter).kind,
      "equal",
    );
    const open = { ...policy, defaultValue: ALLOW };
    assertEquals(proveEquivalent(filter, open).kind, "different");
    assertEquals(proveNotLooser(policy, filter).kind, "not-looser");
    assertEquals(proveNotLooser(filter, open).kind, "different");
    const list = listDifferences(filter, open);
    assert(list.kind === "listed" && list.differences.length > 0);
    assertThrows(
      () =>
        proveEquivalent(
          { ...filter, littleEndian: !filter.littleEndian },
          policy,
        ),
      TypeError,
      "two byte orders",
    );
  }
});
