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
 * first, one step for each test. It counts on the inputs that reach the segment,
 * unless they go on to a later one, whose answer overrules it. Where a segment
 * leads to another is a function relative to it, and put together for all its
 * jumps before it meets where the segment itself runs. That keeps the order of
 * tests free:
 * `hi == 1 && lo == 2` is made by itself, small, before it meets what is left
 * over of the thousand rules before it.
 *
 * Every input ends in one segment, the last that it reaches.
 *
 * What is assumed of the machine is what bpf/run.ts states: A and X start as 0,
 * a division by an X of 0 returns 0, shifts by X take its low five bits.
 *
 * @module
 */

import type { Instruction, Program } from "../../bpf/instruction.ts";
import { SECCOMP_DATA_SIZE } from "../../bpf/seccomp_data.ts";
import { BPF_MEMWORDS } from "../../tables/uapi.ts";
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

/** What a register holds, computed where something reads it. */
interface Register {
  word?: Word;
  readonly make: () => Word;
  /** What that reads. */
  readonly from: readonly Register[];
}

/** Registers are numbered: A, X, then the scratch words. */
const A = 0;
const X = 1;
const SCRATCH = 2;
const REGISTERS = SCRATCH + BPF_MEMWORDS;

/** An instruction that is reached, by one of the edges to it. */
interface Step {
  readonly pc: number;
  /** The segment that the edge comes from, by its first instruction. */
  readonly segment: number;
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
  /** On which inputs each segment runs, by its first instruction; -1 leads to 0. */
  const segments = new Map([[-1, ALWAYS]]);
  const steps = new Map<number, Step>();
  /** What is answered from an instruction on, unless another segment answers. */
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
        const taken = (): Node => and(segments.get(segment) as Node, inside);
        registers[i] = {
          make: () => select(diagram, taken(), read(other), read(old)),
          from: [other, old],
        };
      }
    }
    let where = NEVER;
    for (const [from, inside] of parts) {
      where = or(where, and(segments.get(from) as Node, inside));
    }
    if (where === NEVER) return;
    segments.set(start, where);
    steps.set(start, { pc: start, segment: start, registers, test: NEVER });
  }

  function go(before: Step, pc: number, registers: readonly Register[]): void {
    const { segment } = before;
    const step = { pc, segment, registers, before, test: NEVER };
    if (meetings.has(pc)) edges.set(pc, [...edges.get(pc) ?? [], step]);
    else steps.set(pc, step);
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

  const holding = (make: () => Word): Register => ({ make, from: [] });
  const registers = new Array<Register>(REGISTERS).fill(holding(() => zero));
  begin(0, [{ pc: 0, segment: -1, registers, test: NEVER }]);
  for (const [pc, { op, k }] of program.entries()) {
    begin(pc, edges.get(pc) ?? []);
    const step = steps.get(pc);
    if (step === undefined) continue;
    let { registers } = step;
    const [no = -1, yes] = exits[pc] ?? [];
    const [name, form] = String(op).split(".");
    const held = (at: number): Register => registers[at] as Register;
    const a = (): Word => read(held(A));
    const operand = form === "x" ? held(X) : holding(() => constant(k));
    const b = (): Word => read(operand);
    const put = (to: number, word: Register): void => {
      registers = registers.with(to, word);
    };
    switch (name) {
      case "ld":
      case "ldx": {
        const to = name === "ld" ? A : X;
        if (form === "abs") put(to, holding(() => input(k)));
        else if (form === "mem") put(to, held(SCRATCH + k));
        else if (form !== "len") put(to, operand);
        else put(to, holding(() => constant(SECCOMP_DATA_SIZE)));
        break;
      }
      case "st":
      case "tax":
        put(name === "st" ? SCRATCH + k : X, held(A));
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
        step.test = compare(diagram, name, a(), b());
        break;
      case "ret":
        answers.set(pc, leaf(form === "a" ? a() : b()));
        continue;
      default: {
        const binary = BINARY_OPS.find((known) => known === name);
        if (binary === undefined && name !== "neg") {
          throw new Error(`Unreachable: ${op} at ${pc} passed the check`);
        }
        const word = binary === undefined
          ? compute(diagram, "sub", zero, a())
          : compute(diagram, binary, a(), b());
        put(A, holding(() => word));
        // Division by 0 returns 0: there is no second exit to go to.
        if (name === "div") {
          step.test = compare(diagram, "jeq", b(), zero);
        }
      }
    }
    if (yes !== undefined && step.test !== NEVER) go(step, yes, registers);
    if (step.test !== ALWAYS) go(step, no, registers);
  }

  // What is answered where a later segment answers does not matter.
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
  for (const [start, where] of segments) {
    result = choose(where, answers.get(start) ?? nothing, result);
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

/** Reads a register; it may rest on others as deep as a program is long. */
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
