import { assertEquals } from "@std/assert";
import type { Condition, Policy, Rule } from "../../profile/policy.ts";
import { decide, holds } from "../../verify/decide.ts";

const X86_64 = 0xc000_003e;
const I386 = 0x4000_0003;

function call(
  nr: number,
  args: readonly bigint[] = [0n, 0n, 0n, 0n, 0n, 0n],
  arch = X86_64,
): Parameters<typeof decide>[1] {
  return { nr, arch, instructionPointer: 0n, args };
}

Deno.test("holds() compares unsigned 64-bit numbers under a mask", () => {
  const full = 2n ** 64n - 1n;
  const rows: readonly (readonly [Condition["op"], string])[] = [
    // Results for one less, the same and one more.
    ["eq", "no yes no"],
    ["ne", "yes no yes"],
    ["lt", "yes no no"],
    ["le", "yes yes no"],
    ["gt", "no no yes"],
    ["ge", "no yes yes"],
  ];
  for (const [op, expected] of rows) {
    for (const value of [1n, 2n ** 32n, 2n ** 63n, full - 1n]) {
      const seen = [value - 1n, value, value + 1n].map((arg) => {
        const condition = { arg: 3, op, mask: full, value };
        const data = call(0, [0n, 0n, 0n, arg, 0n, 0n]);
        return holds(condition, data) ? "yes" : "no";
      });
      assertEquals(seen.join(" "), expected, `${op} ${value}`);
    }
    // The mask keeps bit 4 of 0x30 and of 0x20.
    const masked = [0x20n, 0x30n].map((arg) =>
      holds({ arg: 0, op, mask: 0x10n, value: 0x10n }, call(0, [arg]))
    );
    const [below, same] = expected.split(" ");
    assertEquals(masked, [below === "yes", same === "yes"], op);
  }
});

Deno.test("holds() treats a missing argument as 0", () => {
  const condition = { arg: 5, op: "eq", mask: 0xffn, value: 0n } as const;
  assertEquals(holds(condition, call(0, [1n, 1n])), true);
  assertEquals(holds({ ...condition, value: 1n }, call(0, [1n, 1n])), false);
});

Deno.test("decide() takes the first rule of the architecture all of whose conditions hold", () => {
  const rule = (
    first: number,
    last: number,
    value: number,
    conditions: readonly Condition[] = [],
  ): Rule => ({ first, last, conditions, value, source: `rule ${value}` });
  const is = (arg: number, value: bigint): Condition => ({
    arg,
    op: "eq",
    mask: 2n ** 64n - 1n,
    value,
  });
  const policy: Policy = {
    defaultValue: 100,
    badArchValue: 200,
    littleEndian: true,
    arches: [
      { auditArch: I386, names: ["x86"], rules: [rule(0, 0xffff_ffff, 1)] },
      {
        auditArch: X86_64,
        names: ["x86_64"],
        rules: [
          rule(5, 7, 2, [is(0, 1n), is(1, 2n)]),
          rule(5, 6, 3),
          rule(6, 9, 4),
        ],
      },
    ],
  };
  const cases: readonly (readonly [Parameters<typeof decide>[1], number])[] = [
    [call(4), 100],
    [call(5), 3],
    [call(6), 3],
    [call(7), 4],
    [call(9), 4],
    [call(10), 100],
    [call(5, [1n, 2n]), 2],
    [call(7, [1n, 2n]), 2],
    [call(7, [1n, 3n]), 4],
    [call(7, [0n, 2n]), 4],
    [call(8, [1n, 2n]), 4],
    [call(5, [1n, 2n], I386), 1],
    [call(5, [1n, 2n], 0), 200],
  ];
  for (const [data, value] of cases) {
    const verdict = decide(policy, data);
    const what = `${data.arch} ${data.nr} ${data.args}`;
    assertEquals(verdict.value, value, what);
    assertEquals(
      verdict.rule?.source,
      value < 100 ? `rule ${value}` : undefined,
    );
    assertEquals(
      verdict.arch?.auditArch,
      value === 200 ? undefined : data.arch,
    );
  }
});
