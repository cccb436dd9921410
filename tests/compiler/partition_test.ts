import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { partition } from "../../compiler/partition.ts";
import type { Rule } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import {
  ALLOW,
  anyRule,
  call,
  EPERM,
  KILL,
  policyOf,
  rule,
  SEED,
  TRAP,
  when,
} from "./shared.ts";

const LAST = 0xffff_ffff;

/** A partition as first, last and the values of its rules. */
function shown(rules: readonly Rule[]): readonly (readonly number[])[] {
  return partition(rules).map((i) => [
    i.first,
    i.last,
    ...i.rules.map((r) => r.value),
  ]);
}

Deno.test("partition() cuts the system call numbers where rules begin and end", () => {
  const conditional = rule(5, TRAP, when(0, "eq", 1n));
  const table: readonly (readonly [
    string,
    readonly Rule[],
    readonly (readonly number[])[],
  ])[] = [
    ["no rule", [], [[0, LAST]]],
    ["number 0", [rule(0, ALLOW)], [[0, 0, ALLOW], [1, LAST]]],
    ["the last number", [rule(LAST, ALLOW)], [
      [0, LAST - 1],
      [LAST, LAST, ALLOW],
    ]],
    ["the whole line", [rule([0, LAST], ALLOW)], [[0, LAST, ALLOW]]],
    ["a single inside a later range", [rule(3, ALLOW), rule([1, 9], EPERM)], [
      [0, 0],
      [1, 2, EPERM],
      [3, 3, ALLOW],
      [4, 9, EPERM],
      [10, LAST],
    ]],
    ["a single after a range", [rule([1, 9], EPERM), rule(3, ALLOW)], [
      [0, 0],
      [1, 9, EPERM],
      [10, LAST],
    ]],
    ["neighbors alike", [
      rule(2, ALLOW),
      rule(3, ALLOW),
      rule(4, KILL),
      rule(5, conditional.value, when(0, "eq", 1n)),
      rule(6, conditional.value, when(0, "eq", 1n)),
    ], [
      [0, 1],
      [2, 3, ALLOW],
      [4, 4, KILL],
      [5, 5, TRAP],
      [6, 6, TRAP],
      [7, LAST],
    ]],
    ["conditions first", [conditional, rule([4, 6], KILL)], [
      [0, 3],
      [4, 4, KILL],
      [5, 5, TRAP, KILL],
      [6, 6, KILL],
      [7, LAST],
    ]],
    ["two rules of one number", [rule(7, ALLOW), rule(7, KILL)], [
      [0, 6],
      [7, 7, ALLOW],
      [8, LAST],
    ]],
    ["overlapping ranges", [rule([2, 4], ALLOW), rule([3, 8], KILL)], [
      [0, 1],
      [2, 4, ALLOW],
      [5, 8, KILL],
      [9, LAST],
    ]],
  ];
  for (const [name, rules, expected] of table) {
    assertEquals(shown(rules), expected, name);
  }
});

Deno.test("partition() gives a rule that is listed twice its first place", () => {
  const around = rule([1, 9], EPERM);
  const single = rule(5, ALLOW);
  const expected = [[0, 0], [1, 9, EPERM], [10, LAST]];
  assertEquals(shown([around, single, around]), expected);
  assertEquals(shown([single, around, single]), [
    [0, 0],
    [1, 4, EPERM],
    [5, 5, ALLOW],
    [6, 9, EPERM],
    [10, LAST],
  ]);
});

Deno.test("partition() is gapless, sorted and keeps what the rules mean", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 14 }), (rules) => {
      const intervals = partition(rules);
      const policy = policyOf(rules);
      let next = 0;
      for (const { first, last, rules: own } of intervals) {
        assertEquals(first, next);
        assert(last >= first);
        next = last + 1;
        for (const nr of [first, Math.min(first + 1, last), last]) {
          for (const args of [[], [1n, 1n], [6n, 0xffff_ffffn]]) {
            const data = call(nr, args);
            // The rules of the interval, taken for all numbers, decide alike.
            const alone = own.map((r) => ({ ...r, first: 0, last: LAST }));
            assertEquals(
              decide(policyOf(alone), data).value,
              decide(policy, data).value,
            );
          }
        }
      }
      assertEquals(next, LAST + 1);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("partition() takes 20,000 numbers without a quadratic walk", () => {
  const rules = Array.from(
    { length: 20_000 },
    (_, i) => rule(3 * (20_000 - i), ALLOW),
  );
  assertEquals(partition(rules).length, 40_001);
});
