/**
 * The campaign of `digestOf`: equal filters have equal digests, different ones
 * do not. Equal pairs are equal by construction (pairs.ts); an input and a
 * second interpreter confirm each difference.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { optimize } from "../../pipeline/optimize.ts";
import { digestOf } from "../../verify/digest.ts";
import { effectOf, filterAnswer, inputOf, stackAnswer } from "../oracle/bpf.ts";
import { createRandom, type Random } from "../verify/programs.ts";
import {
  alter,
  randomTree,
  rewrite,
  splitInTwo,
  testsOf,
  type Tree,
  write,
} from "./pairs.ts";

/** Outcome of a campaign. */
export interface DigestCounts {
  /** Pairs that are equal by construction. */
  equal: number;
  /** Of these, pairs of which one filter is our own. */
  optimized: number;
  /** Of these, pairs of which one side is a stack. */
  stacks: number;
  /** Pairs that differ on an input. */
  different: number;
  /** Wrong digests, one text each. */
  readonly wrong: string[];
}

/** Inputs on which the two sides of a pair are run. */
const INPUTS = 300;

/** The filters are small, and so are their diagrams. */
const LIMITS = { nodes: 1 << 16 };

/** Two sides of a pair. */
interface Sides {
  readonly a: readonly Program[];
  readonly b: readonly Program[];
  /** Trees from which inputs are taken. */
  readonly trees: readonly Tree[];
  readonly kind: "equal" | "optimized" | "stacks" | "altered";
}

/**
 * Runs the campaign until there are as many pairs of both kinds.
 *
 * @param count Pairs that are equal, and pairs that are different.
 * @param seed Seed of the first pair.
 */
export async function runDigests(
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<DigestCounts> {
  const counts: DigestCounts = {
    equal: 0,
    optimized: 0,
    stacks: 0,
    different: 0,
    wrong: [],
  };
  for (
    let next = seed >>> 0;
    counts.different < count || counts.equal < count;
    next++
  ) {
    const random = createRandom(next);
    const compare = random.below(4) === 0 ? "bits" : "effect";
    const littleEndian = random.below(8) > 0;
    const isAltered = counts.equal >= count ||
      (counts.different < count && random.below(2) === 0);
    const sides = isAltered
      ? alteredSides(random)
      : equalSides(random, compare, littleEndian);
    const witness = differ(random, sides, compare, littleEndian);
    const say = (what: string): void => {
      counts.wrong.push(
        `seed ${next} (${sides.kind}, ${compare}): ${what}: ${
          JSON.stringify(sides)
        }`,
      );
    };
    if (!isAltered && witness !== undefined) say(`differ on ${witness}`);
    // The alteration has no effect, or no difference was found.
    if (isAltered && witness === undefined) continue;
    const [one, other] = await Promise.all(
      [sides.a, sides.b].map((programs) =>
        digestOf({ programs, littleEndian }, { compare, limits: LIMITS })
      ),
    );
    if (one?.kind !== "digest" || other?.kind !== "digest") say("no digest");
    else if ((one.text === other.text) === isAltered) {
      say(isAltered ? "one digest" : "two digests");
    }
    if (isAltered) counts.different++;
    else counts.equal++;
    if (sides.kind === "optimized" || sides.kind === "stacks") {
      counts[sides.kind]++;
    }
  }
  return counts;
}

function equalSides(
  random: Random,
  compare: "effect" | "bits",
  littleEndian: boolean,
): Sides {
  const tree = randomTree(random);
  const a = [write(random, tree)];
  const other = rewrite(random, tree, compare);
  const trees = [tree, other];
  if (compare === "effect" && random.below(8) === 0) {
    const b = splitInTwo(random, other).map((half) => write(random, half));
    return { a, b, trees, kind: "stacks" };
  }
  const written = write(random, other);
  if (random.below(16) > 0) return { a, b: [written], trees, kind: "equal" };
  const best = optimize({ programs: [written], littleEndian }, { compare });
  return best.kind === "optimized"
    ? { a, b: [best.program], trees, kind: "optimized" }
    : { a, b: [written], trees, kind: "equal" };
}

function alteredSides(random: Random): Sides {
  const tree = randomTree(random);
  const altered = alter(random, tree);
  const [a, b] = [tree, rewrite(random, altered, "bits")].map((t) => [
    write(random, t),
  ]);
  return { a: a ?? [], b: b ?? [], trees: [tree, altered], kind: "altered" };
}

/** Finds an input on which the sides differ. */
function differ(
  random: Random,
  { a, b, trees }: Sides,
  compare: "effect" | "bits",
  littleEndian: boolean,
): readonly number[] | undefined {
  const answer = (programs: readonly Program[]) =>
    stackAnswer(
      programs.map((p) =>
        filterAnswer(encode(p, { littleEndian }), littleEndian)
      ),
    );
  const [ours, theirs] = [answer(a), answer(b)];
  const act = compare === "bits" ? (value: number) => value : effectOf;
  const values = new Map<number, number[]>();
  for (const { offset, k } of trees.flatMap(testsOf)) {
    const known = values.get(offset) ?? [0, 0xffff_ffff];
    values.set(offset, known);
    known.push(k, (k - 1) >>> 0, (k + 1) >>> 0, (~k) >>> 0);
  }
  for (let i = 0; i < INPUTS; i++) {
    const words = Array.from({ length: 16 }, (_, word) => {
      const known = values.get(4 * word);
      return known === undefined || random.below(12) === 0
        ? random.word()
        : random.pick(known);
    });
    const input = inputOf(words, littleEndian);
    if (act(ours(input)) !== act(theirs(input))) return words;
  }
  return undefined;
}
