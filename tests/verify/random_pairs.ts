/**
 * Random pairs of small programs: the verdict of `proveEquivalent` against
 * brute force over every input that can make a difference.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { effective } from "../../bpf/return_value.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { mutantsOf } from "./mutants.ts";
import {
  createRandom,
  type Inputs,
  type Random,
  randomProgram,
  randomTests,
} from "./programs.ts";

/** Number of each verdict, all of them correct. */
export interface Tally {
  equal: number;
  different: number;
  unproven: number;
}

/** Compares pairs; throws at the first wrong verdict, with the seed. */
export function compareRandomPairs(pairs: number, seed: number): Tally {
  const tally: Tally = { equal: 0, different: 0, unproven: 0 };
  for (let i = 0; i < pairs; i++) {
    const random = createRandom(seed + i);
    const { a, b, domain } = randomPair(random);
    const compare = random.pick(["effect", "bits"] as const);
    const verdict = proveEquivalent(
      a,
      b,
      { compare, limits: { nodes: 300_000, steps: 1_000_000 } },
    );
    const [runA, runB] = [prepare(a), prepare(b)];
    const act = compare === "bits" ? (value: number) => value : effective;
    const differs = (words: Uint32Array): boolean =>
      act(run(runA, words)) !== act(run(runB, words));
    tally[verdict.kind]++;
    const wrong = verdict.kind === "different"
      ? !differs(toWords(verdict.data, true))
      : verdict.kind === "equal"
      ? domain.some(differs)
      : false;
    if (wrong) {
      throw new Error(
        `Wrong verdict ${verdict.kind} (${compare}) for seed ${seed + i}: ${
          JSON.stringify({ a, b })
        }`,
      );
    }
    if (verdict.kind === "different" && !domain.some(differs)) {
      throw new Error(`Domain too small for seed ${seed + i}`);
    }
  }
  return tally;
}

/** Two programs. */
export interface Pair {
  readonly a: Program;
  readonly b: Program;
  /** Inputs, one of which shows every difference. */
  readonly domain: readonly Uint32Array[];
}

/** Draws two programs, a mutant pair two times out of three. */
export function randomPair(random: Random): Pair {
  if (random.below(3) === 0) {
    // Beyond 255 only the low eight bits can matter: 512 values are all.
    const offset = 4 * random.below(16);
    const make = (): Program =>
      randomTests(random, offset, 4 + random.below(12));
    const domain = Array.from({ length: 512 }, (_, value) => {
      const words = new Uint32Array(16);
      words[offset / 4] = value;
      return words;
    });
    return { ...pairOf(random, () => varied(make, domain)), domain };
  }
  const inputs: Inputs = Array.from({ length: 1 + random.below(2) }, () => ({
    offset: 4 * random.below(16),
    mask: random.pick([randomMask(random), 0x1f, 0x8000_0007]),
  }));
  const make = (): Program =>
    randomProgram(random, inputs, 8 + random.below(22));
  const domain = domainOf(inputs);
  return { ...pairOf(random, () => varied(make, domain)), domain };
}

/** Prefers programs that do not give the same answer to every input. */
function varied(make: () => Program, domain: readonly Uint32Array[]): Program {
  for (let i = 0; i < 9; i++) {
    const program = make();
    const prepared = prepare(program);
    const [first, ...others] = domain.map((words) => run(prepared, words));
    if (others.some((value) => value !== first)) return program;
  }
  return make();
}

function pairOf(
  random: Random,
  make: () => Program,
): Pick<Pair, "a" | "b"> {
  const a = make();
  if (random.below(3) === 0) return { a, b: make() };
  const mutants = [...mutantsOf(a)].filter(({ program }) =>
    check(program) === undefined &&
    // A load of another word or bit, or a constant above all, leaves the domain.
    program.every(({ op, k }, pc) => {
      const before = a[pc];
      if (k >= 256 && op.toString().startsWith("j") && a[0]?.op === "ld.abs") {
        return false;
      }
      const reads = op === "ld.abs" || before?.op === "and.k";
      return !reads || (op === before?.op && k === before.k);
    })
  );
  return { a, b: mutants.length === 0 ? a : random.pick(mutants).program };
}

/** At most five bits. */
function randomMask(random: Random): number {
  let mask = 0;
  for (let i = 0; i < 5; i++) mask |= 1 << random.below(32);
  return mask >>> 0;
}

/** Every value of the bits in the masks. */
function domainOf(inputs: Inputs): readonly Uint32Array[] {
  let domain = [new Uint32Array(16)];
  for (const { offset, mask } of inputs) {
    for (let bit = 0; bit < 32; bit++) {
      if (((mask >>> bit) & 1) === 0) continue;
      domain = domain.flatMap((words) => {
        const other = words.slice();
        other[offset / 4] = ((other[offset / 4] ?? 0) | 1 << bit) >>> 0;
        return [words, other];
      });
    }
  }
  return domain;
}
