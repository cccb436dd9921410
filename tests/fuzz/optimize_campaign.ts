/**
 * The campaigns of `optimize`: filters of real programs, judged by a second
 * interpreter and by the kernel; random programs with arithmetic, judged by the
 * interpreter on all values of the bits that they read.
 *
 * @module
 */

import { decode, encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { runInKernel } from "../../ffi/socket_filter.ts";
import { optimize, type Optimized } from "../../pipeline/optimize.ts";
import { sharedFile } from "../machine.ts";
import {
  type Answer,
  effectOf,
  filterAnswer,
  inputOf,
  stackAnswer,
} from "../oracle/bpf.ts";
import {
  createRandom,
  type Random,
  randomArithmetic,
} from "../verify/programs.ts";
import { randomPair } from "../verify/random_pairs.ts";

/** Filters of one thread, oldest first. */
export interface NamedStack {
  readonly name: string;
  readonly programs: readonly Program[];
}

/** Filters of real programs, and the two stacks among them. */
const STACKS: readonly (readonly string[])[] = [
  [0, 1, 2, 3, 4].map((i) => `nspawn-${i}`),
  [0, 1, 2, 3].map((i) => `firejail-default-${i}`),
  ...["chromium-0", "chrony-F1-0", "firejail-0", "lxc-0", "man-0", "qemu-0"]
    .map((name) => [name]),
  ...["runc-0", "sshd-0", "vsftpd-0", "vsftpd-2"].map((name) => [name]),
  ...[0, 1, 2, 3, 4].map((i) => [`nspawn-${i}`]),
  ...[0, 1, 2, 3].map((i) => [`firejail-default-${i}`]),
];

/** Reads the filters of real programs. */
export function realStacks(): readonly NamedStack[] {
  return STACKS.map((names) => ({
    name: names.length === 1 ? names[0] ?? "" : `stack of ${names[0]}`,
    programs: names.map((name) =>
      decode(Deno.readFileSync(sharedFile(`filters/${name}.bpf`)))
    ),
  }));
}

/** Returns the answer of filters as the second interpreter computes it. */
export function answerOf(
  programs: readonly Program[],
  littleEndian = true,
): (words: Uint32Array) => number {
  const answer: Answer = stackAnswer(
    programs.map((p) =>
      filterAnswer(encode(p, { littleEndian }), littleEndian)
    ),
  );
  return (words) => answer(inputOf(words, littleEndian));
}

/**
 * Makes inputs: each word that is read has each constant, and the values beside
 * it, at least once; then random combinations.
 *
 * @param programs Filters whose constants count.
 * @param count Number of inputs, at least.
 * @param random Source of the combinations.
 */
export function* boundaryInputs(
  programs: readonly Program[],
  count: number,
  random: Random,
): Generator<Uint32Array> {
  const all = programs.flat();
  const offsets = [
    ...new Set(all.filter(({ op }) => op === "ld.abs").map(({ k }) => k)),
  ];
  const constants = [
    ...new Set(
      all.filter(({ op }) => op !== "ld.abs" && op !== "ret.k" && op !== "ja")
        .map(({ k }) => k),
    ),
  ];
  const values = [
    ...new Set(
      constants.flatMap((k) => [k - 1, k, k + 1, ~k].map((v) => v >>> 0)),
    ),
    ...[0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff],
  ];
  const arches = constants.filter((k) => k >= 0x4000_0000);
  const combination = (): Uint32Array => {
    const words = Uint32Array.from({ length: 16 }, () => {
      const kind = random.below(4);
      return kind === 0
        ? random.word()
        : kind === 1
        ? random.below(8)
        : random.pick(values);
    });
    if (random.below(4) > 0) words[0] = random.below(512);
    if (random.below(8) > 0 && arches.length > 0) {
      words[1] = random.pick(arches);
    }
    for (let high = 5; high < 16; high += 2) {
      if (random.below(4) > 0) words[high] = random.below(16) === 0 ? ~0 : 0;
    }
    return words;
  };
  let made = 0;
  for (const offset of offsets) {
    for (const value of values) {
      const words = combination();
      words[offset / 4] = value;
      made++;
      yield words;
    }
  }
  for (; made < count; made++) yield combination();
}

/** Outcome of the campaign on one stack. */
export interface RealOutcome {
  readonly name: string;
  readonly given: number;
  readonly length: number;
  /** Inputs on which interpreter and kernel agree, and both sides are equal. */
  readonly inputs: number;
  /** Wrong answers, one text each; at most a few. */
  readonly wrong: readonly string[];
}

/** Inputs that the kernel answers in one batch. */
const BATCH = 4096;
const MOST_WRONG = 3;

/**
 * Optimizes a stack and compares both sides, by the interpreter and the kernel.
 *
 * @param stack The filters.
 * @param count Number of inputs, at least.
 * @param random Source of inputs.
 */
export function judgeReal(
  { name, programs }: NamedStack,
  count: number,
  random: Random,
): RealOutcome {
  const given = programs.reduce((sum, { length }) => sum + length, 0);
  const best = optimize({ programs, littleEndian: true });
  if (best.kind !== "optimized") {
    const wrong = [`not optimized: ${JSON.stringify(best)}`];
    return { name, given, length: given, inputs: 0, wrong };
  }
  const { program, bytes } = best;
  const wrong: string[] = [];
  let inputs = 0;
  let batch: Uint32Array[] = [];
  const single = [...programs, program].map((p) => answerOf([p]));
  const ours = filterAnswer(bytes, true);
  const theirs = answerOf(programs);
  const judge = (): void => {
    const kernel = [...programs, program].map((p) => runInKernel(p, batch));
    for (const [i, words] of batch.entries()) {
      inputs++;
      if (wrong.length >= MOST_WRONG) return;
      if (ours(inputOf(words, true)) !== theirs(words)) {
        wrong.push(`the result differs on ${words}`);
      }
      for (const [p, answer] of single.entries()) {
        if (kernel[p]?.[i] === answer(words)) continue;
        wrong.push(`kernel and interpreter differ on filter ${p}, ${words}`);
      }
    }
    batch = [];
  };
  for (const words of boundaryInputs([...programs, program], count, random)) {
    batch.push(words);
    if (batch.length === BATCH) judge();
  }
  judge();
  return { name, given, length: program.length, inputs, wrong };
}

/** Outcome of the campaign on random programs. */
export interface ProgramCounts {
  optimized: number;
  /** Of these, results that contain a piece of the original. */
  withPieces: number;
  /** Of these, stacks. */
  stacks: number;
  "already-best": number;
  "not-optimized": number;
  /** Inputs on which both sides are equal. */
  inputs: number;
  /** Wrong results, one text each. */
  readonly wrong: string[];
}

/** Limits that make the smallest programs quick. */
const LIMITS = { nodes: 100_000, steps: 400_000 };

/**
 * Optimizes random programs with arithmetic, X and scratch memory, also stacks.
 *
 * @param count Number of subjects.
 * @param seed Seed of the first one.
 */
export function judgePrograms(
  { count, seed }: { readonly count: number; readonly seed: number },
): ProgramCounts {
  const counts: ProgramCounts = {
    optimized: 0,
    withPieces: 0,
    stacks: 0,
    "already-best": 0,
    "not-optimized": 0,
    inputs: 0,
    wrong: [],
  };
  for (let next = seed >>> 0; next < (seed >>> 0) + count; next++) {
    const random = createRandom(next);
    const { programs, domain } = randomSubject(random);
    const compare = random.pick(["effect", "bits"] as const);
    const best = optimize({ programs, littleEndian: true }, {
      compare,
      limits: LIMITS,
    });
    counts[best.kind]++;
    if (best.kind === "not-optimized" && best.cause?.kind === "different") {
      counts.wrong.push(`seed ${next}: ${best.message}`);
    }
    if (best.kind !== "optimized") continue;
    if (best.pieces > 0) counts.withPieces++;
    if (programs.length > 1) counts.stacks++;
    const words = findDifference(programs, best, compare, domain);
    counts.inputs += domain.length;
    const isLonger = best.program.length >
      programs.reduce((sum, { length }) => sum + length, 0);
    if (words === undefined && !isLonger) continue;
    const what = words === undefined ? "longer" : `differs on ${words}`;
    counts.wrong.push(
      `seed ${next} (${compare}): ${what}: ${
        JSON.stringify({ programs, best })
      }`,
    );
  }
  return counts;
}

function findDifference(
  programs: readonly Program[],
  { bytes }: Optimized,
  compare: "effect" | "bits",
  domain: readonly Uint32Array[],
): Uint32Array | undefined {
  const act = compare === "bits" ? (value: number) => value : effectOf;
  const ours = filterAnswer(bytes, true);
  const theirs = answerOf(programs);
  return domain.find((words) =>
    act(ours(inputOf(words, true))) !== act(theirs(words))
  );
}

/** One or two programs and inputs with all values of the bits that they read. */
function randomSubject(
  random: Random,
): {
  readonly programs: readonly Program[];
  readonly domain: readonly Uint32Array[];
} {
  const isStack = random.below(4) === 0;
  const { a, b, domain: bits } = randomPair(random);
  let programs: readonly Program[] = isStack ? [a, b] : [a];
  let domain = bits;
  if (random.below(4) === 0) {
    const inputs = [0, 16, 24].map((offset) => ({ offset, mask: 0x0f }))
      .slice(0, 2);
    programs = programs.map(() => randomArithmetic(random, inputs));
    domain = Array.from({ length: 256 }, (_, i) => {
      const words = new Uint32Array(16);
      words[0] = i & 15;
      words[4] = i >> 4;
      return words;
    });
  }
  // Words that programs do not read must not matter to results either.
  const noise = domain.slice(0, 64).map((words) => {
    const other = words.slice();
    other[6 + random.below(10)] = random.word();
    return other;
  });
  return { programs, domain: [...domain, ...noise] };
}
