import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { chainOf } from "../../compiler/chain.ts";
import {
  type Calls,
  decideArguments,
  newArgumentWork,
} from "../../compiler/conditions.ts";
import {
  countBranches,
  createDecisionGraph,
  type Decision,
} from "../../compiler/decision.ts";
import { residualOf } from "../../compiler/residual.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import {
  ALL,
  ALLOW,
  anyCondition,
  boundaryCalls,
  call,
  describeCall,
  EPERM,
  follow,
  LOG,
  policyOf,
  rule,
  SEED,
  show,
  TRAP,
  when,
  WORD,
} from "./shared.ts";

function callsOf(littleEndian = true): Calls {
  return {
    style: "cheap",
    mostTests: Infinity,
    work: newArgumentWork(),
    graph: createDecisionGraph(),
    defaultValue: EPERM,
    littleEndian,
    decided: new Map(),
  };
}

/** The decision for rules of number 1. */
function decided(rules: readonly Rule[], littleEndian = true): Decision {
  return decideArguments(callsOf(littleEndian), rules);
}

/** Asserts that a decision answers number 1 as the policy does. */
function assertDecides(policy: Policy, node: Decision, mixes = 20): void {
  for (const data of boundaryCalls(policy, mixes)) {
    if (data.nr !== 1 || data.arch !== policy.arches[0]?.auditArch) continue;
    const seen = follow(node, data, policy.littleEndian).value;
    const expected = decide(policy, data).value;
    if (seen !== expected) assertEquals(seen, expected, describeCall(data));
  }
}

Deno.test("decideArguments() makes Docker's socket a question of 38 and 40", () => {
  const node = decided([
    rule(1, ALLOW, when(0, "lt", 38n)),
    rule(1, ALLOW, when(0, "eq", 39n)),
    rule(1, ALLOW, when(0, "gt", 40n)),
  ]);
  const way = (domain: bigint): readonly number[] =>
    follow(node, call(1, [domain])).tests.map((test) => test.offset);
  assertEquals(countBranches(node), 4);
  // A common domain is one test; the high word matters only for 38 and 40.
  assertEquals(way(2n), [16]);
  assertEquals(way(37n), [16]);
  for (const domain of [39n, 41n, WORD]) {
    assertEquals(new Set(way(domain)), new Set([16]), `${domain}`);
    assert(way(domain).length <= 3, `${domain}`);
  }
  for (const domain of [38n, 40n]) {
    assertEquals(way(domain).at(-1), 20, `${domain}`);
    assertEquals(follow(node, call(1, [domain])).value, EPERM);
    assertEquals(follow(node, call(1, [domain | 1n << 32n])).value, ALLOW);
  }
});

Deno.test("decideArguments() makes Docker's personality one JSET and one JEQ", () => {
  const values = [0n, 8n, 0x20000n, 0x20008n, WORD];
  const node = decided(values.map((v) => rule(1, ALLOW, when(0, "eq", v))));
  assertEquals(
    show(node),
    "[16] set 4294836215 ? ([16] eq 4294967295 ? ([20] eq 0 ? (7fff0000) : " +
      "(50001)) : (50001)) : ([20] eq 0 ? (7fff0000) : (50001))",
  );
});

Deno.test("decideArguments() makes Docker's clone one JSET", () => {
  const flags = 0x7e02_0000;
  assertEquals(
    show(decided([rule(1, ALLOW, when(0, "eq", 0n, BigInt(flags)))])),
    `[16] set ${flags} ? (50001) : (7fff0000)`,
  );
});

Deno.test("decideArguments() reads words according to the byte order", () => {
  const node = decided([rule(1, ALLOW, when(2, "eq", 7n))], false);
  assertEquals(
    show(node),
    "[36] eq 7 ? ([32] eq 0 ? (7fff0000) : (50001)) : (50001)",
  );
});

Deno.test("decideArguments() is a leaf where arguments do not matter", () => {
  const table: readonly (readonly [string, readonly Rule[], string])[] = [
    ["no rule", [], "50001"],
    ["no condition", [rule(1, LOG)], "7ffc0000"],
    ["gt of the largest", [rule(1, LOG, when(0, "gt", ALL))], "50001"],
    ["lt 0", [rule(1, LOG, when(0, "lt", 0n))], "50001"],
    ["mask 0", [rule(1, LOG, when(0, "eq", 0n, 0n))], "7ffc0000"],
    ["both sides alike", [
      rule(1, LOG, when(0, "lt", 7n)),
      rule(1, LOG, when(0, "ge", 7n)),
    ], "7ffc0000"],
    ["the default's own value", [rule(1, EPERM, when(0, "eq", 1n))], "50001"],
  ];
  for (const [name, rules, expected] of table) {
    assertEquals(show(decided(rules)), expected, name);
  }
});

Deno.test("decideArguments() answers bounds at 2^32 exactly", () => {
  const edges = [
    0n,
    1n,
    WORD - 1n,
    WORD,
    WORD + 1n,
    WORD << 32n,
    ALL - 1n,
    ALL,
  ];
  for (const op of ["eq", "ne", "lt", "le", "gt", "ge"] as const) {
    for (const value of edges) {
      for (const littleEndian of [true, false]) {
        const rules = [rule(1, ALLOW, when(3, op, value))];
        const policy = policyOf(rules, { littleEndian });
        assertDecides(policy, decided(rules, littleEndian));
      }
    }
  }
});

