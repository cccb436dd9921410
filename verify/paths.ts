/**
 * What a program returns, as a function of the input: symbolic execution of
 * every instruction that the kernel's `seccomp_check_filter()` admits.
 *
 * Jumps only go forward, so one walk from the first instruction to the last
 * sees each once, after all that lead to it. It finds what the registers hold at
 * each instruction and where its test holds. Where paths meet with different
 * contents in a register, it holds "what this path has where this path is taken,
 * else what the other has"; that is computed only if something reads it, for
 * most registers are dead by then. So the number of paths does not matter, only
 * the size of the functions.
 *
 * A place at which paths meet begins a segment; what lies between is a tree,
 * whose answer is put together on the way back, from the last instruction to the
 * first, one step for each test. It counts on the inputs that reach the segment
 * and end in it. Where it leads to another segment is a function relative to it;
 * what several of its jumps have in common is put together before it meets where
 * the segment itself runs. That keeps the order of tests free:
 * `hi == 1 && lo == 2` is made by itself, small, before it meets what is left
 * over of the thousand rules before it.
 *
 * Every input ends in one segment, so the answers of all are the whole answer.
 *
 * What is assumed of the machine is what bpf/run.ts states: A and X start as 0,
 * a division by an X of 0 returns 0, shifts by X take its low five bits.
 *
 * @module
 */

import type { Instruction, Program } from "../bpf/instruction.ts";
import { SECCOMP_DATA_SIZE } from "../bpf/seccomp_data.ts";
import { BPF_MEMWORDS } from "../tables/uapi.ts";
import { ALWAYS, NEVER, type Node } from "./diagram.ts";
import type { Symbols } from "./symbols.ts";
import {
  BINARY_OPS,
  compare,
  compute,
  constant,
  select,
  type Word,
} from "./word.ts";

/** What a register holds, for who reads it. */
type Register = () => Word;

/** Registers are numbered: A, X, then the scratch words. */
const A = 0;
const X = 1;
const SCRATCH = 2;
const REGISTERS = SCRATCH + BPF_MEMWORDS;

/** A tree of instructions: behind a place at which paths meet, up to the next ones. */
interface Segment {
  /** Its first instruction. */
  readonly start: number;
  /** On which inputs it runs. */
  readonly where: Node;
  /** On which of those, at least, it leads to another segment. */
  left: Node;
}

/** An instruction that is reached, by one of the edges to it. */
interface Step {
  readonly pc: number;
  /** The segment that the edge comes from. */
  readonly segment: Segment;
  readonly registers: readonly Register[];
  /** The step before it in that segment; absent at the start. */
  readonly before?: Step;
  /** On which inputs of the segment it is reached, once that was asked for. */
  inside?: Node;
  /** Where it goes on to its second exit; elsewhere it does to the first. */
  test: Node;
}

/**
 * Executes a program on all inputs at once.
 *
 * @throws {LimitReached} when a function becomes too large.
 *
 * @param program A program that `check` accepts.
 * @param symbols The input.
 * @returns The function whose leaves are what the program returns.
 */
