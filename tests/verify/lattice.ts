/**
 * Exhaustive search for a difference between two programs that test single
 * words with constants, and, or, xor with constants before the test: the shape
 * that compilers emit. It shares no code with `verify/`.
 *
 * The values of a word fall into classes: two values are of one class if every
 * test that the word can meet in either program has the same result on both.
 * The search runs both programs on every combination of classes of the words
 * that they read, branching when a run reads a word that has no value yet. So
 * it is complete: an input on which they differ has a neighbor in the lattice
 * that takes the same paths.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { prepare, trace } from "../../bpf/run.ts";

/** Result of the search. */
export interface LatticeSearch {
  /** Number of combinations on which both programs were run to the end. */
  readonly inputs: number;
  /** True if these were all combinations. */
  readonly isComplete: boolean;
  /** An input on which they differ. */
  readonly difference: Uint32Array | undefined;
}

/** Possible contents of A: a constant, or `(word & and) ^ xor`. */
interface Content {
  /** Byte offset of the word; −1 for none. */
  readonly offset: number;
  readonly and: number;
  readonly xor: number;
}

/** A test `content op k` that a word may meet. */
interface Test extends Content {
  readonly op: "jeq" | "jgt" | "jset";
  readonly k: number;
}

const ALL_ONES = 0xffff_ffff;

/** Actions of the kernel, whose edges matter if A is returned. */
const ACTIONS = [
  0,
  0x0003_0000,
  0x0005_0000,
  0x7fc0_0000,
  0x7ff0_0000,
  0x7ffc_0000,
  0x7fff_0000,
  0x8000_0000,
];

/**
 * Searches every combination of classes of the words that are read.
 *
 * @throws {Error} if a program is not of this shape.
 *
 * @param a One program that the kernel accepts.
 * @param b Another.
 * @param agree Reports whether the kernel acts alike on two return values.
 * @param most Maximum number of combinations.
 * @returns The result.
 */
export function searchLattice(
  a: Program,
  b: Program,
  agree: (a: number, b: number) => boolean,
  most: number,
): LatticeSearch {
  const values = classesOf([a, b]);
  const sides = [a, b].map((program) => ({
    prepared: prepare(program),
    reads: program.map(({ op, k }) => op === "ld.abs" ? k / 4 : -1),
  }));
  const words = new Uint32Array(16);
  const isFixed = new Array<boolean>(16).fill(false);
  let inputs = 0;
  let difference: Uint32Array | undefined;

  /** True to continue. */
  function visit(): boolean {
    const results: number[] = [];
    for (const { prepared, reads } of sides) {
      const { value, path } = trace(prepared, words);
      for (const pc of path) {
        const word = reads[pc] ?? -1;
        if (word < 0 || isFixed[word]) continue;
        isFixed[word] = true;
        const goesOn = (values.get(4 * word) ?? [0]).every((choice) => {
          words[word] = choice;
          return visit();
        });
        words[word] = 0;
        isFixed[word] = false;
        return goesOn;
      }
      results.push(value);
    }
    if (inputs === most) return false;
    inputs++;
    if (agree(results[0] ?? 0, results[1] ?? 0)) return true;
    difference = words.slice();
    return false;
  }
  const isComplete = visit();
  return { inputs, isComplete, difference };
}

/** One value of each class, by the offset of the word. */
export function classesOf(
  programs: readonly Program[],
): ReadonlyMap<number, readonly number[]> {
  const returns = programs.flat().filter(({ op }) => op === "ret.k")
    .map(({ k }) => k);
  const tests = new Map<number, Test[]>();
  for (const program of programs) {
    for (const test of testsOf(program, returns)) {
      if (test.offset < 0) continue;
      tests.set(test.offset, [...(tests.get(test.offset) ?? []), test]);
    }
  }
  return new Map(
    [...tests].map(([offset, met]) => [offset, representatives(met)]),
  );
}

