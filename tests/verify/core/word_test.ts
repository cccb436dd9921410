import { assertEquals } from "@std/assert";
import { createDiagram, type Diagram } from "../../../verify/core/diagram.ts";
import {
  ALU_OPS,
  type AluOp,
  compare,
  type CompareOp,
  compute,
  constant,
  selectWord,
  type Word,
} from "../../../verify/core/word.ts";
import { createRandom } from "../programs.ts";

const COMPARE_OPS: readonly CompareOp[] = ["jeq", "jgt", "jge", "jset"];

/** The machine's result; a divisor of 0 never gets here. */
function reference(op: AluOp, a: number, b: number): number {
  const results: Readonly<Record<AluOp, number>> = {
    add: a + b,
    sub: a - b,
    mul: Math.imul(a, b),
    div: b === 0 ? 0 : Math.floor(a / b),
    and: a & b,
    or: a | b,
    xor: a ^ b,
    lsh: a << (b & 31),
    rsh: a >>> (b & 31),
    neg: -a,
  };
  return results[op] >>> 0;
}

function holds(op: CompareOp, a: number, b: number): boolean {
  return { jeq: a === b, jgt: a > b, jge: a >= b, jset: (a & b) !== 0 }[op];
}

function createFresh(): Diagram {
  return createDiagram({ nodes: 2_000_000, steps: 10_000_000 });
}

/** A word with variables at some bits, 0 elsewhere. */
function variables(d: Diagram, bits: readonly number[], level: number): Word {
  const word = [...constant(0)];
  for (const [i, bit] of bits.entries()) word[bit] = d.variable(level + i);
  return word;
}

/**
 * The value of a word if the variables from level 0 on are the bits of `input`.
 */
function valueAt(d: Diagram, word: Word, input: number): number {
  let value = 0;
  for (const [i, f] of word.entries()) {
    let node = f;
    while (node > 1) {
      const level = d.level(node);
      node = (input >>> level) & 1
        ? d.highOf(node, level)
        : d.lowOf(node, level);
    }
    value |= node << i;
  }
  return value >>> 0;
}

Deno.test("compute() and compare() fold constants to what the machine computes", () => {
  const d = createFresh();
  const random = createRandom(1);
  const edges = [0, 1, 2, 31, 32, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  for (let i = 0; i < 300; i++) {
    const [a, b] = [0, 0].map(() =>
      random.below(2) === 0 ? random.pick(edges) : random.word()
    ) as [number, number]; // two in, two out
    for (const op of ALU_OPS) {
      if (op === "div" && b === 0) continue;
      const word = compute(d, op, constant(a), constant(b));
      assertEquals(valueAt(d, word, 0), reference(op, a, b), `${a} ${op} ${b}`);
    }
    for (const op of COMPARE_OPS) {
      const f = compare(d, op, constant(a), constant(b));
      assertEquals(f, holds(op, a, b) ? 1 : 0, `${a} ${op} ${b}`);
    }
  }
  assertEquals(d.nodes(), 0);
});

Deno.test("compute() and compare() are right for every value of symbolic operands", () => {
  const random = createRandom(2);
  for (let round = 0; round < 12; round++) {
    const d = createFresh();
    const bits = (): number[] =>
      Array.from({ length: 4 }, () => random.below(32)).filter((bit, i, all) =>
        all.indexOf(bit) === i
      );
    const [bitsOfA, bitsOfB] = [bits(), bits()];
    const [a, b] = [variables(d, bitsOfA, 0), variables(d, bitsOfB, 4)];
    for (const op of [...ALU_OPS, ...COMPARE_OPS]) {
      const test = COMPARE_OPS.find((known) => known === op);
      const binary = ALU_OPS.find((known) => known === op);
      const result = binary === undefined
        ? test === undefined ? [] : [compare(d, test, a, b)]
        : compute(d, binary, a, b);
      for (let input = 0; input < 256; input++) {
        const [x, y] = [valueAt(d, a, input), valueAt(d, b, input)];
        if (op === "div" && y === 0) continue;
        const expected = binary === undefined
          ? test !== undefined && holds(test, x, y) ? 1 : 0
          : reference(binary, x, y);
        assertEquals(valueAt(d, result, input), expected, `${x} ${op} ${y}`);
      }
    }
  }
});

Deno.test("select() works bit by bit", () => {
  const d = createFresh();
  const [f, a] = [d.variable(0), variables(d, [7], 1)];
  const word = selectWord(d, f, a, constant(5));
  assertEquals([0, 1, 2, 3].map((input) => valueAt(d, word, input)), [
    5,
    0,
    5,
    128,
  ]);
});
