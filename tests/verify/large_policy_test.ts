import { assertEquals } from "@std/assert";
import { compile } from "../../compiler/compile.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

/** Rules that allow a call where argument 1 is one of some values. */
function equalities(nr: number, values: readonly bigint[]): Rule[] {
  return values.map((value) => ({
    first: nr,
    last: nr,
    conditions: [{ arg: 1, op: "eq", mask: 2n ** 64n - 1n, value }],
    value: 0x7fff_0000,
    source: "",
  }));
}

function policyOf(rules: readonly Rule[]): Policy {
  return {
    defaultValue: 0x0005_0001,
    badArchValue: 0,
    littleEndian: true,
    arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules }],
  };
}

const values = (count: number): readonly bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt(21_504 + 7 * i));

Deno.test("proveEquivalent() proves as many argument rules as a program can hold", () => {
  const numbers = Array.from({ length: 450 }, (_, nr) => nr);
  const cases: readonly [string, Policy][] = [
    ["1,000 values of one call", policyOf(equalities(16, values(1000)))],
    [
      "the same 100 values of 450 calls",
      policyOf(numbers.flatMap((nr) => equalities(nr, values(100)))),
    ],
    [
      "three values of its own for each of 450 calls",
      policyOf(
        numbers.flatMap((nr) =>
          equalities(
            nr,
            [0n, 1n, 2n].map((i) => BigInt(nr * 1_000_003) + 7n * i),
          )
        ),
      ),
    ],
  ];
  for (const [name, policy] of cases) {
    const { program } = compile(policy);
    const verdict = proveEquivalent(
      program,
      policy,
    );
    assertEquals(verdict.kind, "equal", name);
  }
});

Deno.test("proveEquivalent() proves 450,000 rules that are 1,000 for each call", () => {
  const numbers = Array.from({ length: 450 }, (_, nr) => nr);
  const [first] = numbers;
  const policy = policyOf(
    values(1000).flatMap((value) =>
      numbers.flatMap((nr) => equalities(nr, [value]))
    ),
  );
  const { program } = compile(policy);
  assertEquals(proveEquivalent(program, policy).kind, "equal");
  const fewer = policyOf(policy.arches[0]?.rules.slice(1) ?? []);
  const verdict = proveEquivalent(program, fewer);
  assertEquals(verdict.kind === "different" && verdict.data.nr, first);
});
