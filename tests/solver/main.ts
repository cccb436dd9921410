/**
 * A third opinion on the prover, `deno task solver`: random pairs of small
 * programs, over all 32-bit words, decided by the SMT solver z3 as well.
 *
 * ```sh
 * deno task solver --count 500 --seed 1
 * ```
 *
 * z3 gets its own model of a program's return value, written here: words are
 * bit-vectors, paths meet by if-then-else. It shares no code with `verify/`.
 *
 * @module
 */

import {
  type BitVec,
  type Bool,
  type Context as ContextOf,
  init,
} from "z3-solver";
import { check } from "../../bpf/check.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import { mutantsOf } from "../verify/mutants.ts";
import {
  createRandom,
  randomArithmetic,
  randomProgram,
  randomTests,
} from "../verify/programs.ts";
import type { Inputs, Random } from "../verify/programs.ts";

type Context = ContextOf<"main">;
type Word = BitVec<32, "main">;
type Truth = Bool<"main">;

/** Known facts before an instruction. */
interface State {
  readonly reached: Truth;
  readonly a: Word;
  readonly x: Word;
  readonly memory: readonly Word[];
}

const INPUTS: Inputs = [
  { offset: 0, mask: 0xffff_ffff },
  { offset: 16, mask: 0x00ff },
  { offset: 20, mask: 0x8000_0001 },
];

/** The word that a program returns, as a term over `words`. */
function meaning(
  z: Context,
  program: Program,
  words: readonly Word[],
): Word {
  const zero = z.BitVec.val(0, 32) as Word;
  const constant = (k: number): Word => z.BitVec.val(k, 32) as Word;
  const start: State = {
    reached: z.Bool.val(true) as Truth,
    a: zero,
    x: zero,
    memory: Array.from({ length: 16 }, () => zero),
  };
  const states: (State | undefined)[] = [start];
  let result = zero;
  const join = (pc: number, state: State): void => {
    const there = states[pc];
    if (there === undefined) {
      states[pc] = state;
      return;
    }
    const pick = (now: Word, old: Word): Word =>
      z.If(state.reached, now, old) as Word;
    states[pc] = {
      reached: z.Or(state.reached, there.reached) as Truth,
      a: pick(state.a, there.a),
      x: pick(state.x, there.x),
      memory: state.memory.map((word, i) =>
        pick(word, there.memory[i] ?? zero)
      ),
    };
  };
  for (const [pc, instruction] of program.entries()) {
    const state = states[pc];
    if (state === undefined) continue;
    const { op, jt, jf, k } = instruction;
    const other = String(op).endsWith(".x") ? state.x : constant(k);
    const returned = (value: Word): void => {
      result = z.If(state.reached, value, result) as Word;
    };
    const test = comparison(op, state.a, other);
    if (test !== undefined) {
      join(pc + 1 + jt, {
        ...state,
        reached: z.And(state.reached, test) as Truth,
      });
      join(pc + 1 + jf, {
        ...state,
        reached: z.And(state.reached, z.Not(test)) as Truth,
      });
      continue;
    }
    switch (op) {
      case "ret.k":
        returned(constant(k));
        break;
      case "ret.a":
        returned(state.a);
        break;
      case "ja":
        join(pc + 1 + k, state);
        break;
      case "div.x": {
        // A division by X = 0 returns 0.
        const fails = other.eq(zero) as Truth;
        result = z.If(z.And(state.reached, fails), zero, result) as Word;
        join(pc + 1, {
          ...state,
          reached: z.And(state.reached, z.Not(fails)) as Truth,
          a: state.a.udiv(other) as Word,
        });
        break;
      }
      default:
        join(pc + 1, step(state, instruction, { other, words, constant }));
    }
  }
  return result;
}

function comparison(
  op: Instruction["op"],
  a: Word,
  other: Word,
): Truth | undefined {
  switch (op) {
    case "jeq.k":
    case "jeq.x":
      return a.eq(other) as Truth;
    case "jgt.k":
    case "jgt.x":
      return a.ugt(other) as Truth;
    case "jge.k":
    case "jge.x":
      return a.uge(other) as Truth;
    case "jset.k":
    case "jset.x":
      return (a.and(other) as Word).eq(zeroOf(a)).not() as Truth;
  }
  return undefined;
}

function zeroOf(word: Word): Word {
  return word.xor(word) as Word;
}

