import { assertEquals } from "@std/assert";
import { prepare, run } from "../../../bpf/run.ts";
import { NEVER } from "../../../verify/core/diagram.ts";
import { meaningOf, whereDifferent } from "../../../verify/core/meaning.ts";
import type { Subject } from "../../../verify/core/subject.ts";
import { createSymbols } from "../../../verify/core/symbols.ts";
import { jump, plain } from "../programs.ts";
import { constantAt, valueAt } from "./evaluate.ts";

const LIMITS = { nodes: 100_000, steps: 1_000_000 };
/** Return values of a filter, whose unsigned order is not their order. */
const VALUES = [
  0x8000_0000,
  0,
  0x0003_0007,
  0x0005_0001,
  0x0005_0002,
  0x7fff_0000,
];

/** A program that answers one value to numbers below 5 and another to the rest. */
function choosing(below: number, above: number): ReturnType<typeof plain>[] {
  return [
    plain("ld.abs", 0),
    jump("jge.k", 5, 1, 0),
    plain("ret.k", below),
    plain("ret.k", above),
  ];
}

function inputOf(nr: number): Uint32Array {
  const words = new Uint32Array(16);
  words[0] = nr;
  return words;
}

/**
 * The kernel's choice among all answers: the least signed action, the newest of
 * equals.
 */
function prevailing(values: readonly number[]): number {
  let best = 0x7fff_0000;
  for (const value of values) {
    if ((value & 0xffff_0000) <= (best & 0xffff_0000)) best = value;
  }
  return best;
}

Deno.test("meaningOf() has the filters of a stack answer by the kernel's precedence", () => {
  for (const [i, one] of VALUES.entries()) {
    for (const [j, two] of VALUES.entries()) {
      const three = VALUES[(i + j) % VALUES.length] ?? 0;
      const programs = [choosing(one, two), choosing(two, three)];
      const symbols = createSymbols("word", LIMITS);
      const meaning = meaningOf({ programs }, false, symbols);
      for (const nr of [4, 5]) {
        const words = inputOf(nr);
        const values = programs.map((p) => run(prepare(p), words));
        assertEquals(
          valueAt(symbols, meaning, words),
          prevailing(values),
          `${values.map((v) => v.toString(16))}`,
        );
      }
    }
  }
});

Deno.test("meaningOf() of an empty stack allows every call", () => {
  const symbols = createSymbols("word", LIMITS);
  const meaning = meaningOf({ programs: [] }, false, symbols);
  assertEquals(valueAt(symbols, meaning, inputOf(1)), 0x7fff_0000);
});

Deno.test("whereDifferent() finds the inputs on which the kernel acts in different ways", () => {
  const capped: Subject = choosing(0x0005_0fff, 0x7fff_0000);
  const large: Subject = choosing(0x0005_1388, 0x7fff_0001);
  for (
    const [asActed, expected] of [[true, [0, 0]], [false, [1, 1]]] as const
  ) {
    const symbols = createSymbols("word", LIMITS);
    const [a, b] = [capped, large].map((s) => meaningOf(s, asActed, symbols));
    const different = whereDifferent(a ?? 0, b ?? 0, symbols);
    const seen = [4, 5].map((nr) =>
      constantAt(symbols, different, inputOf(nr))
    );
    assertEquals(seen, [...expected], `${asActed}`);
    assertEquals(different === NEVER, asActed);
    assertEquals(whereDifferent(a ?? 0, a ?? 0, symbols), NEVER);
  }
  const symbols = createSymbols("word", LIMITS);
  const other = meaningOf(choosing(0x0005_0fff, 0), true, symbols);
  const different = whereDifferent(
    meaningOf(capped, true, symbols),
    other,
    symbols,
  );
  const seen = [4, 5].map((nr) => constantAt(symbols, different, inputOf(nr)));
  assertEquals(seen, [0, 1]);
});