export function execute(program: Program, symbols: Symbols): Node {
  const { diagram, input, leaf } = symbols;
  const { and, or, except, choose } = diagram;
  const zero = constant(0);
  const exits = program.map(exitsOf);
  const meetings = meetingsOf(program);
  /** What leads to a meeting. */
  const edges = new Map<number, readonly Step[]>();
  const segments: Segment[] = [];
  const steps = new Map<number, Step>();
  /** What is answered from an instruction on, unless it leads to another segment. */
  const answers = new Map<number, Node>();

  function begin(start: number, [first, ...others]: readonly Step[]): void {
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
        const taken = (): Node => and(segment.where, inside);
        registers[i] = once(() => select(diagram, taken(), other(), old()));
      }
    }
    let where = NEVER;
    for (const [from, inside] of parts) {
      where = or(where, and(from.where, inside));
    }
    if (where === NEVER) return;
    const segment = { start, where, left: NEVER };
    segments.push(segment);
    steps.set(start, {
      pc: start,
      segment,
      registers,
      inside: ALWAYS,
      test: NEVER,
    });
  }

  function go(before: Step, pc: number, registers: readonly Register[]): void {
    const { segment } = before;
    const step = { pc, segment, registers, before, test: NEVER };
    if (!meetings.has(pc)) steps.set(pc, step);
    else {
      segment.left = or(segment.left, insideOf(step));
      edges.set(pc, [...edges.get(pc) ?? [], step]);
    }
  }

  /** On which inputs of its segment a step is reached. */
  function insideOf(step: Step): Node {
    const path: Step[] = [];
    for (let at = step; at.inside === undefined && at.before; at = at.before) {
      path.push(at);
    }
    for (const next of path.reverse()) {
      const { pc = 0, test = NEVER, inside = ALWAYS } = next.before ?? {};
      const taken = exits[pc]?.[1] === next.pc;
      next.inside = (taken ? and : except)(inside, test);
    }
    return step.inside ?? ALWAYS;
  }

  const registers = new Array<Register>(REGISTERS).fill(() => zero);
  const all = { start: 0, where: ALWAYS, left: NEVER };
  begin(0, [{ pc: 0, segment: all, registers, test: NEVER }]);
  for (const [pc, { op, k }] of program.entries()) {
    begin(pc, edges.get(pc) ?? []);
    const step = steps.get(pc);
    if (step === undefined) continue;
    let { registers } = step;
    const [no = -1, yes] = exits[pc] ?? [];
    const [name, form] = String(op).split(".");
    const held = (at: number): Register => registers[at] ?? (() => zero);
    const a = held(A);
    const operand = form === "x" ? held(X) : () => constant(k);
    const put = (to: number, word: Register): void => {
      registers = registers.with(to, word);
    };
    switch (name) {
      case "ld":
      case "ldx": {
        const to = name === "ld" ? A : X;
        if (form === "abs") put(to, () => input(k));
        else if (form === "mem") put(to, held(SCRATCH + k));
        else if (form === "len") put(to, () => constant(SECCOMP_DATA_SIZE));
        else put(to, operand);
        break;
      }
      case "st":
      case "tax":
        put(name === "st" ? SCRATCH + k : X, a);
        break;
      case "stx":
      case "txa":
        put(name === "stx" ? SCRATCH + k : A, held(X));
        break;
      case "ja":
      case "jeq":
      case "jgt":
      case "jge":
      case "jset":
        if (name === "ja" || yes === undefined) break;
        step.test = compare(diagram, name, a(), operand());
        break;
      case "ret":
        answers.set(pc, leaf(form === "a" ? a() : operand()));
        continue;
      default: {
        const binary = BINARY_OPS.find((known) => known === name);
        if (binary === undefined && name !== "neg") {
          throw new Error(`Unreachable: ${op} at ${pc} passed the check`);
        }
        const word = binary === undefined
          ? compute(diagram, "sub", zero, a())
          : compute(diagram, binary, a(), operand());
        put(A, () => word);
        // Division by 0 returns 0: there is no second exit to go to.
        if (name === "div") {
          step.test = compare(diagram, "jeq", operand(), zero);
        }
      }
    }
    if (yes !== undefined && step.test !== NEVER) go(step, yes, registers);
    if (step.test !== ALWAYS) go(step, no, registers);
  }

  // What is answered where it is another segment's turn does not matter.
  const nothing = leaf(zero);
  const answerFrom = (pc = -1): Node =>
    meetings.has(pc) ? nothing : answers.get(pc) ?? nothing;
  for (let pc = program.length - 1; pc >= 0; pc--) {
    const step = steps.get(pc);
    if (step === undefined || answers.has(pc)) continue;
    const [no, yes] = exits[pc] ?? [];
    answers.set(pc, choose(step.test, answerFrom(yes), answerFrom(no)));
  }
  let result = nothing;
  for (const { start, where, left } of segments) {
    result = choose(except(where, left), answers.get(start) ?? nothing, result);
  }
  return result;
}

/** Lists what follows an instruction: where its test fails, and where it holds. */
function exitsOf(at: Instruction, pc: number): readonly number[] {
  const { op, jt, jf, k } = at;
  const name = String(op);
  if (name.startsWith("ret")) return [];
  if (name === "ja") return [pc + 1 + k];
  if (!name.startsWith("j")) return [pc + 1];
  return jt === jf ? [pc + 1 + jf] : [pc + 1 + jf, pc + 1 + jt];
}

/** Finds where paths meet; one `ret` of a constant for many is as good as one for each. */
function meetingsOf(program: Program): ReadonlySet<number> {
  const reached = new Set<number>();
  const meetings = program.flatMap(exitsOf).filter((pc) => {
    const again = reached.has(pc);
    reached.add(pc);
    return again && program[pc]?.op !== "ret.k";
  });
  return new Set(meetings);
}

/** Computes something when it is first asked for, and remembers it. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
