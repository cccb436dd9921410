/**
 * A piece of an existing program: the remainder once the architecture and the
 * number are known. Instructions that cannot run are removed, and so are those
 * whose result is never read; the others are moved, but never rewritten.
 *
 * ```text
 * ld [4]; jeq #ARCH, 0, 9; ld [0]; jeq #10, 0, 5; ld [16]; add #1; jeq #8, …
 * at nr 10:                                       ld [16]; add #1; jeq #8, …
 * ```
 *
 * A piece starts with any value in A, and with X and the scratch words as 0.
 *
 * @module
 */

import type { Instruction, Program } from "../bpf/instruction.ts";
import { isConditionalJump } from "../bpf/opcode.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import { BPF_MEMWORDS } from "../tables/uapi.ts";

/** Values of a word, both ends included. */
interface Range {
  readonly first: number;
  readonly last: number;
}

/** The inputs for which a piece is valid. */
export interface PieceInputs {
  /** Values of `arch`. */
  readonly arch: Range;
  /** Values of `nr`. */
  readonly nr: Range;
}

const FULL = 0xffff_ffff;
const ZERO: Range = { first: 0, last: 0 };
const ANY: Range = { first: 0, last: FULL };

/** Possible values of A, X and the scratch words. */
type Registers = readonly Range[];

const A = 0;
const X = 1;
const SCRATCH = 2;

/**
 * Extracts a piece from a program.
 *
 * @param program A program that the kernel accepts.
 * @param inputs Architecture and number.
 * @returns The piece, which gives the program's answers to these inputs.
 */
export function pieceOf(program: Program, inputs: PieceInputs): Program {
  const live = reached(program, inputs);
  const kept = dropUnread(live);
  return relink(kept);
}

/** Operations that compute a word. */
const COMPUTING = /^(?:add|sub|mul|div|mod|or|xor|lsh|rsh|neg|ret\.a)/;

/**
 * Finds the first instruction that computes a word which may be the answer, or
 * be tested.
 *
 * @param program A program that the kernel accepts.
 * @param inputs Architecture and number.
 * @returns Its index; `undefined` if none runs on these inputs.
 */
export function computingAt(
  program: Program,
  inputs: PieceInputs,
): number | undefined {
  const at = reached(program, inputs).findIndex((kept) =>
    kept !== undefined && COMPUTING.test(String(kept.instruction.op))
  );
  return at < 0 ? undefined : at;
}

/** An instruction of the piece; targets are indices in the original program. */
interface Kept {
  readonly instruction: Instruction;
  /** Successors: none, the next instruction, or the two sides of a test. */
  readonly next: readonly number[];
}

/**
 * Follows the program on the inputs and omits instructions that cannot run.
 */
function reached(
  program: Program,
  inputs: PieceInputs,
): (Kept | undefined)[] {
  const before: (Registers | undefined)[] = new Array(program.length);
  const kept: (Kept | undefined)[] = new Array(program.length).fill(undefined);
  const arrive = (pc: number, registers: Registers): void => {
    const other = before[pc];
    before[pc] = other === undefined
      ? registers
      : registers.map((range, i) => hull(range, other[i] ?? ANY));
  };
  arrive(0, new Array(SCRATCH + BPF_MEMWORDS).fill(ZERO));
  for (const [pc, instruction] of program.entries()) {
    const registers = before[pc];
    if (registers === undefined) continue;
    const next = nextOf(instruction, pc, registers);
    const after = registersAfter(instruction, registers, inputs);
    for (const to of next) arrive(to, after);
    kept[pc] = { instruction, next };
  }
  return kept;
}

function hull(a: Range, b: Range): Range {
  return {
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
  };
}

/** Successors of an instruction, given the possible values of the registers. */
function nextOf(
  { op, jt, jf, k }: Instruction,
  pc: number,
  registers: Registers,
): readonly number[] {
  if (op === "ret.k" || op === "ret.a") return [];
  if (op === "ja") return [pc + 1 + k];
  if (!isConditionalJump(op)) return [pc + 1];
  const [yes, no] = [pc + 1 + jt, pc + 1 + jf];
  const operand = String(op).endsWith(".x")
    ? registers[X] ?? ANY
    : { first: k, last: k };
  const holds = decide(op, registers[A] ?? ANY, operand);
  if (holds === undefined && yes !== no) return [yes, no];
  return [holds === false ? no : yes];
}

/**
 * Result of a test that is the same for all values; `undefined` if it varies.
 */
function decide(
  op: Instruction["op"],
  a: Range,
  b: Range,
): boolean | undefined {
  const isOne = a.first === a.last && b.first === b.last;
  switch (String(op).split(".")[0]) {
    case "jeq":
      if (a.last < b.first || b.last < a.first) return false;
      return isOne ? true : undefined;
    case "jgt":
      if (a.first > b.last) return true;
      return a.last <= b.first ? false : undefined;
    case "jge":
      if (a.first >= b.last) return true;
      return a.last < b.first ? false : undefined;
    default:
      return isOne ? (a.first & b.first) !== 0 : undefined;
  }
}

