import { assertEquals, assertThrows } from "@std/assert";
import { BPF_MEMWORDS } from "../../../tables/uapi.ts";
import type { Instruction, Program } from "../../../bpf/instruction.ts";
import { prepare, run } from "../../../bpf/run.ts";
import { executeSymbolically } from "../../../verify/core/paths.ts";
import { createSymbols } from "../../../verify/core/symbols.ts";
import { createRandom, jump, plain, randomProgram } from "../programs.ts";
import { valueAt } from "./evaluate.ts";

const LIMITS = { nodes: 400_000, steps: 4_000_000 };

/** Compares a program on inputs with the interpreter, which is judged by the kernel. */
function assertRunsAlike(
  program: Program,
  inputs: readonly Uint32Array[],
  what: string,
): void {
  const symbols = createSymbols("word", LIMITS);
  const meaning = executeSymbolically(program, symbols);
  const prepared = prepare(program);
  for (const words of inputs) {
    const seen = valueAt(symbols, meaning, words);
    assertEquals(seen, run(prepared, words), `${what}, input ${words}`);
  }
}

Deno.test("execute() answers what the interpreter answers to random programs", () => {
  const looked = [0, 4, 16, 20].map((offset) => ({
    offset,
    mask: 0x8000_0003,
  }));
  for (let seed = 1; seed <= 80; seed++) {
    const random = createRandom(seed);
    const program = randomProgram(random, looked, 12 + random.below(25));
    const inputs = Array.from(
      { length: 25 },
      () =>
        Uint32Array.from(
          { length: 16 },
          () => random.below(2) * 0x8000_0000 + random.below(4),
        ),
    );
    assertRunsAlike(program, inputs, `seed ${seed}`);
  }
});

Deno.test("execute() moves words between registers and scratch memory", () => {
  const words = Uint32Array.from({ length: 16 }, (_, i) => 100 + i);
  const load = plain("ld.abs", 0);
  const last = BPF_MEMWORDS - 1;
  const cases: readonly (readonly [string, readonly Instruction[], number])[] =
    [
      ["A is 0 at first", [], 0],
      ["X is 0 at first", [load, plain("txa")], 0],
      ["the last load", [plain("ld.abs", 60)], 115],
      ["the length", [plain("ld.len")], 64],
      ["the length in X", [plain("ldx.len"), plain("txa")], 64],
      ["a constant", [plain("ld.imm", 7)], 7],
      ["a constant in X", [plain("ldx.imm", 7), plain("txa")], 7],
      ["A to X", [load, plain("tax"), plain("ld.imm", 1), plain("add.x")], 101],
      ["A to memory", [
        load,
        plain("st", last),
        plain("ld.imm"),
        plain("ld.mem", last),
      ], 100],
      [
        "X to memory",
        [load, plain("tax"), plain("stx", 3), plain("ld.mem", 3)],
        100,
      ],
      [
        "memory to X",
        [load, plain("st", 0), plain("ldx.mem", 0), plain("txa")],
        100,
      ],
      ["one word of memory", [load, plain("st", 1), plain("ld.mem", 2)], 0],
      ["by a divisor of 0", [load, plain("div.x"), plain("ld.imm", 9)], 0],
      ["by a divisor", [load, plain("ldx.imm", 7), plain("div.x")], 14],
      ["a jump over", [load, plain("ja", 1), plain("ld.imm", 9)], 100],
      ["both the same way", [
        load,
        jump("jeq.k", 100, 1, 1),
        plain("ld.imm", 9),
      ], 100],
    ];
  for (const [name, body, expected] of cases) {
    // The checker asks for memory that was written.
    const written = Array.from(
      { length: BPF_MEMWORDS },
      (_, k) => plain("st", k),
    );
    const program = [...written, ...body, plain("ret.a")];
    const symbols = createSymbols("word", LIMITS);
    const meaning = executeSymbolically(program, symbols);
    assertEquals(valueAt(symbols, meaning, words), expected, name);
  }
});

Deno.test("execute() keeps apart what paths bring to where they meet", () => {
  // A is 1, 2 or 3 where all three meet, X the number of the call.
  const program = [
    plain("ldx.imm", 5),
    plain("ld.abs", 0),
    jump("jge.k", 10, 3, 0),
    jump("jeq.k", 5, 0, 4),
    plain("ld.imm", 1),
    plain("ja", 3),
    plain("tax"),
    plain("ld.imm", 2),
    jump("jset.k", 0xffff_ffff, 0, 0),
    plain("add.x"),
    plain("ret.a"),
  ];
  const inputs = Array.from({ length: 20 }, (_, nr) => {
    const words = new Uint32Array(16);
    words[0] = nr;
    return words;
  });
  assertRunsAlike(program, inputs, "meeting");
});

Deno.test("execute() reports instructions that are not permitted", () => {
  // The kernel refuses such programs, so only a caller's mistake gets here.
  const program = [{ ...plain("ret.k"), op: "mod.k" as never }, plain("ret.k")];
  assertThrows(
    () => executeSymbolically(program, createSymbols("word", LIMITS)),
    Error,
    "mod.k is not permitted",
  );
});

Deno.test("execute() does no work for unreachable instructions", () => {
  const program = [
    plain("ld.abs", 0),
    jump("jeq.k", 5, 0, 2),
    jump("jeq.k", 6, 2, 0),
    jump("jeq.k", 7, 1, 0),
    plain("ret.k", 1),
    // Only a number that is 5 and 6, or 5 and 7, gets here. Its product takes
    // more nodes than there are.
    plain("ld.abs", 16),
    plain("tax"),
    plain("ld.abs", 24),
    plain("mul.x"),
    plain("ret.a"),
  ];
  const symbols = createSymbols("word", { nodes: 3000, steps: 100_000 });
  const meaning = executeSymbolically(program, symbols);
  const words = new Uint32Array(16);
  words[0] = 5;
  assertEquals(valueAt(symbols, meaning, words), 1);
});
