import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { knowWord } from "../../compiler/part.ts";
import { narrow, residualOf, wordsOf } from "../../compiler/residual.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { decide } from "../../verify/decide.ts";
import {
  ALL,
  ALLOW,
  anyCondition,
  boundaryCalls,
  EPERM,
  KILL,
  LOG,
  policyOf,
  rule,
  SEED,
  TRAP,
  when,
  WORD,
} from "./shared.ts";

Deno.test("residualOf() drops what cannot decide", () => {
  const low = (value: bigint) => when(0, "eq", value, WORD);
  const table: readonly (readonly [
    string,
    Parameters<typeof residualOf>[0],
    readonly number[],
    number,
  ])[] = [
    ["nothing", [], [], EPERM],
    [
      "a rule that cannot match",
      [rule(1, ALLOW, when(0, "lt", 0n))],
      [],
      EPERM,
    ],
    [
      "a rule that always matches",
      [
        rule(1, ALLOW, when(0, "ge", 0n)),
        rule(1, KILL),
      ],
      [],
      ALLOW,
    ],
    [
      "after one that always matches",
      [
        rule(1, LOG, low(1n)),
        rule(1, ALLOW),
        rule(1, KILL, low(2n)),
      ],
      [LOG],
      ALLOW,
    ],
    ["repeats", [rule(1, LOG, low(1n)), rule(1, KILL, low(1n))], [LOG], EPERM],
    [
      "repeats in another order",
      [
        rule(1, LOG, low(1n), when(1, "eq", 2n)),
        rule(1, KILL, when(1, "eq", 2n), low(1n)),
      ],
      [LOG],
      EPERM,
    ],
    [
      "what answers the default at the end",
      [
        rule(1, LOG, low(1n)),
        rule(1, EPERM, low(2n)),
        rule(1, EPERM, low(3n)),
      ],
      [LOG],
      EPERM,
    ],
    [
      "but not before another",
      [
        rule(1, EPERM, low(2n)),
        rule(1, LOG, low(1n)),
      ],
      [EPERM, LOG],
      EPERM,
    ],
  ];
  for (const [name, rules, values, otherwise] of table) {
    const residual = residualOf(rules, EPERM);
    assertEquals(residual.rules.map((r) => r.value), values, name);
    assertEquals(residual.otherwise, otherwise, name);
  }
});

Deno.test("residualOf() gives equal questions equal keys, others not", () => {
  const a = residualOf([rule(1, LOG, when(0, "le", 6n), when(1, "eq", 2n))], 1);
  const b = residualOf([rule(9, LOG, when(1, "eq", 2n), when(0, "lt", 7n))], 1);
  assertEquals(a.key, b.key);
  const others = [
    residualOf([rule(1, TRAP, when(0, "le", 6n), when(1, "eq", 2n))], 1),
    residualOf([rule(1, LOG, when(0, "le", 6n), when(1, "eq", 2n))], 2),
    residualOf([
      rule(1, LOG, when(0, "le", 6n)),
      rule(1, LOG, when(1, "eq", 2n)),
    ], 1),
  ];
  for (const other of others) assertEquals(other.key === a.key, false);
});

Deno.test("wordsOf() lists each word once, rising", () => {
  const residual = residualOf([
    rule(1, LOG, when(5, "eq", 1n << 32n, WORD << 32n), when(1, "ne", 3n)),
    rule(1, TRAP, when(1, "eq", 4n, WORD)),
  ], EPERM);
  assertEquals(wordsOf(residual), [2, 3, 11]);
});

Deno.test("narrow() by all words in any order ends in what the rules decide", () => {
  const rules = fc.array(
    fc.record({
      value: fc.constantFrom(ALLOW, LOG, TRAP, EPERM),
      conditions: fc.array(anyCondition, { maxLength: 3 }),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(rules, fc.array(fc.nat(11)), (drawn, shuffle) => {
      const policy = policyOf(
        drawn.map((r) => rule(1, r.value, ...r.conditions)),
      );
      const own = policy.arches[0]?.rules ?? [];
      const order = [
        ...new Set([...shuffle, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
      ];
      for (const data of boundaryCalls(policy, 4)) {
        if (data.nr !== 1 || data.arch !== policy.arches[0]?.auditArch) {
          continue;
        }
        const words = toWords(data, true);
        let residual = residualOf(own, EPERM);
        for (const word of order) {
          const seen = words[4 + word] ?? 0;
          residual = narrow(residual, word, (p) => knowWord(p, word, seen));
          assertEquals(wordsOf(residual).includes(word), false);
        }
        assertEquals(residual.rules, []);
        assertEquals(residual.otherwise, decide(policy, data).value);
      }
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("narrow() keeps the residual if the word is not tested", () => {
  const residual = residualOf([rule(1, LOG, when(0, "eq", ALL))], EPERM);
  assertEquals(narrow(residual, 2, () => false) === residual, true);
});
