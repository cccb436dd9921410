/** Presets: statements over all values, and the size of their filters. */

import { assert, assertEquals } from "@std/assert";
import { combine } from "../../pipeline/combine/combine.ts";
import { compileParsed } from "../../pipeline/compile_profile.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { presetProfile, PRESETS } from "../../profile/presets.ts";
import { CaseJudge } from "../../statements/judge_case.ts";
import { parseCase } from "../../statements/test_case.ts";
import type { ArchName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { DEFAULT_PROOF_LIMITS } from "../../verify/limits.ts";

const KERNEL = { major: 6, minor: 1 };

/**
 * The calls that a preset denies; the prover decides each for all values. Other
 * calls and values must be allowed: the last line excludes those that differ.
 */
const STATEMENTS: Readonly<Record<string, readonly string[]>> = {
  "no-unix-sockets": [
    "errno EPERM socket, socketpair low32(arg0) == 1",
    "allow socket, socketpair low32(arg0) != 1",
    "errno EPERM x86:socketcall arg0 ∈ {1, 8}",
    "allow x86:socketcall arg0 ∉ {1, 8}",
    "same-as allow except socket, socketpair, socketcall",
  ],
  "no-af-alg": [
    "errno EPERM socket low32(arg0) == 38",
    "allow socket low32(arg0) != 38",
    "errno EPERM x86:socketcall arg0 == 1",
    "allow x86:socketcall arg0 != 1",
    "same-as allow except socket, socketcall",
  ],
  "no-vsock": [
    "errno EPERM socket low32(arg0) == 40",
    "allow socket low32(arg0) != 40",
    "same-as allow except socket, socketcall",
  ],
  "no-io-uring": [
    "errno EPERM io_uring_setup, io_uring_enter, io_uring_register",
    "same-as allow except io_uring_setup, io_uring_enter, io_uring_register",
  ],
  "no-ptrace": ["errno EPERM ptrace", "same-as allow except ptrace"],
  "no-new-namespaces": [
    "errno EPERM unshare (arg0 & 0x7e020080) != 0",
    "allow unshare (arg0 & 0x7e020080) == 0",
    "errno EPERM clone (arg0 & 0x7e020000) != 0",
    "allow clone (arg0 & 0x7e020000) == 0",
    "errno ENOSYS clone3",
    "same-as allow except unshare, clone, clone3",
  ],
  "no-keyring": [
    "errno EPERM add_key, request_key, keyctl",
    "same-as allow except add_key, request_key, keyctl",
  ],
  "no-bpf": ["errno EPERM bpf", "same-as allow except bpf"],
  "no-tiocsti": [
    "errno EPERM ioctl low32(arg1) == 0x5412",
    "allow ioctl low32(arg1) != 0x5412",
    "same-as allow except ioctl",
  ],
  "w-xor-x": [
    "errno EPERM mmap, mprotect, pkey_mprotect (arg2 & 6) == 6",
    "allow mmap, mprotect, pkey_mprotect (arg2 & 6) != 6",
    "errno EPERM x86:mmap2 (arg2 & 6) == 6",
    "same-as allow except mmap, mmap2, mprotect, pkey_mprotect",
  ],
};

function presetOf(name: string): ReturnType<typeof parseProfile> {
  const text = presetProfile(name);
  assert(text !== undefined, name);
  return parseProfile(text, { kind: "docker" });
}

Deno.test("presets deny exactly what their names say", () => {
  assertEquals(PRESETS.map(({ name }) => name), Object.keys(STATEMENTS));
  const allow = parseProfile('{"defaultAction":"SCMP_ACT_ALLOW"}');
  for (const [name, lines] of Object.entries(STATEMENTS)) {
    for (const arch of ["x86_64", "aarch64"] as const) {
      const { policy, arches } = resolveParsed(presetOf(name), {
        arch,
        kernel: KERNEL,
      });
      const names = arches.map((one) => one.name);
      const other = resolveParsed(allow, { arch: names }).policy;
      const { littleEndian } = policy;
      const source = { subject: policy, programs: [], littleEndian, arches };
      const judge = new CaseJudge(source, "word", DEFAULT_PROOF_LIMITS);
      for (const line of lines) {
        if (arch !== "x86_64" && /x86/.test(line)) continue;
        const own = arch === "x86_64" ? line : line.replace(", socketcall", "");
        const result = judge.judge(parseCase(own), other);
        assertEquals(result.kind, "pass", `${name} on ${arch}: ${line}`);
      }
    }
  }
});

Deno.test("presets know clone of s390x and TIOCSTI of MIPS", () => {
  const cases: readonly (readonly [string, ArchName, string])[] = [
    [
      "no-new-namespaces",
      "s390x",
      "errno EPERM clone (arg1 & 0x7e020000) != 0",
    ],
    ["no-new-namespaces", "s390x", "allow clone (arg1 & 0x7e020000) == 0"],
    ["no-tiocsti", "mips64el", "errno EPERM ioctl low32(arg1) == 0x5472"],
    ["no-tiocsti", "mips64el", "allow ioctl low32(arg1) != 0x5472"],
  ];
  for (const [name, arch, line] of cases) {
    const { policy, arches } = resolveParsed(presetOf(name), {
      arch,
      kernel: KERNEL,
    });
    const { littleEndian } = policy;
    const source = { subject: policy, programs: [], littleEndian, arches };
    const judge = new CaseJudge(source, "word", DEFAULT_PROOF_LIMITS);
    assertEquals(judge.judge(parseCase(line)).kind, "pass", line);
  }
});

Deno.test("filters of presets have 10 instructions per architecture", () => {
  for (const { name } of PRESETS) {
    const target = { arch: "x86_64", kernel: KERNEL } as const;
    const filter = compileParsed(presetOf(name), target, { objective: "size" });
    assert(filter.kind === "proved");
    const most = 10 * filter.arches.length;
    assert(filter.program.length <= most, `${name}: ${filter.program.length}`);
  }
});

Deno.test("presets compose, in any order", () => {
  const target = { arch: "x86_64", kernel: KERNEL } as const;
  const inputs = ["no-af-alg", "no-tiocsti", "no-io-uring", "no-bpf"]
    .map((name) => ({ profile: presetOf(name) }));
  const [one, other] = [inputs, inputs.toReversed()].map((list) =>
    combine(list, target)
  );
  assert(one?.kind === "profile" && other?.kind === "profile");
  assertEquals(one.text, other.text);
  assertEquals(proveEquivalent(one.policy, other.policy).kind, "equal");
  assertEquals(one.section.syscalls.length, 3);
});
