import { assert, assertEquals } from "@std/assert";
import { check } from "../../bpf/check.ts";
import { listProgram } from "../../measure/list.ts";
import { resolveProfile } from "../../pipeline/resolve_profile.ts";
import type { Condition, Policy } from "../../profile/policy.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { writeSection } from "../../profile/formats/write_section.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { generateAny } from "../oracle/generate.ts";

/** Proves the list of a policy equal to it. */
function assertEqualList(policy: Policy, name: string): number {
  const list = listProgram(policy);
  assert(list !== undefined, name);
  assertEquals(check(list), undefined, name);
  const { littleEndian } = policy;
  const filter = { program: list, littleEndian };
  assertEquals(proveEquivalent(policy, filter).kind, "equal", name);
  return list.length;
}

const ALLOW = 0x7fff_0000;
const DENY = 0x0005_0001;

Deno.test("listProgram() writes what a policy means, whatever its conditions", () => {
  const values = [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 64n - 1n];
  const masks = [2n ** 64n - 1n, 0xffff_ffffn, 0xf0n, 0xff_0000_000fn];
  for (const op of ["eq", "ne", "lt", "le", "gt", "ge"] as const) {
    for (const littleEndian of [true, false]) {
      const rules = values.flatMap((value, i) =>
        masks.map((mask, j) => {
          const conditions: Condition[] = [
            { arg: 0, op, mask, value },
            { arg: 5, op: "ne", mask: masks[0] ?? 0n, value },
          ];
          const nr = 10 * i + j;
          const last = j === 1 ? nr + 3 : nr;
          return { first: nr, last, conditions, value: ALLOW, source: "" };
        })
      );
      assertEqualList({
        defaultValue: DENY,
        badArchValue: 0,
        littleEndian,
        arches: [
          { auditArch: 0xc000_003e, names: ["a"], rules },
          { auditArch: 0x4000_0003, names: ["b"], rules: rules.slice(3) },
        ],
      }, `${op} ${littleEndian}`);
    }
  }
});

Deno.test("listProgram() writes real and random profiles, and none that is too long", () => {
  const kernel = { major: 6, minor: 1 };
  const docker = resolveProfile(DEFAULT_PROFILE, { arch: "x86_64", kernel });
  // Two instructions for each name on each of three architectures, and more.
  assert(assertEqualList(docker.policy, "docker") > 2000);
  for (let seed = 0; seed < 12; seed++) {
    const { seccomp } = generateAny(seed);
    const text = writeSection({ ...seccomp, architectures: [] });
    const arch = seed % 2 === 0 ? "x86_64" : "s390x";
    assertEqualList(resolveProfile(text, { arch }).policy, `seed ${seed}`);
  }
  const rule = { conditions: [], value: ALLOW, source: "" };
  const rules = Array.from(
    { length: 2100 },
    (_, nr) => ({ ...rule, first: nr, last: nr }),
  );
  const long = { auditArch: 0xc000_003e, names: ["a"], rules };
  const policy = {
    defaultValue: DENY,
    badArchValue: 0,
    littleEndian: true,
    arches: [long],
  };
  assertEquals(listProgram(policy), undefined);
});
