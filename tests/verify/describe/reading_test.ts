import { assert, assertEquals } from "@std/assert";
import type { Instruction } from "../../../bpf/instruction.ts";
import { prepare, run } from "../../../bpf/run.ts";
import { outlineOf } from "../../../verify/describe/outline.ts";
import type { Reading } from "../../../verify/describe/reading.ts";
import { createRandom, jump, plain, type Random } from "../programs.ts";

const WORDS = [16, 20, 24, 28];
const VALUES = [0, 1, 4, 6, 7, 0x80, 0x8000_0000, 0xffff_ffff];

/** A chain of tests of four words, each of which leads on or to an answer. */
function randomProgram(random: Random): readonly Instruction[] {
  const program: Instruction[] = [];
  for (let i = 0; i < 7; i++) {
    program.push(plain("ld.abs", random.pick(WORDS)));
    if (random.below(3) === 0) program.push(plain("and.k", random.word()));
    const op = random.pick(["jeq.k", "jge.k", "jset.k"] as const);
    const isYes = random.below(2) === 0;
    program.push(jump(op, random.pick(VALUES), isYes ? 0 : 1, isYes ? 1 : 0));
    program.push(plain("ret.k", random.below(3)));
  }
  return [...program, plain("ret.k", 3)];
}

function ordersOf(words: readonly number[]): readonly (readonly number[])[] {
  if (words.length === 0) return [[]];
  return words.flatMap((first) =>
    ordersOf(words.filter((other) => other !== first))
      .map((rest) => [first, ...rest])
  );
}

/** Follows a reading, whose questions must come in the given order. */
function follow(
  start: Reading,
  order: readonly number[],
  valueOf: (offset: number) => number,
): number {
  let reading = start;
  let place = -1;
  while (reading.kind === "question") {
    const { offset, mask, cells }: Reading & { kind: "question" } = reading;
    // Required bits of a word come before the others.
    assert(order.indexOf(offset) >= place, "words are read in order");
    place = order.indexOf(offset);
    const value = (valueOf(offset) & mask) >>> 0;
    const cell = cells.find(({ first, last }) =>
      first <= value && value <= last
    );
    assert(cell !== undefined, "cells have no gaps");
    reading = cell.rest;
  }
  return reading.value;
}

Deno.test("outlineOf() reads a function of four words in any order, one after the other", () => {
  const random = createRandom(20_261_201);
  let readings = 0;
  for (let n = 0; n < 60; n++) {
    const program = randomProgram(random);
    const outline = outlineOf({ programs: [program], littleEndian: true });
    assert(!("kind" in outline));
    const answer = outline.arches[0]?.numbers[0]?.answer;
    assert(answer !== undefined);
    const prepared = prepare(program);
    const inputs = Array.from(
      { length: 30 },
      () =>
        new Map(WORDS.map((offset) => {
          const near = random.pick(VALUES) + random.below(3) - 1;
          return [offset, random.below(4) > 0 ? near >>> 0 : random.word()];
        })),
    );
    for (const order of ordersOf(answer.offsets)) {
      for (const reading of answer.read(order, 4096)) {
        readings++;
        for (const input of inputs) {
          const valueOf = (offset: number): number => input.get(offset) ?? 0;
          const words = Uint32Array.from(
            { length: 16 },
            (_, i) => valueOf(4 * i),
          );
          assertEquals(
            follow(reading, order, valueOf),
            run(prepared, words),
            JSON.stringify({ n, order, words }),
          );
        }
      }
    }
  }
  assert(readings > 300, `${readings} readings`);
});
