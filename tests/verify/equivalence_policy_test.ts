import { assert, assertEquals } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { effective } from "../../bpf/return_value.ts";
import { argOffset } from "../../bpf/seccomp_data.ts";
import type { Condition, Policy, Rule } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { witnesses } from "../../verify/describe/witnesses.ts";
import { createRandom, jump, plain, type Random } from "./programs.ts";
import {
  ALLOW,
  ERRNO,
  policyOf,
  program,
  returning,
  X86_64,
} from "./subjects.ts";

/** The rules one after the other, as the plainest of compilers would. */
function linear(policy: Policy, hiFirst: boolean): Program {
  const body: Program[] = policy.arches.flatMap(({ auditArch, rules }) =>
    rules.map((rule): Program => {
      const tests: Program = rule.conditions.flatMap((condition) =>
        equality(condition, policy.littleEndian, hiFirst)
      );
      const matched = [...tests, plain("ret.k", rule.value)];
      const guard = [
        plain("ld.abs", 4),
        jump("jeq.k", auditArch, 0, 3),
        plain("ld.abs", 0),
        jump("jge.k", rule.first, 0, 1),
        jump("jgt.k", rule.last, 0, 1),
        plain("ja", matched.length),
      ];
      // Every failing test continues with the next rule.
      return [...guard, ...matched].map((instruction, pc, all) =>
        instruction.jf === 255
          ? { ...instruction, jf: all.length - pc - 1 }
          : instruction
      );
    })
  );
  return [
    ...body.flat(),
    plain("ld.abs", 4),
    ...policy.arches.map(({ auditArch }, i) =>
      jump("jeq.k", auditArch, policy.arches.length - i, 0)
    ),
    plain("ret.k", policy.badArchValue),
    plain("ret.k", policy.defaultValue),
  ];
}

function equality(
  { arg, mask, value }: Condition,
  littleEndian: boolean,
  hiFirst: boolean,
): Program {
  const half = (name: "hi" | "lo"): Program => {
    const shift = name === "hi" ? 32n : 0n;
    return [
      plain("ld.abs", argOffset(arg, name, littleEndian)),
      plain("and.k", Number((mask >> shift) & 0xffff_ffffn)),
      jump("jeq.k", Number((value >> shift) & 0xffff_ffffn), 0, 255),
    ];
  };
  return hiFirst
    ? [...half("hi"), ...half("lo")]
    : [...half("lo"), ...half("hi")];
}

function randomRules(random: Random, count: number, numbers: number): Rule[] {
  return Array.from({ length: count }, (_, i) => {
    const first = random.below(numbers);
    const conditions = Array.from(
      { length: random.below(3) },
      (): Condition => {
        const mask = random.pick([
          0xffff_ffff_ffff_ffffn,
          0xffff_ffffn,
          BigInt(random.word()) << 7n,
        ]);
        const value = BigInt(random.below(5)) *
          random.pick([1n, 0x1_0000_0000n]);
        return { arg: random.below(6), op: "eq", mask, value: value & mask };
      },
    );
    return {
      first,
      last: first + random.below(4),
      conditions,
      value: random.pick([ALLOW, ERRNO, 0x0003_0000]),
      source: `rules[${i}]`,
    };
  });
}

Deno.test("proveEquivalent() finds a policy and its plainest program equal, in both byte orders", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = createRandom(seed);
    const policy = policyOf(randomRules(random, 12, 20), seed % 2 === 0);
    const verdict = proveEquivalent(
      policy,
      program(...linear(policy, random.below(2) === 0)),
    );
    assertEquals(verdict.kind, "equal", `seed ${seed}`);
  }
});

Deno.test("proveEquivalent() refutes a policy with one rule changed, exactly where decide() sees it", () => {
  let different = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const random = createRandom(seed);
    const rules = randomRules(random, 12, 20);
    const policy = policyOf(rules);
    const index = random.below(rules.length);
    const changed = policyOf(
      rules.map((rule, i) =>
        i === index ? { ...rule, value: rule.value ^ 0x0001_0000 } : rule
      ),
    );
    const a: Subject = policy;
    const verdict = proveEquivalent(a, program(...linear(changed, true)));
    const differs = [...witnesses([a], { most: 3_000 })].some((data) =>
      effective(decide(policy, data).value) !==
        effective(decide(changed, data).value)
    );
    if (differs) assertEquals(verdict.kind, "different", `seed ${seed}`);
    if (verdict.kind !== "different") continue;
    different++;
    assertEquals(verdict.a.value, decide(policy, verdict.data).value);
    assertEquals(verdict.b.value, decide(changed, verdict.data).value);
    assert(verdict.b.paths[0]?.[0] === 0);
  }
  assert(different > 15, `${different} different`);
});

