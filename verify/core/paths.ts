/**
 * The return value of a program as a function of the input: symbolic execution
 * of every instruction that the kernel's `seccomp_check_filter()` accepts.
 *
 * Jumps only go forward, so one pass from the first instruction to the last
 * visits each once, after all its predecessors. It finds the contents of the
 * registers at each instruction and the inputs for which its test succeeds. If
 * paths with different contents of a register meet, it contains "the value of
 * this path if this path is taken, otherwise that of the other". This is
 * computed only if it is read, because most registers are dead by then. So the
 * number of paths does not matter, only the size of the functions.
 *
 * A point at which paths meet begins a segment. Between such points the code is
 * a tree, whose answer is composed backward, from the last instruction to the
 * first, in one step per test. It is valid on the inputs that reach the
 * segment, unless they continue to a later one, whose answer overrides it. The
 * condition under which a segment leads to another is a function relative to
 * it, composed for all its jumps before it is combined with the inputs of the
 * segment itself. So the order of tests does not matter: the small function of
 * `hi == 1 && lo == 2` is built first, before it is combined with the remainder
 * of the thousand rules before it.
 *
 * Every input ends in exactly one segment, the last one that it reaches.
 *
 * The machine is assumed to work as in bpf/run.ts: A and X start as 0, a
 * division by an X of 0 returns 0, shifts by X use its low five bits.
 *
 * @module
 */

import type { Instruction, Program } from "../../bpf/instruction.ts";
import { SECCOMP_DATA_SIZE } from "../../bpf/seccomp_data.ts";
import { BPF_MEMWORDS } from "../../tables/uapi.ts";
import { ALWAYS, NEVER, type Node } from "./diagram.ts";
import type { Symbols } from "./symbols.ts";
import {
  ALU_OPS,
  compare,
  compute,
  constant,
  selectWord,
  type Word,
} from "./word.ts";

/** Contents of a register, computed on demand. */
interface Register {
  word?: Word;
  readonly make: () => Word;
  /** Registers on which the contents depend. */
  readonly from: readonly Register[];
}

/** Registers are numbered: A, X, then the scratch words. */
const A = 0;
const X = 1;
const SCRATCH = 2;
const REGISTERS = SCRATCH + BPF_MEMWORDS;

/** A reached instruction, through one of the edges to it. */
interface Step {
  readonly pc: number;
  /** The segment of the edge's origin, by its first instruction. */
  readonly segment: number;
  /** Contents of the registers before the instruction. */
  readonly registers: readonly Register[];
  /** The step before it in that segment, and its exit; absent at the start. */
  readonly before?: Step;
  readonly exit?: number;
  /** The inputs of the segment that reach it; computed on demand. */
  inside?: Node;
  /**
   * The inputs on which it continues to its second exit; on all others, to the
   * first.
   */
  test: Node;
  /**
   * The inputs on which the segment that begins here runs; absent within a
   * segment.
   */
  readonly runs?: Node;
  /** The answer from here on, unless a later segment answers. */
  answer?: Node;
}

/**
 * Executes a program on all inputs at once.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param program A program that `check` accepts.
 * @param symbols The input.
 * @returns The function whose leaves are the program's return values.
 */
export function executeSymbolically(program: Program, symbols: Symbols): Node {
  const { choose } = symbols.diagram;
  const meetings = meetingsOf(program);
  const steps = walk(program, meetings, symbols);
  // The answer is irrelevant if a later segment answers.
  const nothing = symbols.leaf(constant(0));
  const answerFrom = (pc = -1): Node =>
    meetings.has(pc) ? nothing : steps.get(pc)?.answer ?? nothing;
  const reached = [...steps.values()].sort((one, two) => one.pc - two.pc);
  for (const step of reached.toReversed()) {
    const [no, yes] = exitsOf(program[step.pc] as Instruction, step.pc);
    step.answer ??= choose(step.test, answerFrom(yes), answerFrom(no));
  }
  let result = nothing;
  for (const { runs = NEVER, answer = nothing } of reached) {
    result = choose(runs, answer, result);
  }
  return result;
}

/**
 * Traverses the program from the first instruction to the last; returns the
 * reachable steps.
 */
