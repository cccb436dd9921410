/**
 * Instructions as what they do: which registers and words they read, what they
 * write, and where they continue.
 *
 * @module
 */

import type { Instruction } from "../bpf/instruction.ts";
import { SECCOMP_DATA_SIZE } from "../bpf/seccomp_data.ts";
import { BPF_MEMWORDS } from "../tables/uapi.ts";
import {
  BINARY_OPS,
  type BinaryOp,
  type CompareOp,
  constant,
  type Word,
} from "./word.ts";

/** Registers are numbered: A, X, then the scratch words. */
const A = 0;
const X = 1;
const SCRATCH = 2;
/** How many there are. */
export const REGISTERS: number = SCRATCH + BPF_MEMWORDS;

/** An operand: a register by its number, or a word. */
type Operand = number | Word;

/** What an instruction does; it reads all of `from` and continues at `next`. */
export type Step =
  & { readonly from: readonly Operand[]; readonly next: readonly number[] }
  & (
    | { readonly kind: "copy"; readonly to: number }
    | { readonly kind: "compute"; readonly to: number; readonly op: BinaryOp }
    /** Continues at the first place where it holds, else at the second. */
    | { readonly kind: "test"; readonly op: CompareOp }
    | { readonly kind: "return" }
    | { readonly kind: "jump" }
  );

/**
 * Reads an instruction.
 *
 * @param instruction An instruction that `check` accepts.
 * @param pc Its index.
 * @param input Gives the word at a byte offset of the input.
 * @returns What it does.
 */
export function stepOf(
  { op, jt, jf, k }: Instruction,
  pc: number,
  input: (offset: number) => Word,
): Step {
  const [name, form] = String(op).split(".");
  const next = [pc + 1];
  const copy = (to: number, operand: Operand): Step => ({
    kind: "copy",
    to,
    from: [operand],
    next,
  });
  const second = form === "x" ? X : constant(k);
  const from = [A, second];
  switch (name) {
    case "ld":
    case "ldx": {
      const to = name === "ld" ? A : X;
      if (form === "abs") return copy(to, input(k));
      if (form === "len") return copy(to, constant(SECCOMP_DATA_SIZE));
      return copy(to, form === "mem" ? SCRATCH + k : second);
    }
    case "st":
      return copy(SCRATCH + k, A);
    case "stx":
      return copy(SCRATCH + k, X);
    case "tax":
      return copy(X, A);
    case "txa":
      return copy(A, X);
    case "neg":
      return {
        kind: "compute",
        op: "sub",
        to: A,
        from: [constant(0), A],
        next,
      };
    case "jeq":
    case "jgt":
    case "jge":
    case "jset":
      return { kind: "test", op: name, from, next: [pc + 1 + jt, pc + 1 + jf] };
    case "ja":
      return { kind: "jump", from: [], next: [pc + 1 + k] };
    case "ret":
      return { kind: "return", from: [form === "a" ? A : second], next: [] };
  }
  const binary = BINARY_OPS.find((known) => known === name);
  if (binary !== undefined) {
    return { kind: "compute", op: binary, to: A, from, next };
  }
  throw new Error(`Unreachable: ${op} at ${pc} passed the check`);
}

/**
 * Tells for each instruction which registers it or a later one may read before
 * writing them: one bit each.
 *
 * @param steps The program.
 * @returns Registers by instruction.
 */
export function liveRegisters(steps: readonly Step[]): Uint32Array {
  const live = new Uint32Array(steps.length);
  for (const [pc, step] of [...steps.entries()].reverse()) {
    let registers = 0;
    for (const next of step.next) registers |= live[next] ?? 0;
    if (step.kind === "copy" || step.kind === "compute") {
      registers &= ~(1 << step.to);
    }
    for (const operand of step.from) {
      if (typeof operand === "number") registers |= 1 << operand;
    }
    live[pc] = registers;
  }
  return live;
}