Deno.test("decideArguments() takes bounds under a mask, which no profile can state", () => {
  for (const op of ["lt", "le", "gt", "ge"] as const) {
    for (const mask of [0xffn, 0xff_0000_00f0n, WORD << 32n, 0xf0_0000_0000n]) {
      for (const value of [0n, 5n, 0x80n, mask, 0x10_0000_0005n]) {
        const rules = [rule(1, ALLOW, when(0, op, value, mask))];
        assertDecides(policyOf(rules), decided(rules));
      }
    }
  }
});

Deno.test("decideArguments() compares a word whole after a masked test of it", () => {
  const rules = [
    rule(1, LOG, when(0, "eq", 0x30n, 0xf0n)),
    rule(1, TRAP, when(0, "eq", 0x105n, 0x10fn), when(0, "lt", 0x200n, WORD)),
    rule(1, ALLOW, when(0, "eq", 0x42n, WORD)),
    rule(1, LOG, when(0, "ge", 0x8000n, WORD)),
  ];
  assertDecides(policyOf(rules), decided(rules));
});

Deno.test("decideArguments() decides by six arguments", () => {
  const rules = [0, 1, 2, 3].map((i) =>
    rule(
      1,
      LOG + i,
      ...[0, 1, 2, 3, 4, 5].map((arg) =>
        when(arg, arg % 2 === 0 ? "eq" : "ge", BigInt(i * arg))
      ),
    )
  );
  assertDecides(policyOf(rules), decided(rules), 300);
});

Deno.test("decideArguments() tests 32 bits crosswise by the chain", () => {
  const bits = Array.from({ length: 32 }, (_, i) => 1n << BigInt(i));
  const rules = bits.map((bit, i) =>
    rule(1, LOG + i, when(0, "eq", bit, bit), when(1, "eq", bit, bit))
  );
  const node = decided(rules);
  assert(countBranches(node) <= 64, `${countBranches(node)} tests`);
  const policy = policyOf(rules);
  for (const a of [0n, 1n, 0x8000_0000n, WORD, 0x5555_5555n, 0xffff_0000n]) {
    for (const b of [0n, 1n, 0x8000_0000n, WORD, 0xaaaa_aaaan, 0x1_0000n]) {
      const data = call(1, [a, b]);
      assertEquals(follow(node, data).value, decide(policy, data).value);
    }
  }
});

Deno.test("decideArguments() makes 1,000 equalities a tree", () => {
  const rules = Array.from(
    { length: 1000 },
    (_, i) => rule(1, ALLOW, when(0, "eq", BigInt(i * 7))),
  );
  const node = decided(rules);
  let most = 0;
  for (let value = -1; value < 7002; value++) {
    const arg = BigInt.asUintN(64, BigInt(value));
    const { tests, value: seen } = follow(node, call(1, [arg]));
    most = Math.max(most, tests.length);
    const hit = value >= 0 && value % 7 === 0 && value < 7000;
    assertEquals(seen, hit ? ALLOW : EPERM, `${value}`);
  }
  const bound = 2 * Math.log2(1000);
  assert(most <= bound, `${most} tests`);
  assert(countBranches(node) <= 1600, `${countBranches(node)} tests in all`);
});

Deno.test("decideArguments() takes thousands of masks without recursion limits", () => {
  const rules = Array.from(
    { length: 1500 },
    (_, i) => rule(1, LOG, when(0, "eq", BigInt(i % 7 + 1), BigInt(i * 8 + 7))),
  );
  assertDecides(policyOf(rules), decided(rules), 5);
});

Deno.test("decideArguments() gives calls with the same rules the same node", () => {
  const calls = callsOf();
  const conditions = [when(0, "eq", 1n), when(1, "gt", 4n)];
  const a = decideArguments(calls, [rule(1, ALLOW, ...conditions)]);
  const b = decideArguments(calls, [
    rule(2, ALLOW, ...conditions.toReversed()),
  ]);
  assert(a === b);
});

const anyRules = fc.array(
  fc.record({
    value: fc.constantFrom(ALLOW, LOG, TRAP, EPERM),
    conditions: fc.array(anyCondition, { maxLength: 3 }),
  }),
  { maxLength: 6 },
).map((drawn) => drawn.map((r) => rule(1, r.value, ...r.conditions)));

Deno.test("decideArguments() means what the rules mean", () => {
  fc.assert(
    fc.property(anyRules, fc.boolean(), (rules, littleEndian) => {
      const policy = policyOf(rules, { littleEndian });
      assertDecides(policy, decided(rules, littleEndian));
    }),
    { seed: SEED, numRuns: 250 },
  );
});

Deno.test("chainOf() means what the rules mean", () => {
  fc.assert(
    fc.property(anyRules, fc.boolean(), (rules, littleEndian) => {
      const policy = policyOf(rules, { littleEndian });
      const node = chainOf(
        createDecisionGraph(),
        residualOf(rules, EPERM),
        littleEndian,
      );
      assertDecides(policy, node);
    }),
    { seed: SEED, numRuns: 250 },
  );
});

Deno.test("chainOf() tests the high half first", () => {
  const chain = (rules: readonly Rule[]): string =>
    show(chainOf(createDecisionGraph(), residualOf(rules, EPERM), true));
  const value = (5n << 32n) | 7n;
  assertEquals(
    chain([rule(1, ALLOW, when(0, "eq", value))]),
    "[20] eq 5 ? ([16] eq 7 ? (7fff0000) : (50001)) : (50001)",
  );
  assertEquals(
    chain([rule(1, ALLOW, when(0, "lt", value))]),
    "[20] eq 5 ? ([16] ge 7 ? (50001) : (7fff0000)) : " +
      "([20] ge 5 ? (50001) : (7fff0000))",
  );
});
