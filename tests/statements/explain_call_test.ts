import { assertEquals } from "@std/assert";
import type { Policy, Rule } from "../../profile/policy.ts";
import { nearestInputs } from "../../statements/explain_call.ts";

const ALLOW = 0x7fff_0000;
const X86_64 = 0xc000_003e;
const FULL = (1n << 64n) - 1n;

function policy(...rules: readonly Rule["conditions"][]): Policy {
  return {
    defaultValue: 0x0005_0001,
    badArchValue: 0,
    littleEndian: true,
    arches: [{
      auditArch: X86_64,
      names: ["x86_64"],
      rules: rules.map((conditions) => ({
        first: 1,
        last: 1,
        conditions,
        value: ALLOW,
        source: "",
      })),
    }],
  };
}

function equal(arg: number, value: bigint): Rule["conditions"][number] {
  return { arg, op: "eq", mask: FULL, value };
}

/** The nearest allowed values of each argument. */
function nearest(
  subject: Policy,
  args: readonly bigint[],
  byBits: boolean,
): readonly (readonly [number, bigint])[] {
  const six = [0, 1, 2, 3, 4, 5].map((arg) => args[arg] ?? 0n);
  const data = { arch: X86_64, nr: 1, instructionPointer: 0n, args: six };
  return nearestInputs(subject, data, ALLOW, { byBits: () => byBits })
    .map(({ arg, value }) => [arg, value]);
}

Deno.test("nearestInputs() finds the nearest number on either side", () => {
  const values = policy([equal(0, 1n)], [equal(0, 50n)], [equal(0, 1n << 40n)]);
  const cases: readonly (readonly [bigint, bigint])[] = [
    [0n, 1n],
    [3n, 1n],
    [25n, 1n],
    [26n, 50n],
    [45n, 50n],
    [90n, 50n],
    [1n << 41n, 1n << 40n],
    [FULL, 1n << 40n],
  ];
  for (const [from, to] of cases) {
    assertEquals(nearest(values, [from], false), [[0, to]], `${from}`);
  }
});

Deno.test("nearestInputs() changes as few flags as possible", () => {
  const masked = { arg: 0, op: "eq", mask: 0x7e02_0000n, value: 0n } as const;
  assertEquals(nearest(policy([masked]), [0x1000_0111n], true), [
    [0, 0x111n],
  ]);
});

Deno.test("nearestInputs() lists each argument that can bring it about", () => {
  const both = policy([equal(0, 5n), equal(1, 7n)], [equal(2, 9n)]);
  assertEquals(nearest(both, [5n, 1n, 1n], false), [[1, 7n], [2, 9n]]);
  assertEquals(nearest(both, [1n, 1n, 1n], false), [[2, 9n]]);
  assertEquals(nearest(policy(), [], false), []);
});