/** Every test that a word may meet, on any path. */
function testsOf(program: Program, returns: readonly number[]): Test[] {
  const tests: Test[] = [];
  const arriving = program.map(() => new Map<string, Content>());
  const arrive = (pc: number, content: Content): void => {
    arriving[pc]?.set(Object.values(content).join(), content);
  };
  arrive(0, { offset: -1, and: 0, xor: 0 });
  for (const [pc, { op, jt, jf, k }] of program.entries()) {
    for (const content of arriving[pc]?.values() ?? []) {
      const { offset, and, xor } = content;
      const next = (after: Content): void => arrive(pc + 1, after);
      switch (op) {
        case "ld.abs":
          next({ offset: k, and: ALL_ONES, xor: 0 });
          break;
        case "ld.imm":
          next({ offset: -1, and: 0, xor: k });
          break;
        case "and.k":
          next({ offset, and: (and & k) >>> 0, xor: (xor & k) >>> 0 });
          break;
        case "or.k":
          next({ offset, and: (and & ~k) >>> 0, xor: (xor | k) >>> 0 });
          break;
        case "xor.k":
          next({ offset, and, xor: (xor ^ k) >>> 0 });
          break;
        case "jeq.k":
        case "jgt.k":
        case "jset.k":
          tests.push({
            ...content,
            op: op === "jeq.k" ? "jeq" : op === "jgt.k" ? "jgt" : "jset",
            k,
          });
          break;
        case "jge.k":
          if (k > 0) tests.push({ ...content, op: "jgt", k: k - 1 });
          break;
        case "ret.a":
          for (const value of returns) {
            tests.push({ ...content, op: "jeq", k: value });
          }
          for (const action of ACTIONS) {
            for (const edge of [action, action + 0x1000, action + 0x1_0000]) {
              if (edge === 0) continue;
              tests.push({ ...content, op: "jgt", k: edge - 1 });
            }
          }
          break;
        case "ret.k":
        case "ja":
          break;
        default:
          throw new Error(`${op} at ${pc} is not of the shape`);
      }
      if (op === "ja") arrive(pc + 1 + k, content);
      else if (String(op).startsWith("j")) {
        arrive(pc + 1 + jt, content);
        arrive(pc + 1 + jf, content);
      }
    }
  }
  return tests;
}

/**
 * One value of every class. Tests of the plain word divide its range. Within
 * each interval, values are built from the highest bit down, and of those that
 * leave every other test in the same state only one is kept.
 */
function representatives(tests: readonly Test[]): readonly number[] {
  const cuts = new Set([0]);
  const others: Test[] = [];
  for (const test of tests) {
    const { op, and, xor, k } = test;
    if (op === "jset" || and !== ALL_ONES || xor !== 0) {
      others.push(test);
      continue;
    }
    if (op === "jeq") cuts.add(k);
    if (k < ALL_ONES) cuts.add(k + 1);
  }
  const firsts = [...cuts].sort((a, b) => a - b);
  return firsts.flatMap((first, i) => {
    const last = (firsts[i + 1] ?? ALL_ONES + 1) - 1;
    return others.length === 0 ? [first] : within(first, last, others);
  });
}

/** One value of every class from `first` to `last`. */
function within(
  first: number,
  last: number,
  tests: readonly Test[],
): readonly number[] {
  let states = new Map<string, number>([["", 0]]);
  /** A comparison so far: 0 equal, 1 less, 2 greater. */
  const compare = (before: number, x: number, y: number): number =>
    before !== 0 ? before : x === y ? 0 : x < y ? 1 : 2;
  for (let bit = 31; bit >= 0; bit--) {
    const at = (word: number): number => (word >>> bit) & 1;
    const next = new Map<string, number>();
    for (const [state, value] of states) {
      for (const x of [0, 1]) {
        const lower = compare(Number(state[0] ?? 0), x, at(first));
        const upper = compare(Number(state[1] ?? 0), x, at(last));
        if (lower === 1 || upper === 2) continue;
        let after = `${lower}${upper}`;
        for (const [i, { op, and, xor, k }] of tests.entries()) {
          const before = Number(state[2 + i] ?? 0);
          const y = (x & at(and)) ^ at(xor);
          const now = op === "jset"
            ? before | (y & at(k))
            : compare(before, y, at(k));
          after += op === "jeq" ? Math.min(now, 1) : now;
        }
        if (!next.has(after)) next.set(after, (value | x << bit) >>> 0);
      }
    }
    states = next;
  }
  return [...states.values()];
}
