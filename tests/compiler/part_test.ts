import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  impliedEqual,
  knowMasked,
  knowWord,
  type Part,
  partKey,
  partOf,
} from "../../compiler/part.ts";
import type { Condition } from "../../profile/policy.ts";
import { holds } from "../../verify/decide.ts";
import { ALL, anyCondition, call, SEED, when, WORD } from "./shared.ts";

const HIGH = WORD << 32n;

Deno.test("partOf() leaves the simplest part of a condition", () => {
  const word = (
    word: number,
    op: "eq" | "ne" | "lt" | "ge",
    value: number,
    mask = 0xffff_ffff,
  ): Part => ({ kind: "word", word, op, mask, value });
  const table: readonly (readonly [string, Condition, Part])[] = [
    ["gt of the largest", when(0, "gt", ALL), false],
    ["le of the largest", when(0, "le", ALL), true],
    ["lt 0", when(0, "lt", 0n), false],
    ["ge 0", when(0, "ge", 0n), true],
    ["mask 0, value 0", when(0, "eq", 0n, 0n), true],
    ["mask 0, value 1", when(0, "eq", 1n, 0n), false],
    ["ne, mask 0, value 0", when(0, "ne", 0n, 0n), false],
    ["ne, mask 0, value 1", when(0, "ne", 1n, 0n), true],
    ["value outside the mask", when(0, "eq", 3n, 1n), false],
    ["ne, value outside the mask", when(0, "ne", 3n, 1n), true],
    [
      "high bits outside the mask",
      when(0, "eq", 4n << 32n, 0x3_0000_0003n),
      false,
    ],
    ["ne, low bits outside", when(0, "ne", 4n, 0x3_0000_0003n), true],
    ["32 bits: eq", when(1, "eq", 7n, WORD), word(2, "eq", 7)],
    ["32 bits: le is lt", when(1, "le", 7n, WORD), word(2, "lt", 8)],
    ["32 bits: gt is ge", when(1, "gt", 7n, WORD), word(2, "ge", 8)],
    ["32 bits: gt of the largest", when(1, "gt", WORD, WORD), false],
    ["32 bits: le of the largest", when(1, "le", WORD, WORD), true],
    ["32 bits: value above", when(1, "eq", WORD + 1n, WORD), false],
    ["32 bits: lt above", when(1, "lt", WORD + 1n, WORD), true],
    ["high half only", when(2, "eq", 5n << 32n, HIGH), word(5, "eq", 5)],
    ["lt 2^32", when(0, "lt", 1n << 32n), word(1, "lt", 1)],
    ["le 2^32-1", when(0, "le", WORD), word(1, "lt", 1)],
    ["ge 2^32", when(0, "ge", 1n << 32n), word(1, "ge", 1)],
    ["gt 2^32-1", when(0, "gt", WORD), word(1, "ge", 1)],
    ["both halves", when(0, "eq", (5n << 32n) | 9n), {
      kind: "pair",
      arg: 0,
      op: "eq",
      hi: { mask: 0xffff_ffff, value: 5 },
      lo: { mask: 0xffff_ffff, value: 9 },
    }],
    ["le keeps both halves", when(0, "le", (5n << 32n) | 8n), {
      kind: "pair",
      arg: 0,
      op: "lt",
      hi: { mask: 0xffff_ffff, value: 5 },
      lo: { mask: 0xffff_ffff, value: 9 },
    }],
  ];
  for (const [name, condition, expected] of table) {
    assertEquals(partOf(condition), expected, name);
  }
});

/** Words of interest around a condition's halves. */
function wordsNear(value: number): readonly number[] {
  return [value - 1, value, value + 1, 0, 1, 0xffff_ffff]
    .map((w) => w >>> 0);
}

Deno.test("knowWord() settles a part in either order as the condition does", () => {
  fc.assert(
    fc.property(anyCondition, fc.bigInt(0n, ALL), (condition, random) => {
      const { arg, value } = condition;
      const los = [
        ...wordsNear(Number(value & WORD)),
        Number(random & WORD),
      ];
      const his = [...wordsNear(Number(value >> 32n)), Number(random >> 32n)];
      for (const hi of his) {
        for (const lo of los) {
          const args = Array.from({ length: 6 }, () => 0n);
          args[arg] = (BigInt(hi) << 32n) | BigInt(lo);
          const expected = holds(condition, call(0, args));
          const part = partOf(condition);
          const lowFirst = knowWord(
            knowWord(part, 2 * arg, lo),
            2 * arg + 1,
            hi,
          );
          const highFirst = knowWord(
            knowWord(part, 2 * arg + 1, hi),
            2 * arg,
            lo,
          );
          assertEquals([lowFirst, highFirst], [expected, expected]);
        }
      }
    }),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("knowWord() leaves parts about other words alone", () => {
  const part = partOf(when(1, "eq", (1n << 32n) | 1n));
  for (const word of [0, 1, 4, 5]) assertEquals(knowWord(part, word, 1), part);
});

Deno.test("impliedEqual() and knowMasked() never claim what a value refutes", () => {
  const small = fc.integer({ min: 0, max: 15 });
  fc.assert(
    fc.property(
      small,
      small,
      small,
      small,
      fc.boolean(),
      (mask, value, fm, fv, says) => {
        const fact = { mask: fm, value: fv & fm, holds: says };
        const claim = impliedEqual(mask, value & mask, fact);
        const part: Part = {
          kind: "word",
          word: 0,
          op: "eq",
          mask,
          value: value & mask,
        };
        const rest = mask === 0 ? part : knowMasked(part, 0, fact);
        for (let w = 0; w < 16; w++) {
          if (((w & fact.mask) === fact.value) !== says) continue;
          const truth = (w & mask) === (value & mask);
          if (claim !== undefined) assertEquals(claim, truth, `${w}`);
          assertEquals(knowWord(rest, 0, w), truth, `${w}`);
        }
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
});

Deno.test("impliedEqual() decides if bits determine the result", () => {
  const yes = { mask: 0b110, value: 0b100, holds: true };
  const no = { mask: 0b110, value: 0b100, holds: false };
  assertEquals(impliedEqual(0b100, 0b100, yes), true);
  assertEquals(impliedEqual(0b010, 0b010, yes), false);
  assertEquals(impliedEqual(0b111, 0b111, yes), false);
  assertEquals(impliedEqual(0b111, 0b100, yes), undefined);
  assertEquals(impliedEqual(0b110, 0b100, no), false);
  assertEquals(impliedEqual(0b111, 0b101, no), false);
  assertEquals(impliedEqual(0b111, 0b001, no), undefined);
  assertEquals(impliedEqual(0b100, 0b100, no), undefined);
});

Deno.test("partKey() differs for parts that differ", () => {
  fc.assert(
    fc.property(anyCondition, anyCondition, (a, b) => {
      const [x, y] = [partOf(a), partOf(b)];
      assertEquals(
        partKey(x) === partKey(y),
        JSON.stringify(x) === JSON.stringify(y),
      );
    }),
    { seed: SEED, numRuns: 1000 },
  );
});
