import { assertThrows } from "@std/assert";
import { compile } from "../../compiler/compile.ts";
import { checkPolicy, type Policy, type Rule } from "../../profile/policy.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

const RULE: Rule = {
  first: 1,
  last: 2,
  conditions: [{ arg: 0, op: "eq", mask: 2n ** 64n - 1n, value: 7n }],
  value: 0x7fff_0000,
  source: "",
};

function policyWith(
  rule: Partial<Rule>,
  more: Partial<Policy> = {},
  auditArch = 0xc000_003e,
): Policy {
  return {
    defaultValue: 0x0005_0001,
    badArchValue: 0,
    littleEndian: true,
    arches: [{ auditArch, names: ["x"], rules: [RULE, { ...RULE, ...rule }] }],
    ...more,
  };
}

function condition(more: Partial<Rule["conditions"][number]>): Partial<Rule> {
  return {
    conditions: RULE.conditions.map((condition) => ({ ...condition, ...more })),
  };
}

Deno.test("checkPolicy() refuses numbers that no call can have, and says where", () => {
  checkPolicy(policyWith({}));
  checkPolicy(policyWith({ first: 0xffff_ffff, last: 0xffff_ffff }));
  checkPolicy(policyWith({ first: 3 }));
  const cases: readonly (readonly [Policy, string])[] = [
    [policyWith({}, { defaultValue: -1 }), "defaultValue is -1"],
    [policyWith({}, { badArchValue: 2 ** 32 }), "badArchValue is 4294967296"],
    [policyWith({}, {}, 0xc000_003e | 0), "arches[0].auditArch is -1073741762"],
    [policyWith({ first: -1 }), "rules[1].first is -1"],
    [policyWith({ first: 0.5, last: 1.5 }), "rules[1].first is 0.5"],
    [policyWith({ last: NaN }), "rules[1].last is NaN"],
    [policyWith({ value: -1 }), "rules[1].value is -1"],
    [policyWith(condition({ arg: 6 })), "rules[1].conditions[0].arg is 6"],
    [policyWith(condition({ arg: -1 })), "rules[1].conditions[0].arg is -1"],
    [policyWith(condition({ value: 2n ** 64n })), "rules[1].conditions[0]"],
    [policyWith(condition({ mask: -1n })), "rules[1].conditions[0]"],
  ];
  for (const [policy, message] of cases) {
    assertThrows(() => checkPolicy(policy), RangeError, message);
    assertThrows(() => compile(policy), RangeError, message);
    const side = policy;
    const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
    assertThrows(
      () => proveEquivalent(side, program),
      RangeError,
      message,
    );
  }
});

Deno.test("checkPolicy() refuses a policy without a byte order", () => {
  const { littleEndian: _, ...rest } = policyWith({});
  // Input of a caller without types.
  const policy = rest as Policy;
  assertThrows(
    () => checkPolicy(policy),
    TypeError,
    "littleEndian is undefined",
  );
  assertThrows(() => compile(policy), TypeError, "littleEndian");
  assertThrows(
    () => proveEquivalent(policy, policy),
    TypeError,
    "littleEndian",
  );
});
