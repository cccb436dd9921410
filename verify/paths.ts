/**
 * What a program returns, as a function of the input: symbolic execution of
 * every instruction that the kernel's `seccomp_check_filter()` admits.
 *
 * Jumps only go forward, so one walk from the first instruction to the last
 * sees each once, after all that lead to it. It carries for each instruction
 * where it runs, a boolean function of the input, and what the registers hold
 * there. Where paths meet with different contents in a register, it holds "what
 * this path has where this path is taken, else what the other has"; that is
 * computed only if something reads it, for most registers are dead by then. So
 * the number of paths does not matter, only the size of the functions.
 *
 * Where an instruction runs is kept in parts, one for each meeting of paths that
 * it lies behind, and two parts are put together only above the last meeting
 * that they have in common. That keeps the order of tests free: `hi == 1 &&
 * lo == 2` is made by itself, small, before it meets what is left over of the
 * thousand rules before it.
 *
 * The inputs on which the program ends at one `ret` or another cover all
 * inputs and do not overlap, and put together they are the answer.
 *
 * What is assumed of the machine is what bpf/run.ts states: A and X start as 0,
 * a division by an X of 0 returns 0, shifts by X take its low five bits.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
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

/** What lies behind a meeting of paths. */
interface Segment {
  /** The segment in which the paths that meet began to part; absent at the start. */
  readonly outer?: Segment;
  /** On which inputs of `outer` they come together here. */
  readonly inside: Node;
  /** On which inputs at all. */
  readonly where: Node;
  /** How many segments this one lies in. */
  readonly depth: number;
}

/** How an instruction is reached. */
interface Arrival {
  /** The segment that it lies in. */
  readonly segment: Segment;
  /** On which inputs of the segment it runs. */
  readonly inside: Node;
  /** What the registers hold on those. */
  readonly registers: readonly Register[];
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
  const arrivals = new Map<number, Arrival>();
  const meetings = new Set<number>();
  /** Where each leaf is the answer. */
  const answers = new Map<Node, Node>();

  function arrive(pc: number, now: Arrival): void {
    if (now.inside === NEVER) return;
    const before = arrivals.get(pc);
    if (before !== undefined) meetings.add(pc);
    arrivals.set(pc, before === undefined ? now : meet(before, now));
  }

  function meet(before: Arrival, now: Arrival): Arrival {
    const taken = (): Node => and(now.segment.where, now.inside);
    const registers = before.registers.map((old, i) => {
      const other = now.registers[i] ?? old;
      return other === old
        ? old
        : once(() => select(diagram, taken(), other(), old()));
    });
    let [a, b] = [before, now];
    while (a.segment !== b.segment) {
      if (a.segment.depth < b.segment.depth) [a, b] = [b, a];
      a = outward(a);
    }
    return { segment: a.segment, inside: or(a.inside, b.inside), registers };
  }

  /** The same, seen from the segment around. */
  function outward({ segment, inside, registers }: Arrival): Arrival {
    const { outer } = segment;
    if (outer === undefined) throw new Error("Unreachable: no common start");
    return { segment: outer, inside: and(segment.inside, inside), registers };
  }

  /** The same as a segment of its own. */
  function inward({ segment: outer, inside, registers }: Arrival): Arrival {
    const where = and(outer.where, inside);
    const segment = { outer, inside, where, depth: outer.depth + 1 };
    return { segment, inside: ALWAYS, registers };
  }

  arrive(0, {
    segment: { inside: ALWAYS, where: ALWAYS, depth: 0 },
    inside: ALWAYS,
    registers: new Array<Register>(REGISTERS).fill(() => zero),
  });
  for (const [pc, { op, jt, jf, k }] of program.entries()) {
    const arrival = arrivals.get(pc);
    if (arrival === undefined) continue;
    arrivals.delete(pc);
    const { segment, inside, registers } = meetings.has(pc)
      ? inward(arrival)
      : arrival;
    if (segment.where === NEVER) continue;
    const answer = (part: Node, word: Word): void => {
      const at = leaf(word);
      const where = and(segment.where, part);
      answers.set(at, or(where, answers.get(at) ?? NEVER));
    };
    const [name, form] = String(op).split(".");
    const held = (at: number): Register => registers[at] ?? (() => zero);
    const a = held(A);
    const operand = form === "x" ? held(X) : () => constant(k);
    const go = (distance: number, part: Node, after = registers): void =>
      arrive(pc + 1 + distance, { segment, inside: part, registers: after });
    const put = (to: number, word: Register): void =>
      go(0, inside, registers.with(to, word));
    const set = (a: Word, part: Node): void =>
      go(0, part, registers.with(A, () => a));

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
      case "neg":
        set(compute(diagram, "sub", zero, a()), inside);
        break;
      case "jeq":
      case "jgt":
      case "jge":
      case "jset": {
        const test = compare(diagram, name, a(), operand());
        go(jt, and(inside, test));
        go(jf, except(inside, test));
        break;
      }
      case "ja":
        go(k, inside);
        break;
      case "ret":
        answer(inside, form === "a" ? a() : operand());
        break;
      default: {
        const binary = BINARY_OPS.find((known) => known === name);
        if (binary === undefined) {
          throw new Error(`Unreachable: ${op} at ${pc} passed the check`);
        }
        const fails = binary === "div"
          ? compare(diagram, "jeq", operand(), zero)
          : NEVER;
        answer(and(inside, fails), zero);
        set(compute(diagram, binary, a(), operand()), except(inside, fails));
      }
    }
  }
  let result = leaf(zero);
  for (const [at, where] of answers) result = choose(where, at, result);
  return result;
}

/** Computes something when it is first asked for, and remembers it. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
