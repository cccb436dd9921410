/**
 * What a program returns, as a function of the input: symbolic execution of
 * every instruction that the kernel's `seccomp_check_filter()` admits.
 *
 * Jumps only go forward, so one walk from the first instruction to the last
 * sees each once, after all that lead to it, and finds what the registers hold
 * and where each test holds. Where paths meet with different contents in a
 * register that is still read, it becomes "what this path has where this path
 * is taken, else what the other has". A second walk, from the last instruction
 * to the first, puts the tests together. So the number of paths does not
 * matter, only the size of the functions.
 *
 * The second walk first makes small functions that end where paths meet, and
 * then puts the functions from there in their place. That keeps the order of
 * tests free: `hi == 1 && lo == 2` is made by itself, small, before it meets
 * the thousand rules that follow.
 *
 * What is assumed of the machine is what bpf/run.ts states: A and X start as 0,
 * a division by an X of 0 returns 0, shifts by X take its low five bits.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  type Diagram,
  NEVER,
  type Node,
} from "./diagram.ts";
import { liveRegisters, REGISTERS, type Step, stepOf } from "./steps.ts";
import type { Symbols } from "./symbols.ts";
import { compare, compute, constant, select, type Word } from "./word.ts";

/** What the first walk finds out, by instruction; absent where none arrives. */
interface Findings {
  /** Where a test holds, or where the divisor is 0. */
  readonly tests: Map<number, Node>;
  /** What is returned. */
  readonly values: Map<number, Word>;
  /** Number of ways in. */
  readonly arrivals: Map<number, number>;
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
  const steps = program.map((instruction, pc) =>
    stepOf(instruction, pc, symbols.input)
  );
  // Where each instruction runs is seldom needed, and can be large.
  const findings = explore(steps, symbols, false) ??
    explore(steps, symbols, true);
  if (findings === undefined) throw new Error("Unreachable: where paths meet");
  return compose(steps, symbols, findings);
}

/**
 * The first walk.
 *
 * @param guarded Whether to know where each instruction runs.
 * @returns The findings; nothing where they depend on that and it is not known.
 */
function explore(
  steps: readonly Step[],
  { diagram, stand }: Symbols,
  guarded: boolean,
): Findings | undefined {
  const live = liveRegisters(steps);
  const tests = new Map<number, Node>();
  const values = new Map<number, Word>();
  const arrivals = new Map<number, number>();
  const states = new Map<
    number,
    { readonly where: Node; readonly registers: readonly Word[] }
  >();
  let depends = false;

  function arrive(
    pc: number,
    where: Node,
    registers: readonly Word[],
  ): void {
    if (where === NEVER) return;
    arrivals.set(pc, 1 + (arrivals.get(pc) ?? 0));
    const before = states.get(pc);
    if (before === undefined) {
      states.set(pc, { where, registers });
      return;
    }
    const merged = before.registers.map((old, i) => {
      const now = registers[i] ?? old;
      const read = ((live[pc] ?? 0) >> i) & 1;
      if (!read || now.every((f, bit) => f === old[bit])) return old;
      depends = true;
      return guarded ? select(diagram, where, now, old) : old;
    });
    states.set(pc, {
      where: guarded ? diagram.or(before.where, where) : ALWAYS,
      registers: merged,
    });
  }

  /** Part of `where` on which `f` holds, or only whether there may be any. */
  function inside(where: Node, f: Node): Node {
    return guarded ? diagram.and(where, f) : f === NEVER ? NEVER : ALWAYS;
  }

  function outside(where: Node, f: Node): Node {
    return guarded ? diagram.except(where, f) : f === ALWAYS ? NEVER : ALWAYS;
  }

  const zero = constant(0);
  arrive(0, ALWAYS, Array.from({ length: REGISTERS }, () => zero));
  for (const [pc, step] of steps.entries()) {
    const state = states.get(pc);
    if (state === undefined) continue;
    states.delete(pc);
    const { where, registers } = state;
    const [a = zero, b = zero] = step.from.map((operand) =>
      typeof operand === "number" ? registers[operand] ?? zero : operand
    );
    const [first = pc, second = pc] = step.next;
    if (step.kind === "return") values.set(pc, a);
    else if (step.kind === "jump") arrive(first, where, registers);
    else if (step.kind === "copy") {
      arrive(first, where, registers.with(step.to, a));
    } else if (step.kind === "test") {
      const test = compare(diagram, step.op, a, b);
      tests.set(pc, test);
      arrive(first, inside(where, test), registers);
      arrive(second, outside(where, test), registers);
    } else {
      const fails = step.op === "div"
        ? compare(diagram, "jeq", b, zero)
        : NEVER;
      tests.set(pc, fails);
      if (fails === ALWAYS) continue;
      const result = compute(diagram, step.op, a, b, stand);
      const rest = fails === NEVER ? where : outside(where, fails);
      arrive(first, rest, registers.with(step.to, result));
    }
    if (depends && !guarded) return undefined;
  }
  return { tests, values, arrivals };
}

/** The second walk. */
function compose(
  steps: readonly Step[],
  { diagram, leaf }: Symbols,
  { tests, values, arrivals }: Findings,
): Node {
  const { choose } = diagram;
  /** Functions by instruction, down to where paths meet. */
  const functions = new Map<number, Node>();
  /** Leaves that stand for what follows a meeting of paths, and what that is. */
  const meetings = new Map<Node, Node>();

  function complete(f: Node): Node {
    let result = f;
    for (const stand of leavesOf(diagram, f)) {
      const rest = meetings.get(stand);
      if (rest === undefined) continue;
      const where = diagram.apply(
        f,
        f,
        (at) => at === stand ? ALWAYS : NEVER,
      );
      result = choose(where, rest, result);
    }
    return result;
  }

  for (const [pc, step] of [...steps.entries()].reverse()) {
    const test = tests.get(pc) ?? NEVER;
    const value = values.get(pc);
    const [first = NEVER, second = NEVER] = step.next.map((next) =>
      functions.get(next) ?? NEVER
    );
    if (!arrivals.has(pc)) continue;
    let f = first;
    if (value !== undefined) f = leaf(value);
    else if (step.kind === "test") f = choose(test, first, second);
    else if (step.kind === "compute") {
      f = choose(test, leaf(constant(0)), first);
    }
    if ((arrivals.get(pc) ?? 0) > 1 && diagram.level(f) !== CONSTANT_LEVEL) {
      const stand = diagram.leaf();
      meetings.set(stand, complete(f));
      f = stand;
    }
    functions.set(pc, f);
  }
  return complete(functions.get(0) ?? NEVER);
}

function leavesOf(diagram: Diagram, f: Node): ReadonlySet<Node> {
  const seen = new Set([f]);
  const leaves = new Set<Node>();
  for (const node of seen) {
    const level = diagram.level(node);
    if (level === CONSTANT_LEVEL) leaves.add(node);
    else {
      seen.add(diagram.lowOf(node, level)).add(diagram.highOf(node, level));
    }
  }
  return leaves;
}