function walk(
  program: Program,
  meetings: ReadonlySet<number>,
  symbols: Symbols,
): ReadonlyMap<number, Step> {
  const { and, or, except } = symbols.diagram;
  /** The edges to a meeting point. */
  const edges = new Map<number, readonly Step[]>();
  const zero = holding(() => constant(0));
  const registers = new Array<Register>(REGISTERS).fill(zero);
  const start = { pc: 0, segment: 0, registers, test: NEVER, runs: ALWAYS };
  const steps = new Map<number, Step>([[0, start]]);
  const runsOf = (segment: number): Node => steps.get(segment)?.runs as Node;

  for (const [pc, instruction] of program.entries()) {
    begin(pc, edges.get(pc) ?? []);
    const before = steps.get(pc);
    if (before === undefined) continue;
    const registers = run(instruction, before, symbols);
    const { segment, test } = before;
    for (const [exit, to] of exitsOf(instruction, pc).entries()) {
      // No input takes the first exit if the test always succeeds, or the
      // second if it never does.
      if (test === [ALWAYS, NEVER][exit]) continue;
      const edge = { pc: to, segment, registers, before, exit, test: NEVER };
      if (meetings.has(to)) edges.set(to, [...edges.get(to) ?? [], edge]);
      else steps.set(to, edge);
    }
  }
  return steps;

  /** Begins a segment at a meeting of paths, unless no input reaches it. */
  function begin(pc: number, [first, ...others]: readonly Step[]): void {
    if (first === undefined) return;
    const registers = [...first.registers];
    const parts = new Map([[first.segment, insideOf(first)]]);
    for (const step of others) {
      const { segment } = step;
      const inside = insideOf(step);
      parts.set(segment, or(inside, parts.get(segment) ?? NEVER));
      for (const [i, old] of registers.entries()) {
        const other = step.registers[i] ?? old;
        if (other === old) continue;
        const taken = (): Node => and(runsOf(segment), inside);
        registers[i] = {
          make: () =>
            selectWord(symbols.diagram, taken(), read(other), read(old)),
          from: [other, old],
        };
      }
    }
    let runs = NEVER;
    for (const [from, inside] of parts) {
      runs = or(runs, and(runsOf(from), inside));
    }
    if (runs === NEVER) return;
    steps.set(pc, { pc, segment: pc, registers, test: NEVER, runs });
  }

  /** Finds the inputs of its segment that reach a step. */
  function insideOf(step: Step): Node {
    const path: Step[] = [];
    for (let at = step; at.inside === undefined && at.before; at = at.before) {
      path.push(at);
    }
    for (const next of path.reverse()) {
      const { test = NEVER, inside = ALWAYS } = next.before ?? {};
      next.inside = (next.exit === 1 ? and : except)(inside, test);
    }
    return step.inside ?? ALWAYS;
  }
}

/**
 * Runs an instruction: records its test or its answer, returns the registers
 * afterward.
 */
function run(
  { op, jt, jf, k }: Instruction,
  step: Step,
  { diagram, input, leaf }: Symbols,
): readonly Register[] {
  const { registers } = step;
  const [name, form] = String(op).split(".");
  const held = (at: number): Register => registers[at] as Register;
  const a = (): Word => read(held(A));
  const operand = form === "x" ? held(X) : holding(() => constant(k));
  const b = (): Word => read(operand);
  switch (name) {
    case "ld":
    case "ldx": {
      const to = name === "ld" ? A : X;
      if (form === "abs") return registers.with(to, holding(() => input(k)));
      if (form === "mem") return registers.with(to, held(SCRATCH + k));
      if (form !== "len") return registers.with(to, operand);
      return registers.with(to, holding(() => constant(SECCOMP_DATA_SIZE)));
    }
    case "st":
    case "tax":
      return registers.with(name === "st" ? SCRATCH + k : X, held(A));
    case "stx":
    case "txa":
      return registers.with(name === "stx" ? SCRATCH + k : A, held(X));
    case "ja":
      return registers;
    case "jeq":
    case "jgt":
    case "jge":
    case "jset":
      if (jt !== jf) step.test = compare(diagram, name, a(), b());
      return registers;
    case "ret":
      step.answer = leaf(form === "a" ? a() : b());
      return registers;
  }
  const alu = ALU_OPS.find((known) => known === name);
  if (alu === undefined) throw new Error(`Unreachable: ${op} is not permitted`);
  const word = compute(diagram, alu, a(), b());
  // Division by 0 returns 0, so there is no second exit.
  if (alu === "div") step.test = compare(diagram, "jeq", b(), constant(0));
  return registers.with(A, holding(() => word));
}

const holding = (make: () => Word): Register => ({ make, from: [] });

/**
 * Lists the successors of an instruction: the one if its test fails, then the
 * one if it succeeds.
 */
function exitsOf(at: Instruction, pc: number): readonly number[] {
  const { op, jt, jf, k } = at;
  const name = String(op);
  if (name.startsWith("ret")) return [];
  if (name === "ja") return [pc + 1 + k];
  if (!name.startsWith("j")) return [pc + 1];
  return jt === jf ? [pc + 1 + jf] : [pc + 1 + jf, pc + 1 + jt];
}

/**
 * Finds the meetings of paths; a shared `ret` of a constant is equivalent to
 * separate ones.
 */
function meetingsOf(program: Program): ReadonlySet<number> {
  const reached = new Set<number>();
  const meetings = program.flatMap(exitsOf).filter((pc) => {
    const again = reached.has(pc);
    reached.add(pc);
    return again && program[pc]?.op !== "ret.k";
  });
  return new Set(meetings);
}

/**
 * Reads a register; it may depend on others, to a depth of the program's
 * length.
 */
function read(register: Register): Word {
  const stack = [register];
  for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
    const open = at.word ? [] : at.from.filter(({ word }) => !word);
    stack.push(...open);
    if (open.length > 0) continue;
    at.word ??= at.make();
    stack.pop();
  }
  return register.word as Word;
}
