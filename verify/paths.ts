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

import type { Instruction, Program } from "../bpf/instruction.ts";
import { SECCOMP_DATA_SIZE } from "../bpf/seccomp_data.ts";
import { BPF_MEMWORDS } from "../tables/uapi.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  type Diagram,
  NEVER,
  type Node,
} from "./diagram.ts";
import type { BinaryOp, CompareOp, SymbolicWord } from "./symbolic_word.ts";
import type { Symbols } from "./symbols.ts";

/** Registers are numbered: A, X, then the scratch words. */
const A = 0;
const X = 1;
const SCRATCH = 2;
const REGISTERS = SCRATCH + BPF_MEMWORDS;

/** Where an operand comes from. */
type Operand =
  | { readonly kind: "register"; readonly register: number }
  | { readonly kind: "constant"; readonly k: number }
  | { readonly kind: "input"; readonly offset: number };

/** What an instruction does; it reads all of `from` and continues at `next`. */
type Step =
  & { readonly from: readonly Operand[]; readonly next: readonly number[] }
  & (
    | { readonly kind: "copy"; readonly to: number }
    | { readonly kind: "compute"; readonly to: number; readonly op: BinaryOp }
    /** Continues at the first place where it holds, else at the second. */
    | { readonly kind: "test"; readonly op: CompareOp }
    | { readonly kind: "return" | "jump" }
  );

/** What the first walk finds out, by instruction; absent where none arrives. */
interface Findings {
  /** Where a test holds, or where the divisor is 0. */
  readonly tests: Map<number, Node>;
  /** What is returned. */
  readonly values: Map<number, SymbolicWord>;
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
  const steps = program.map(stepOf);
  // Where each instruction runs is seldom needed, and can be large.
  const findings = explore(steps, symbols, false) ??
    explore(steps, symbols, true);
  if (findings === undefined) throw new Error("Unreachable: where paths meet");
  return compose(steps, symbols, findings);
}

function stepOf({ op, jt, jf, k }: Instruction, pc: number): Step {
  const register = (register: number): Operand => ({
    kind: "register",
    register,
  });
  const constant = (k: number): Operand => ({ kind: "constant", k });
  const next = [pc + 1];
  const copy = (to: number, operand: Operand): Step => ({
    kind: "copy",
    to,
    from: [operand],
    next,
  });
  const [name, form] = String(op).split(".");
  const load = name === "ld" ? A : X;
  const from = [register(A), form === "x" ? register(X) : constant(k)];
  switch (name) {
    case "ld":
    case "ldx":
      if (form === "abs") return copy(load, { kind: "input", offset: k });
      if (form === "imm") return copy(load, constant(k));
      if (form === "len") return copy(load, constant(SECCOMP_DATA_SIZE));
      if (form === "mem") return copy(load, register(SCRATCH + k));
      break;
    case "st":
      return copy(SCRATCH + k, register(A));
    case "stx":
      return copy(SCRATCH + k, register(X));
    case "tax":
      return copy(X, register(A));
    case "txa":
      return copy(A, register(X));
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "and":
    case "or":
    case "xor":
    case "lsh":
    case "rsh":
      return { kind: "compute", op: name, to: A, from, next };
    case "neg": {
      const from = [constant(0), register(A)];
      return { kind: "compute", op: "sub", to: A, from, next };
    }
    case "jeq":
    case "jgt":
    case "jge":
    case "jset":
      return { kind: "test", op: name, from, next: [pc + 1 + jt, pc + 1 + jf] };
    case "ja":
      return { kind: "jump", from: [], next: [pc + 1 + k] };
    case "ret": {
      const from = [form === "a" ? register(A) : constant(k)];
      return { kind: "return", from, next: [] };
    }
  }
  throw new Error(`Unreachable: ${op} at ${pc} passed the check`);
}

/**
 * The first walk.
 *
 * @param guarded Whether to know where each instruction runs.
 * @returns The findings; nothing where they depend on that and it is not known.
 */
function explore(
  steps: readonly Step[],
  { input, algebra }: Symbols,
  guarded: boolean,
): Findings | undefined {
  const { and, or, except, select, constant } = algebra;
  const live = liveRegisters(steps);
  const tests = new Map<number, Node>();
  const values = new Map<number, SymbolicWord>();
  const arrivals = new Map<number, number>();
  const states = new Map<
    number,
    { readonly where: Node; readonly registers: readonly SymbolicWord[] }
  >();
  let depends = false;

  function arrive(
    pc: number,
    where: Node,
    registers: readonly SymbolicWord[],
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
      return guarded ? select(where, now, old) : old;
    });
    states.set(pc, {
      where: guarded ? or(before.where, where) : ALWAYS,
      registers: merged,
    });
  }

  /** Part of `where` on which `f` holds, or only whether there may be any. */
  function inside(where: Node, f: Node): Node {
    return guarded ? and(where, f) : f === NEVER ? NEVER : ALWAYS;
  }

  function outside(where: Node, f: Node): Node {
    return guarded ? except(where, f) : f === ALWAYS ? NEVER : ALWAYS;
  }

  const zero = constant(0);
  arrive(0, ALWAYS, Array.from({ length: REGISTERS }, () => zero));
  for (const [pc, step] of steps.entries()) {
    const state = states.get(pc);
    if (state === undefined) continue;
    states.delete(pc);
    const { where, registers } = state;
    const [a = zero, b = zero] = step.from.map((operand) => {
      if (operand.kind === "constant") return constant(operand.k);
      if (operand.kind === "input") return input(operand.offset);
      return registers[operand.register] ?? zero;
    });
    const [first = pc, second = pc] = step.next;
    switch (step.kind) {
      case "copy":
        arrive(first, where, registers.with(step.to, a));
        break;
      case "compute": {
        let rest = where;
        if (step.op === "div") {
          const test = algebra.compare("jeq", b, zero);
          tests.set(pc, test);
          rest = outside(where, test);
          if (rest === NEVER) break;
        }
        const result = algebra.binary(step.op, a, b);
        arrive(first, rest, registers.with(step.to, result));
        break;
      }
      case "test": {
        const test = algebra.compare(step.op, a, b);
        tests.set(pc, test);
        arrive(first, inside(where, test), registers);
        arrive(second, outside(where, test), registers);
        break;
      }
      case "jump":
        arrive(first, where, registers);
        break;
      case "return":
        values.set(pc, a);
        break;
    }
    if (depends && !guarded) return undefined;
  }
  return { tests, values, arrivals };
}

/**
 * Tells for each instruction which registers it or a later one may read before
 * writing them: one bit each.
 */
function liveRegisters(steps: readonly Step[]): Uint32Array {
  const live = new Uint32Array(steps.length);
  for (const [pc, step] of [...steps.entries()].reverse()) {
    let registers = 0;
    for (const next of step.next) registers |= live[next] ?? 0;
    if (step.kind === "copy" || step.kind === "compute") {
      registers &= ~(1 << step.to);
    }
    for (const operand of step.from) {
      if (operand.kind === "register") registers |= 1 << operand.register;
    }
    live[pc] = registers;
  }
  return live;
}

/** The second walk. */
function compose(
  steps: readonly Step[],
  { diagram, algebra, leaf }: Symbols,
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
      f = choose(test, leaf(algebra.constant(0)), first);
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
      seen.add(diagram.cofactor(node, level, false));
      seen.add(diagram.cofactor(node, level, true));
    }
  }
  return leaves;
}
