/**
 * Seeded random numbers and random programs for the tests of `verify/`.
 *
 * @module
 */

import type { Instruction, Op, Program } from "../../bpf/instruction.ts";

/** A source of random numbers that depends only on its seed. */
export interface Random {
  /** An integer from 0 to `n` − 1. */
  below(n: number): number;
  /** One of several items. */
  pick<T>(things: readonly T[]): T;
  /** A u32. */
  word(): number;
}

/** Makes a source (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function word(): number {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  const below = (n: number): number => word() % n;
  return {
    below,
    word,
    pick<T>(things: readonly T[]): T {
      const thing = things[below(things.length)];
      if (thing === undefined) throw new Error("Unreachable: nothing to pick");
      return thing;
    },
  };
}

/** An instruction that does not jump. */
export function plain(op: Op, k = 0): Instruction {
  return { op, jt: 0, jf: 0, k };
}

/** A jump. */
export function jump(op: Op, k: number, jt: number, jf: number): Instruction {
  return { op, jt, jf, k };
}

/** Values that small programs return: few, so that equal programs are not rare. */
export const RETURNS: readonly number[] = [0x7fff_0000, 0x0005_0001];

/**
 * Words that a random program reads, each with the bits that the program reads.
 */
export type Inputs = readonly {
  readonly offset: number;
  readonly mask: number;
}[];

/** Operations that a random program may use. */
const ALU: readonly Op[] = [
  "add.k",
  "add.x",
  "sub.k",
  "sub.x",
  "mul.k",
  "mul.x",
  "div.k",
  "div.x",
  "and.k",
  "and.x",
  "or.k",
  "or.x",
  "xor.k",
  "xor.x",
  "lsh.k",
  "lsh.x",
  "rsh.k",
  "rsh.x",
  "neg",
  "tax",
  "txa",
];
const TESTS: readonly Op[] = [
  "jeq.k",
  "jgt.k",
  "jge.k",
  "jset.k",
  "jeq.x",
  "jgt.x",
  "jge.x",
  "jset.x",
];

/**
 * Makes a program from all instructions that the kernel accepts. Each load is
 * masked at once, so its verdict depends only on the bits in the masks.
 */
export function randomProgram(
  random: Random,
  inputs: Inputs,
  length: number,
): Program {
  const body: Instruction[] = [plain("st", 0), plain("st", 1), plain("st", 2)];
  const constant = (): number => {
    const { mask } = random.pick(inputs);
    const near = (random.word() & mask) + random.below(3) - 1;
    return random.below(4) === 0 ? random.below(4) : near >>> 0;
  };
  while (body.length < length) {
    const rest = length - body.length - 1;
    const kind = random.below(body.length * 2 < length ? 19 : 20);
    if (kind < 5) {
      const { offset, mask } = random.pick(inputs);
      body.push(plain("ld.abs", offset), plain("and.k", mask));
    } else if (kind < 12) {
      const distance = (): number => Math.min(random.below(6), rest);
      const op = random.below(4) === 0
        ? random.pick(TESTS)
        : random.pick(TESTS.slice(0, 4));
      body.push(
        jump(op, op.endsWith(".k") ? constant() : 0, distance(), distance()),
      );
    } else if (kind < 15) {
      const op = random.pick(ALU);
      const k = op.startsWith("lsh") || op.startsWith("rsh")
        ? random.below(32)
        : op === "div.k"
        ? 1 + random.below(9)
        : op === "mul.k"
        ? random.below(9)
        : constant();
      body.push(plain(op, op.endsWith(".k") ? k : 0));
    } else if (kind < 17) {
      body.push(
        plain(random.pick(["st", "stx", "ld.mem", "ldx.mem"]), random.below(3)),
      );
    } else if (kind === 17) {
      const op = random.pick<Op>(["ld.imm", "ldx.imm", "ld.len", "ldx.len"]);
      body.push(plain(op, op.endsWith("imm") ? constant() : 0));
    } else if (kind === 18) {
      body.push(plain("ja", Math.min(random.below(3), rest)));
    } else {
      body.push(
        random.below(8) === 0
          ? plain("ret.a")
          : plain("ret.k", random.pick(RETURNS)),
      );
    }
  }
  return [
    ...body.slice(0, length - 1),
    // Landing places for every jump of the last instructions.
    ...Array.from({ length: 6 }, () => plain("ret.k", random.pick(RETURNS))),
  ];
}

/** Makes a program in which nearly every instruction matters. */
export function randomArithmetic(random: Random, inputs: Inputs): Program {
  const load = (index: number): Program => {
    const { offset, mask } = inputs[index] ?? { offset: 0, mask: 0xff };
    return [plain("ld.abs", offset), plain("and.k", mask)];
  };
  const byConstant = (): Instruction => {
    const op = random.pick<Op>(
      ["add.k", "sub.k", "mul.k", "div.k", "xor.k", "or.k", "lsh.k", "rsh.k"],
    );
    return plain(
      op,
      op.endsWith("sh.k") ? 1 + random.below(3) : 1 + random.below(7),
    );
  };
  const byX = (): Instruction =>
    plain(
      random.pick([
        "add.x",
        "sub.x",
        "mul.x",
        "div.x",
        "xor.x",
        "and.x",
        "lsh.x",
        "rsh.x",
      ]),
    );
  const returns = [
    plain("ret.k", 0x7fff_0000),
    plain("ret.k", 0x0005_0001),
    plain("ret.k", 0x0003_0000),
  ];
  return [
    ...load(0),
    byConstant(),
    plain("st", 5),
    ...load(1),
    byConstant(),
    plain("tax"),
    plain("ld.mem", 5),
    byX(),
    jump(
      random.pick<Op>(["jgt.k", "jge.k", "jset.k"]),
      1 + random.below(20),
      0,
      3,
    ),
    byX(),
    jump(random.pick<Op>(["jgt.x", "jge.x", "jset.x"]), 0, 3, 2),
    plain("neg"),
    jump(
      random.pick<Op>(["jgt.k", "jset.k"]),
      (random.word() & 0xffff_000f) >>> 0,
      2,
      1,
    ),
    ...returns,
  ];
}

/** Makes a program of tests of one word with constants below 256 and returns. */
export function randomTests(
  random: Random,
  offset: number,
  length: number,
): Program {
  const body: Instruction[] = [plain("ld.abs", offset)];
  while (body.length < length) {
    const op = random.pick(TESTS.slice(0, 4));
    body.push(
      random.below(5) === 0
        ? plain("ret.k", random.pick(RETURNS))
        : jump(op, random.below(256), random.below(5), random.below(5)),
    );
  }
  return [
    ...body,
    ...Array.from({ length: 5 }, () => plain("ret.k", random.pick(RETURNS))),
  ];
}
