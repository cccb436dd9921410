/**
 * Fixes whose text depends on the architectures of the profile.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { LintFinding } from "../../lint/finding.ts";
import { lintProfile } from "../../lint/lint.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { applyPatch } from "../../profile/json/patch.ts";
import type { ArchName } from "../../tables/arch.ts";

/** A profile that denies clone3 with EPERM and allows clone. */
function denying(more: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    ...more,
    syscalls: [{
      names: ["execve", "exit_group", "clone"],
      action: "SCMP_ACT_ALLOW",
    }],
  });
}

/** The finding about clone3. */
function clone3On(arch: ArchName, text: string): LintFinding | undefined {
  const target = { arch, kernel: { major: 6, minor: 18 } } as const;
  return lintProfile(parseProfile(text), target, { context: "container" })
    .findings.find(({ fingerprint }) =>
      fingerprint === "eperm-for-new-call: clone3"
    );
}

/** Values of the entries that a fix adds. */
function added(finding: LintFinding | undefined): readonly unknown[] {
  return finding?.fix?.patch.map(({ value }) => value) ?? [];
}

Deno.test("ENOSYS in a fix has the number of the architecture", () => {
  const rows: readonly (readonly [ArchName, string[], number])[] = [
    ["x86_64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], 38],
    ["mipsel", ["SCMP_ARCH_MIPSEL"], 89],
    ["mips64", ["SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS"], 89],
    ["ppc64le", ["SCMP_ARCH_PPC64LE"], 38],
  ];
  for (const [arch, architectures, errnoRet] of rows) {
    const text = denying({ architectures });
    const finding = clone3On(arch, text);
    assertEquals(added(finding), [
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet },
    ]);
    const changed = applyPatch(text, finding?.fix?.patch ?? []);
    assertEquals(clone3On(arch, changed), undefined, arch);
  }
});

Deno.test("there is no fix if ENOSYS has two numbers in one filter", () => {
  const finding = clone3On(
    "x86_64",
    denying({ architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_MIPSEL"] }),
  );
  assertEquals(finding?.fix, undefined);
  assert(
    finding?.message.endsWith(
      "; no fix: an entry has one errno, but ENOSYS is 38 on x86_64 and 89 on mipsel",
    ),
    finding?.message,
  );
});

Deno.test("in Docker's format, a fix adds an entry for each number of ENOSYS", () => {
  const text = denying({
    archMap: [
      {
        architecture: "SCMP_ARCH_X86_64",
        subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: [] },
      {
        architecture: "SCMP_ARCH_MIPS64",
        subArchitectures: ["SCMP_ARCH_MIPS"],
      },
    ],
  });
  const arches = ["x86_64", "aarch64", "mips64"] as const;
  const entry = { names: ["clone3"], action: "SCMP_ACT_ERRNO" };
  for (const arch of arches) {
    const finding = clone3On(arch, text);
    assertEquals(added(finding), [
      { ...entry, errnoRet: 38, excludes: { arches: ["mips64"] } },
      { ...entry, errnoRet: 89, includes: { arches: ["mips64"] } },
    ]);
    const changed = applyPatch(text, finding?.fix?.patch ?? []);
    for (const other of arches) {
      assertEquals(clone3On(other, changed), undefined, `${arch} ${other}`);
    }
  }
});