function step(
  state: State,
  { op, k }: Instruction,
  { other, words, constant }: {
    readonly other: Word;
    readonly words: readonly Word[];
    readonly constant: (k: number) => Word;
  },
): State {
  const { a, x, memory } = state;
  const to = (value: unknown): State => ({ ...state, a: value as Word });
  const shift = other.and(31) as Word;
  switch (op) {
    case "ld.abs":
      return to(words[k / 4]);
    case "ld.imm":
      return to(constant(k));
    case "ld.len":
      return to(constant(64));
    case "ld.mem":
      return to(memory[k]);
    case "ldx.imm":
      return { ...state, x: constant(k) };
    case "ldx.len":
      return { ...state, x: constant(64) };
    case "ldx.mem":
      return { ...state, x: memory[k] ?? x };
    case "st":
      return { ...state, memory: memory.with(k, a) };
    case "stx":
      return { ...state, memory: memory.with(k, x) };
    case "tax":
      return { ...state, x: a };
    case "txa":
      return to(x);
    case "neg":
      return to(a.neg());
    case "add.k":
    case "add.x":
      return to(a.add(other));
    case "sub.k":
    case "sub.x":
      return to(a.sub(other));
    case "mul.k":
    case "mul.x":
      return to(a.mul(other));
    case "div.k":
      return to(a.udiv(other));
    case "and.k":
    case "and.x":
      return to(a.and(other));
    case "or.k":
    case "or.x":
      return to(a.or(other));
    case "xor.k":
    case "xor.x":
      return to(a.xor(other));
    case "lsh.k":
    case "lsh.x":
      return to(a.shl(shift));
    case "rsh.k":
    case "rsh.x":
      return to(a.lshr(shift));
  }
  throw new Error(`Cannot translate ${op}`);
}

function pairOf(random: Random): readonly [Program, Program] | undefined {
  const length = 4 + random.below(12);
  const kind = random.below(3);
  const make = (): Program =>
    kind === 0
      ? randomTests(random, 16, length)
      : kind === 1
      ? randomArithmetic(random, INPUTS)
      : randomProgram(random, INPUTS, length);
  const a = make();
  const mutants = [...mutantsOf(a)];
  const b = random.below(4) === 0
    ? make()
    : mutants[random.below(mutants.length)]?.program;
  if (b === undefined || check(a) !== undefined || check(b) !== undefined) {
    return undefined;
  }
  // z3's memory does not survive products of two unknown words.
  const wide = [...a, ...b].some(({ op }) => op === "mul.x" || op === "div.x");
  if (wide) return undefined;
  return [a, b];
}

/** Compares pairs `from` to `from + count - 1` of a seed and prints a line for each. */
async function work(seed: number, from: number, count: number): Promise<void> {
  const { Context, em } = await init();
  const z: Context = Context("main");
  const words = Array.from(
    { length: 16 },
    (_, i) => z.BitVec.const(`w${i}`, 32) as Word,
  );
  for (let i = from; i < from + count; i++) {
    const pair = pairOf(createRandom(seed * 1_000_003 + i));
    if (pair === undefined) {
      say(`${i} skipped`);
      continue;
    }
    const [a, b] = pair;
    const ours = proveEquivalent(
      a,
      b,
      { compare: "bits" },
    ).kind;
    const solver = new z.Solver();
    solver.set("timeout", 5_000);
    solver.set("rlimit", 3_000_000);
    solver.add(meaning(z, a, words).eq(meaning(z, b, words)).not());
    const answer = await solver.check();
    const theirs = { unsat: "equal", sat: "different", unknown: "unknown" };
    say(`${i} ${ours}/${theirs[answer]}`);
  }
  em.PThread.terminateAllThreads();
}

/** Pairs in one process: z3's memory grows, and ends at 2 GiB. */
const BATCH = 20;

const MANUAL: Manual = {
  usage: "deno task solver [OPTION...]",
  brief:
    "Compares the prover with the SMT solver z3 on random pairs of programs.\nExits with 1 if they disagree.",
  options: {
    seed: { placeholder: "N", brief: "Seed of the pairs (default: 1)" },
    count: { placeholder: "N", brief: "Number of pairs (default: 500)" },
    from: {
      placeholder: "N",
      brief: `Only the ${BATCH} pairs from this one on, one line each`,
    },
  },
};

async function main(given: Given): Promise<number> {
  const seed = given.number("seed") ?? 1;
  const from = given.number("from");
  if (from !== undefined) {
    await work(seed, from, BATCH);
    return 0;
  }
  const count = given.number("count") ?? 500;
  const tally = new Map<string, number>();
  const wrong: string[] = [];
  let done = 0;
  for (let next = 0; done < count;) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", import.meta.filename ?? "", "--seed", `${seed}`]
        .concat("--from", `${next}`),
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n")
      .filter((line) => line !== "");
    // A child that z3 crashed does not report the pair that caused it.
    if (lines.length < BATCH) lines.push(`${next + lines.length} ?/unknown`);
    next += lines.length;
    for (const line of lines) {
      const [pair = "", verdicts = ""] = line.split(" ");
      if (verdicts === "skipped") continue;
      done++;
      tally.set(verdicts, (tally.get(verdicts) ?? 0) + 1);
      const [ours, theirs] = verdicts.split("/");
      const agrees = ours === theirs || ours === "unproven" ||
        theirs === "unknown";
      if (!agrees) wrong.push(`seed ${seed}, pair ${pair}: ${verdicts}`);
    }
  }
  say(`${done} pairs, ours/z3: ${JSON.stringify(Object.fromEntries(tally))}`);
  for (const line of wrong) say(line);
  return wrong.length === 0 ? 0 : 1;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
