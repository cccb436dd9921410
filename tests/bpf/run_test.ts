import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProgramError } from "../../bpf/error.ts";
import { prepare, run, runSteps, trace } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { parseText } from "../../bpf/text.ts";

const SEED = 0x4217;

/**
 * Word `i` of the input, read at byte 4i, is 0x1000 + i except for the first
 * four.
 */
const WORDS = Uint32Array.from({ length: 16 }, (_, n) => 0x1000 + n);
WORDS.set([39, 0xc000_003e, 0xffff_ffff, 0x8000_0000]);

function answer(text: string, words: Uint32Array = WORDS): number {
  return run(prepare(parseText(text)), words);
}

Deno.test("run() answers each load and store as the kernel does", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["ret a", 0],
    ["txa \n ret a", 0],
    ["ld [0] \n ret a", 39],
    ["ld [4] \n ret a", 0xc000_003e],
    ["ld [8] \n ret a", 0xffff_ffff],
    ["ld [16] \n ret a", 0x1004],
    ["ld [60] \n ret a", 0x100f],
    ["ld #0xdeadbeef \n ret a", 0xdead_beef],
    ["ld #len \n ret a", 64],
    ["ldx #len \n txa \n ret a", 64],
    ["ldx #0xdeadbeef \n txa \n ret a", 0xdead_beef],
    ["ldx #5 \n ret a", 0],
    ["ld #6 \n tax \n ld #0 \n txa \n ret a", 6],
    ["ld #7 \n st M[0] \n ld #0 \n ld M[0] \n ret a", 7],
    ["ld #7 \n st M[15] \n ldx M[15] \n ld #0 \n txa \n ret a", 7],
    ["ldx #8 \n stx M[3] \n ldx #0 \n ld M[3] \n ret a", 8],
    ["ld #1 \n st M[1] \n ld #2 \n st M[2] \n ld M[1] \n ret a", 1],
    ["ld #0xffffffff \n st M[1] \n ld M[1] \n ret a", 0xffff_ffff],
    ["ret #0x7fff0000", 0x7fff_0000],
    ["ret #0x80000000", 0x8000_0000],
  ];
  for (const [text, value] of cases) assertEquals(answer(text), value, text);
});

Deno.test("run() computes on u32", () => {
  // [A, operation, operand, result], by hand.
  const cases: readonly (readonly [number, string, number, number])[] = [
    [5, "add", 7, 12],
    [0xffff_ffff, "add", 1, 0],
    [0xffff_ffff, "add", 0xffff_ffff, 0xffff_fffe],
    [5, "sub", 7, 0xffff_fffe],
    [0, "sub", 0, 0],
    [0, "sub", 0x8000_0000, 0x8000_0000],
    [6, "mul", 7, 42],
    [0xffff_ffff, "mul", 0xffff_ffff, 1],
    // 0x12345678 × 0x9abcdef0 = 0xb00ea4e242d2080.
    [0x1234_5678, "mul", 0x9abc_def0, 0x242d_2080],
    [0x8000_0000, "mul", 2, 0],
    [43, "div", 7, 6],
    [0xffff_ffff, "div", 1, 0xffff_ffff],
    [0xffff_ffff, "div", 2, 0x7fff_ffff],
    [0xffff_fffe, "div", 0xffff_ffff, 0],
    [0x8000_0000, "div", 0xffff_ffff, 0],
    [0xff00_ff00, "and", 0x8000_ffff, 0x8000_ff00],
    [0xff00_0000, "or", 0x8000_ffff, 0xff00_ffff],
    [0xff00_ff00, "xor", 0x8000_ffff, 0x7f00_00ff],
    [1, "lsh", 0, 1],
    [1, "lsh", 31, 0x8000_0000],
    [0x8000_0001, "lsh", 1, 2],
    [0x8000_0000, "rsh", 31, 1],
    [0x8000_0000, "rsh", 0, 0x8000_0000],
    [0xffff_ffff, "rsh", 4, 0x0fff_ffff],
  ];
  for (const [a, operation, operand, result] of cases) {
    const shown = `${a} ${operation} ${operand}`;
    assertEquals(
      answer(`ld #${a} \n ${operation} #${operand} \n ret a`),
      result,
      shown,
    );
    assertEquals(
      answer(`ld #${a} \n ldx #${operand} \n ${operation} x \n ret a`),
      result,
      `${shown} by X`,
    );
  }
  assertEquals(answer("ld #0 \n neg \n ret a"), 0);
  assertEquals(answer("ld #1 \n neg \n ret a"), 0xffff_ffff);
  assertEquals(answer("ld #0x80000000 \n neg \n ret a"), 0x8000_0000);
});

Deno.test("run() ends with 0 at a division by an X of 0", () => {
  const text = "ld #7 \n div x \n ret #0x7fff0000";
  assertEquals(answer(text), 0);
  assertEquals(runSteps(prepare(parseText(text)), WORDS), {
    value: 0,
    steps: 2,
  });
});

Deno.test("run() shifts by the low 5 bits of X", () => {
  for (const [x, left, right] of [[32, 3, 3], [33, 6, 1], [63, 1 << 31, 0]]) {
    const set = `ld #3 \n ldx #${x}`;
    assertEquals(answer(`${set} \n lsh x \n ret a`), (left ?? 0) >>> 0);
    assertEquals(answer(`${set} \n rsh x \n ret a`), right);
  }
});

