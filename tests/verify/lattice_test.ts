import { assert, assertEquals, assertThrows } from "@std/assert";
import { prepare, run } from "../../bpf/run.ts";
import { classesOf, searchLattice } from "./lattice.ts";
import { createRandom, jump, plain } from "./programs.ts";
import { ALLOW, ERRNO, returning } from "./subjects.ts";

const END = [...returning(ALLOW), ...returning(ERRNO)];
const same = (a: number, b: number): boolean => a === b;

Deno.test("classesOf() has one value for every way in which tests can end", () => {
  const random = createRandom(1);
  for (let round = 0; round < 60; round++) {
    // Constants of eight bits: 512 values show every class.
    const tests = Array.from({ length: 4 }, () => {
      const op = random.pick(["jeq.k", "jgt.k", "jge.k", "jset.k"] as const);
      const masks = random.pick(
        [
          [],
          [plain("and.k", random.below(256))],
          [plain("or.k", random.below(256))],
        ],
      );
      return [
        plain("ld.abs", 0),
        ...masks,
        jump(op, random.below(256), 0, 1),
        ...END,
      ];
    });
    const prepared = tests.map(prepare);
    const outcome = (value: number): string => {
      const words = new Uint32Array(16);
      words[0] = value;
      return prepared.map((program) => run(program, words)).join();
    };
    const every = new Set(Array.from({ length: 512 }, (_, i) => outcome(i)));
    const classes = classesOf(tests).get(0) ?? [];
    assertEquals(new Set(classes.map(outcome)), every);
  }
});

Deno.test("searchLattice() finds a difference on one value in 2^64", () => {
  const needle = [
    plain("ld.abs", 20),
    jump("jeq.k", 0x1234_5678, 0, 3),
    plain("ld.abs", 16),
    jump("jeq.k", 0x8765_4321, 0, 1),
    ...END,
  ];
  const found = searchLattice(needle, returning(ERRNO), same, 100);
  assertEquals(found.difference?.[4], 0x8765_4321);
  assertEquals(found.difference?.[5], 0x1234_5678);
  assertEquals(searchLattice(needle, needle, same, 100), {
    inputs: 2 + 3,
    isComplete: true,
    difference: undefined,
  });
  assert(!searchLattice(needle, needle, same, 2).isComplete);
});

Deno.test("searchLattice() finds where a returned word is a separate answer", () => {
  const returned = [plain("ld.abs", 0), plain("ret.a")];
  const found = searchLattice(returned, returning(ERRNO), same, 100);
  assert(found.difference !== undefined);
});

Deno.test("searchLattice() refuses what it cannot cut into classes", () => {
  const sum = [plain("ld.abs", 0), plain("add.k", 1), plain("ret.a")];
  assertThrows(() => searchLattice(sum, sum, same, 100), Error, "add.k at 1");
});
