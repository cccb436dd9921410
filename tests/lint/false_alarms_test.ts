/**
 * Profiles beside those of which a finding is true: one condition differs, and
 * the finding, or its fix, would be false.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { LintFinding } from "../../lint/finding.ts";
import { lintFilters, lintProfile } from "../../lint/lint.ts";
import { parseFilters } from "../../bpf/text.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { archByName, type ArchName } from "../../tables/arch.ts";

const ERRNO = "SCMP_ACT_ERRNO";

/** The findings of one id in a profile that allows by default. */
function found(
  id: LintFinding["id"],
  syscalls: readonly unknown[],
  arch: ArchName,
  architectures?: readonly string[],
): readonly LintFinding[] {
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures,
    syscalls,
  });
  const target = { arch, kernel: { major: 6, minor: 18 } };
  return lintProfile(parseProfile(text), target, { context: "container" })
    .findings.filter((one) => one.id === id);
}

const masked = (index: number): unknown => ({
  index,
  value: 0x10000000,
  valueTwo: 0x10000000,
  op: "SCMP_CMP_MASKED_EQ",
});

Deno.test("a misspelled name gets the intended one, and not its removal", () => {
  const [finding] = found("unknown-name", [
    { names: ["ptrce", "acct"], action: ERRNO },
  ], "x86_64");
  assertEquals(finding?.fix?.patch, [
    { op: "replace", path: "/syscalls/0/names/0", value: "ptrace" },
  ]);
  assertEquals(finding?.fix?.effect, "changes");
});

Deno.test("flags of clone on s390 are found on both, and fixed if that is all", () => {
  const id = "clone-flags-on-s390";
  const clone = (names: string[], ...args: unknown[]): unknown[] => [
    { names, action: ERRNO, args },
  ];
  const [s390] = found(id, clone(["clone"], masked(0)), "s390");
  assertEquals(s390?.fix?.patch[0]?.value, 1);
  assertEquals(found(id, clone(["clone"], masked(0), masked(1)), "s390x"), []);
  // A fix would change the other call, or the other machine.
  const [two] = found(id, clone(["clone", "setns"], masked(0)), "s390x");
  assert(two !== undefined && two.fix === undefined);
  const [mixed] = found(id, clone(["clone"], masked(0)), "s390x", [
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_PPC64",
  ]);
  assert(mixed !== undefined && mixed.fix === undefined);
});

Deno.test("equal alternatives, and those that another rule decides, are not reported", () => {
  const id = "alternatives-on-one-argument";
  const eq = (value: number): unknown => ({
    index: 1,
    value,
    op: "SCMP_CMP_EQ",
  });
  const kill = (...args: unknown[]): unknown => ({
    names: ["kill"],
    action: ERRNO,
    args,
  });
  assertEquals(found(id, [kill(eq(9), eq(15))], "x86_64").length, 1);
  assertEquals(found(id, [kill(eq(9), eq(9))], "x86_64"), []);
  assertEquals(
    found(
      id,
      [kill(eq(9), eq(15)), { names: ["kill"], action: ERRNO }],
      "x86_64",
    ),
    [],
  );
});

Deno.test("a multiplexer is found only for denied calls that it makes", () => {
  const id = "reachable-by-multiplexer";
  const socket = { names: ["socket"], action: ERRNO, args: [masked(0)] };
  const denied = (value: number): unknown => ({
    names: ["socketcall"],
    action: ERRNO,
    args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
  });
  const only = (list: readonly LintFinding[]): readonly string[] =>
    list.map(({ fingerprint }) => fingerprint);
  assertEquals(
    only(found(id, [{ names: ["acct"], action: ERRNO }], "x86")),
    [],
  );
  assertEquals(only(found(id, [socket, denied(1)], "x86")), []);
  const [open] = found(id, [
    { names: ["socket", "socketcall"], action: "SCMP_ACT_KILL" },
  ], "x86");
  assertEquals(open, undefined);
});

Deno.test("4095 is the largest errno that is not reported", () => {
  const errnos = (errno: number): readonly string[] => {
    const filters = parseFilters(`ret #0x${(0x50000 + errno).toString(16)}`);
    const native = archByName("x86_64");
    if (native === undefined) throw new Error("no x86_64");
    const machine = { native, arches: [native] };
    return lintFilters(filters, machine, { context: "sandbox" }).findings
      .filter(({ id }) => id === "errno-out-of-range")
      .map(({ fingerprint }) => fingerprint);
  };
  assertEquals(errnos(4095), []);
  assertEquals(errnos(4096), ["errno-out-of-range: 4096"]);
});

Deno.test("an architecture that is missing is one that programs are built for", () => {
  const [finding] = found("missing-architecture", [
    { names: ["acct"], action: ERRNO },
  ], "x86_64");
  assertEquals(finding?.fix?.patch[0]?.value, [
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X86",
  ]);
});