Deno.test("run() compares without sign, with K and with X", () => {
  // [A, comparison, operand, expected result], by hand.
  const cases: readonly (readonly [number, string, number, boolean])[] = [
    [5, "jeq", 5, true],
    [5, "jeq", 6, false],
    [0x8000_0000, "jeq", 0x8000_0000, true],
    [0x8000_0000, "jeq", 0, false],
    [5, "jge", 5, true],
    [4, "jge", 5, false],
    [0x8000_0000, "jge", 0x7fff_ffff, true],
    [0x7fff_ffff, "jge", 0x8000_0000, false],
    [0xffff_ffff, "jge", 0, true],
    [5, "jgt", 5, false],
    [6, "jgt", 5, true],
    [0xffff_ffff, "jgt", 0x7fff_ffff, true],
    [1, "jgt", 0xffff_ffff, false],
    [6, "jset", 4, true],
    [6, "jset", 9, false],
    [0x8000_0000, "jset", 0x8000_0000, true],
    [0x8000_0000, "jset", 0, false],
  ];
  for (const [a, comparison, operand, holds] of cases) {
    const shown = `${a} ${comparison} ${operand}`;
    const rest = "yes, no \n ret #0 \n no: ret #1 \n yes: ret #2";
    const value = holds ? 2 : 1;
    assertEquals(
      answer(`ld #${a} \n ${comparison} #${operand}, ${rest}`),
      value,
      shown,
    );
    assertEquals(
      answer(`ld #${a} \n ldx #${operand} \n ${comparison} x, ${rest}`),
      value,
      `${shown} by X`,
    );
  }
  assertEquals(answer("ja 1 \n ret #1 \n ret #2"), 2);
  assertEquals(answer("ja 0 \n ret #1 \n ret #2"), 1);
});

Deno.test("run() takes the longest jumps", () => {
  const filler = "ret #1\n";
  assertEquals(answer(`jeq #0, 255, 0\n${filler.repeat(255)}ret #2`), 2);
  assertEquals(answer(`jeq #1, 0, 255\n${filler.repeat(255)}ret #2`), 2);
  assertEquals(answer(`ja 4094\n${filler.repeat(4094)}ret #2`), 2);
});

Deno.test("run() starts each time with A, X and scratch memory unset", () => {
  const prepared = prepare(parseText(`
        add x
        jeq #0, 0, bad
        ld [0]
        tax
        st M[1]
        ld M[1]
        add x
        ret a
  bad:  ret #1
  `));
  assertEquals([0, 1, 2].map(() => run(prepared, WORDS)), [78, 78, 78]);
});

Deno.test("runSteps() counts and trace() lists the instructions executed", () => {
  const prepared = prepare(parseText(`
        ld [0]
        jeq #39, yes
        ret #1
   yes: ja 1
        ret #2
        ret #3
  `));
  assertEquals(runSteps(prepared, WORDS), { value: 3, steps: 4 });
  assertEquals(trace(prepared, WORDS), { value: 3, path: [0, 1, 3, 5] });
  const other = new Uint32Array(16);
  assertEquals(runSteps(prepared, other), { value: 1, steps: 3 });
  assertEquals(trace(prepared, other), { value: 1, path: [0, 1, 2] });
});

Deno.test("prepare() refuses a program that the kernel would refuse", () => {
  const error = assertThrows(
    () => prepare(parseText("ld [64] \n ret a")),
    ProgramError,
  );
  assertEquals([error.reason, error.pc], ["load-out-of-range", 0]);
  assertThrows(() => prepare([]), ProgramError);
  assertThrows(() => prepare(parseText("ret x")), ProgramError);
});

Deno.test("run() refuses an input that is not sixteen words", () => {
  const prepared = prepare(parseText("ret a"));
  for (const length of [0, 15, 17, 64]) {
    assertThrows(() => run(prepared, new Uint32Array(length)), RangeError);
  }
});

Deno.test("run() agrees with 64-bit arithmetic cut to 32 bits", () => {
  const u32 = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.constantFrom(0, 1, 31, 32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  );
  const oracle: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => b === 0n ? 0n : a / b,
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
    lsh: (a, b) => a << (b % 32n),
    rsh: (a, b) => a >> (b % 32n),
  };
  const prepared = new Map(
    Object.keys(oracle).map((operation) => [
      operation,
      prepare(
        parseText(`ld [12] \n tax \n ld [8] \n ${operation} x \n ret a`),
      ),
    ]),
  );
  fc.assert(
    fc.property(
      u32,
      u32,
      fc.constantFrom(...Object.keys(oracle)),
      (a, b, operation) => {
        const expected = BigInt.asUintN(
          32,
          oracle[operation]?.(BigInt(a), BigInt(b)) ?? -1n,
        );
        const data = {
          nr: 0,
          arch: 0,
          instructionPointer: BigInt(b) << 32n | BigInt(a),
          args: [],
        };
        const program = prepared.get(operation);
        if (program === undefined) throw new Error(operation);
        assertEquals(
          BigInt(run(program, toWords(data, true))),
          expected,
          `${a} ${operation} ${b}`,
        );
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
});
