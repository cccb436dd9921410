/**
 * Random pairs of policies with every comparison, masks and both byte orders:
 * if `decide` sees a difference at a boundary, the proof must as well, and if
 * the proof claims one, `decide` must see it.
 */

import { assert, assertEquals } from "@std/assert";
import type { Condition, Policy, Rule } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { witnesses } from "../../verify/describe/witnesses.ts";
import { createRandom, type Random } from "./programs.ts";
import { ALLOW, ERRNO, policyOf } from "./subjects.ts";

const OPS = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
const MASKS = [
  0n,
  0xffff_ffffn,
  0xff_0000_00ffn,
  0xffff_ffff_0000_0000n,
  0xffff_ffff_ffff_ffffn,
];
const VALUES = [
  0n,
  1n,
  2n,
  0xffn,
  0x1_0000_0000n,
  0x1_0000_0001n,
  0xff_0000_00ffn,
  0xffff_ffff_ffff_ffffn,
];

function randomCondition(random: Random): Condition {
  return {
    arg: random.below(2),
    op: random.pick(OPS),
    mask: random.pick(MASKS),
    value: random.pick(VALUES),
  };
}

function randomRule(random: Random): Rule {
  const first = random.below(4);
  return {
    first,
    // Occasionally a rule for no number.
    last: Math.max(0, first + random.below(4) - 1),
    conditions: Array.from(
      { length: random.below(3) },
      () => randomCondition(random),
    ),
    value: random.pick([ALLOW, ERRNO]),
    source: "",
  };
}

function changed(random: Random, rules: readonly Rule[]): readonly Rule[] {
  if (random.below(3) === 0) return rules.toReversed();
  const rule = random.pick(rules);
  const conditions = [randomCondition(random), ...rule.conditions.slice(1)];
  return rules.with(rules.indexOf(rule), { ...rule, conditions });
}

Deno.test("proveEquivalent() agrees with decide() on random pairs of policies", () => {
  const counts = { equal: 0, different: 0, unproven: 0 };
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed);
    const rules = Array.from(
      { length: 1 + random.below(4) },
      () => randomRule(random),
    );
    const littleEndian = random.below(2) === 0;
    const a: Policy = policyOf(rules, littleEndian);
    const b: Policy = policyOf(changed(random, rules), littleEndian);
    const sides = [
      a,
      b,
    ] as const;
    const verdict = proveEquivalent(...sides);
    counts[verdict.kind]++;
    if (verdict.kind === "different") {
      const { data } = verdict;
      assert(decide(a, data).value !== decide(b, data).value, `seed ${seed}`);
      continue;
    }
    assertEquals(verdict.kind, "equal", `seed ${seed}`);
    for (const data of witnesses(sides, { most: 5_000 })) {
      assertEquals(
        decide(a, data).value,
        decide(b, data).value,
        `seed ${seed}`,
      );
    }
  }
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log("random policies:", counts);
  assert(counts.equal > 50 && counts.different > 50);
});