function registersAfter(
  { op, k }: Instruction,
  registers: Registers,
  { arch, nr }: PieceInputs,
): Registers {
  const put = (at: number, range: Range): Registers =>
    registers.with(at, range);
  const held = (at: number): Range => registers[at] ?? ANY;
  switch (op) {
    case "ld.abs":
      if (k === ARCH_OFFSET) return put(A, arch);
      return put(A, k === NR_OFFSET ? nr : ANY);
    case "ld.imm":
      return put(A, { first: k, last: k });
    case "ld.mem":
      return put(A, held(SCRATCH + k));
    case "ldx.imm":
      return put(X, { first: k, last: k });
    case "ldx.mem":
      return put(X, held(SCRATCH + k));
    case "ldx.len":
      return put(X, ANY);
    case "st":
      return put(SCRATCH + k, held(A));
    case "stx":
      return put(SCRATCH + k, held(X));
    case "tax":
      return put(X, held(A));
    case "txa":
      return put(A, held(X));
    case "ja":
      return registers;
    default:
      if (isConditionalJump(op) || String(op).startsWith("ret")) {
        return registers;
      }
      return put(A, ANY);
  }
}

/** Registers that an instruction reads and writes. */
function usesOf(
  { op, k }: Instruction,
  isTest: boolean,
): { readonly reads: readonly number[]; readonly writes?: number } {
  const [name = "", form] = String(op).split(".");
  const operand = form === "x" ? [X] : [];
  switch (name) {
    case "ld":
      return { reads: form === "mem" ? [SCRATCH + k] : [], writes: A };
    case "ldx":
      return { reads: form === "mem" ? [SCRATCH + k] : [], writes: X };
    case "st":
      return { reads: [A], writes: SCRATCH + k };
    case "stx":
      return { reads: [X], writes: SCRATCH + k };
    case "tax":
      return { reads: [A], writes: X };
    case "txa":
      return { reads: [X], writes: A };
    case "ja":
      return { reads: [] };
    case "ret":
      return { reads: form === "a" ? [A] : [] };
    case "neg":
      return { reads: [A], writes: A };
    case "jeq":
    case "jgt":
    case "jge":
    case "jset":
      return { reads: isTest ? [A, ...operand] : [] };
    default:
      return { reads: [A, ...operand], writes: A };
  }
}

/**
 * Removes instructions that write a register that is never read; loads 0 into A
 * if A is read first.
 */
function dropUnread(kept: readonly (Kept | undefined)[]): (Kept | undefined)[] {
  const result = [...kept];
  const liveAfter: Set<number>[] = [];
  const live: Set<number>[] = [];
  for (let pc = kept.length - 1; pc >= 0; pc--) {
    const at = kept[pc];
    if (at === undefined) continue;
    const after = new Set(at.next.flatMap((to) => [...live[to] ?? []]));
    liveAfter[pc] = after;
    const { reads, writes } = usesOf(at.instruction, at.next.length === 2);
    // A division by an X of 0 returns, so it always has an effect.
    const acts = /^(?:div|mod)\.x$/.test(String(at.instruction.op));
    if (writes !== undefined && !after.has(writes) && !acts) {
      result[pc] = { instruction: NOTHING, next: at.next };
      live[pc] = after;
      continue;
    }
    const before = new Set(after);
    if (writes !== undefined) before.delete(writes);
    for (const register of reads) before.add(register);
    live[pc] = before;
  }
  const start = kept.findIndex((at) => at !== undefined);
  if (live[start]?.has(A) !== true) return result;
  const clear: Kept = {
    instruction: { op: "ld.imm", jt: 0, jf: 0, k: 0 },
    next: [1],
  };
  return [
    clear,
    ...result.map((at) => at && { ...at, next: at.next.map((to) => to + 1) }),
  ];
}

/** Continues with the next one; never emitted. */
const NOTHING: Instruction = { op: "ja", jt: 0, jf: 0, k: 0 };

/** Puts the instructions one after the other and adjusts their distances. */
function relink(kept: readonly (Kept | undefined)[]): Program {
  /** The first emitted instruction on the way from an index. */
  const emits = (pc: number, at: Kept): boolean => {
    if (at.next.length === 2 || at.next.length === 0) return true;
    if (
      at.instruction.op !== "ja" && !isConditionalJump(at.instruction.op)
    ) return true;
    return nextKept(pc) !== target(at.next[0] ?? pc);
  };
  const nextKept = (pc: number): number => {
    for (let at = pc + 1; at < kept.length; at++) {
      const found = kept[at];
      if (found !== undefined) return isPassed(found) ? target(at) : at;
    }
    return kept.length;
  };
  const isPassed = (at: Kept): boolean =>
    at.next.length === 1 &&
    (at.instruction.op === "ja" || isConditionalJump(at.instruction.op));
  const target = (pc: number): number => {
    let to = pc;
    for (let at = kept[to]; at !== undefined && isPassed(at); at = kept[to]) {
      to = at.next[0] ?? to;
    }
    return to;
  };
  const places = new Map<number, number>();
  let length = 0;
  for (const [pc, at] of kept.entries()) {
    if (at === undefined) continue;
    places.set(pc, length);
    if (emits(pc, at)) length++;
  }
  const out: Instruction[] = [];
  for (const [pc, at] of kept.entries()) {
    if (at === undefined || !emits(pc, at)) continue;
    const { instruction, next } = at;
    const here = out.length;
    const distance = (to: number): number =>
      (places.get(target(to)) ?? length) - here - 1;
    if (next.length === 2) {
      const [yes = 0, no = 0] = next;
      out.push({ ...instruction, jt: distance(yes), jf: distance(no) });
    } else if (isPassed(at)) {
      out.push({ op: "ja", jt: 0, jf: 0, k: distance(next[0] ?? pc) });
    } else out.push(instruction);
  }
  return out;
}