Deno.test("proveEquivalent() compares 64-bit orders with half of the bits masked", () => {
  for (const op of ["lt", "le", "gt", "ge", "ne"] as const) {
    const opposite =
      ({ lt: "ge", le: "gt", gt: "le", ge: "lt", ne: "eq" } as const)[op];
    const condition = {
      arg: 3,
      mask: 0xffff_0000_ff00_ffffn,
      value: 0x0012_0000_3400_0056n,
    };
    const rule = { first: 0, last: 0xffff_ffff, source: "" };
    const [a, b] = [
      policyOf([{ ...rule, conditions: [{ ...condition, op }], value: ALLOW }]),
      policyOf([
        { ...rule, conditions: [{ ...condition, op: opposite }], value: ERRNO },
        { ...rule, conditions: [], value: ALLOW },
      ]),
    ];
    const verdict = proveEquivalent(a, b);
    assertEquals(verdict.kind, "equal", op);
    for (const delta of [-1n, 1n]) {
      const moved = policyOf([{
        ...rule,
        conditions: [{ ...condition, op, value: condition.value + delta }],
        value: ALLOW,
      }]);
      const other = proveEquivalent(a, moved);
      assertEquals(other.kind, "different", op);
    }
  }
});

Deno.test("proveEquivalent() uses the first matching architecture and rule", () => {
  const rule = { first: 7, last: 7, conditions: [], source: "" };
  const twice = policyOf([{ ...rule, value: ALLOW }, {
    ...rule,
    value: ERRNO,
  }]);
  const doubled: Policy = {
    ...twice,
    arches: [...twice.arches, { auditArch: X86_64, names: [], rules: [] }],
  };
  const once = policyOf([{ ...rule, value: ALLOW }]);
  for (const policy of [twice, doubled]) {
    const verdict = proveEquivalent(policy, once);
    assertEquals(verdict.kind, "equal");
  }
});

Deno.test("proveEquivalent() decides a thousand equalities on one argument in any order of tests", () => {
  const rules = Array.from({ length: 1_000 }, (_, i): Rule => ({
    first: 3,
    last: 3,
    conditions: [{
      arg: 0,
      op: "eq",
      mask: 0xffff_ffff_ffff_ffffn,
      value: (BigInt(i) * 0x1_2345_6789n) & 0xff_ffff_ffffn,
    }],
    value: ALLOW,
    source: "",
  }));
  const policy = policyOf(rules);
  const reversed = policyOf(rules.toReversed());
  const verdict = proveEquivalent(policy, reversed);
  assertEquals(verdict.kind, "equal");
  const some = policyOf(rules.slice(0, 280));
  for (const hiFirst of [true, false]) {
    const filter = linear(policyOf(rules.slice(0, 280).toReversed()), hiFirst);
    const proof = proveEquivalent(program(...filter), some);
    assertEquals(proof.kind, "equal", `hi first: ${hiFirst}`);
  }
  const missing = policyOf(
    rules.with(500, { ...rules[0] as Rule, value: ERRNO }),
  );
  const refuted = proveEquivalent(policy, missing);
  assert(refuted.kind === "different");
  assertEquals(refuted.data.args[0], rules[500]?.conditions[0]?.value);
});

Deno.test("proveEquivalent() decides 470 alternating numbers and counts them", () => {
  const rules = Array.from({ length: 235 }, (_, i): Rule => ({
    first: 2 * i,
    last: 2 * i,
    conditions: [],
    value: ALLOW,
    source: "",
  }));
  const filter = [
    plain("ld.abs", 4),
    jump("jeq.k", X86_64, 1, 0),
    ...returning(0),
    plain("ld.abs", 0),
    jump("jgt.k", 469, 2, 0),
    jump("jset.k", 1, 1, 0),
    ...returning(ALLOW),
    ...returning(ERRNO),
  ];
  const verdict = proveEquivalent(
    policyOf(rules),
    program(...filter),
  );
  assert(verdict.kind === "equal");
  assertEquals(verdict.coverage.archIntervals, 3);
  assertEquals(verdict.coverage.nrIntervals, 470 + 2);
  assertEquals(verdict.coverage.offsets, [0, 4]);
});
