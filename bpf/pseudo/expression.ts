/**
 * Values of registers as expressions of the input.
 *
 * @module
 */

import { BPF_MEMWORDS } from "../../tables/uapi.ts";
import type { Instruction, Program } from "../instruction.ts";
import { isConditionalJump } from "../opcode.ts";
import { ARCH_OFFSET, NR_OFFSET, SECCOMP_DATA_SIZE } from "../seccomp_data.ts";

/** A value. */
export type Expression =
  | { readonly kind: "word"; readonly offset: number; readonly key: string }
  | { readonly kind: "constant"; readonly value: number; readonly key: string }
  | {
    readonly kind: "operation";
    readonly sign: string;
    readonly left: Expression;
    readonly right: Expression;
    readonly key: string;
  }
  | { readonly kind: "register"; readonly name: string; readonly key: string };

/** Facts that are known before an instruction, on all paths to it. */
export interface Facts {
  readonly a: Expression;
  readonly x: Expression;
  readonly scratch: readonly Expression[];
  /** Value of `arch`, if it is known. */
  readonly arch: number | undefined;
  /** Value of `nr`, if it is known. */
  readonly nr: number | undefined;
}

/** Signs of the arithmetic operations. */
const SIGNS: ReadonlyMap<string, string> = new Map([
  ["add", "+"],
  ["sub", "-"],
  ["mul", "*"],
  ["div", "/"],
  ["mod", "%"],
  ["and", "&"],
  ["or", "|"],
  ["xor", "^"],
  ["lsh", "<<"],
  ["rsh", ">>"],
]);

/** A mask without effect. */
const ALL_BITS = 0xffff_ffff;

/**
 * Maximum length of the key of an expression; a longer one stays a register.
 */
const MAX_KEY = 160;

/** Returns a constant. */
export function constantOf(value: number): Expression {
  return { kind: "constant", value, key: `#${value}` };
}

/** Returns a register whose value is not known as an expression. */
function register(name: string): Expression {
  return { kind: "register", name, key: name };
}

/**
 * Follows the registers through a program.
 *
 * @param program A program that the kernel accepts.
 * @returns The facts before each instruction; `undefined` for unreachable ones.
 */
export function followValues(
  program: Program,
): readonly (Facts | undefined)[] {
  const before: (Facts | undefined)[] = new Array(program.length);
  const arrive = (pc: number, facts: Facts): void => {
    const other = before[pc];
    before[pc] = other === undefined ? facts : join(other, facts);
  };
  const zero = constantOf(0);
  const scratch = Array.from(
    { length: BPF_MEMWORDS },
    (_, i) => register(`M[${i}]`),
  );
  arrive(0, { a: zero, x: zero, scratch, arch: undefined, nr: undefined });
  for (const [pc, instruction] of program.entries()) {
    const facts = before[pc];
    if (facts === undefined) continue;
    const { op, jt, jf, k } = instruction;
    if (isConditionalJump(op)) {
      arrive(pc + 1 + jt, op === "jeq.k" ? narrow(facts, k) : facts);
      arrive(pc + 1 + jf, facts);
    } else if (op === "ja") arrive(pc + 1 + k, facts);
    else if (op !== "ret.k" && op !== "ret.a") {
      arrive(pc + 1, execute(facts, instruction));
    }
  }
  return before;
}

/**
 * Finds the value that an instruction writes, and its destination.
 *
 * @param facts The facts before it.
 * @param instruction An instruction that writes a register or scratch word.
 */
export function writtenBy(
  { a, x, scratch }: Facts,
  { op, k }: Instruction,
): { readonly to: string; readonly value: Expression } {
  const word = (index: number): Expression =>
    scratch[index] ?? register(`M[${index}]`);
  switch (op) {
    case "ld.abs":
      return { to: "A", value: { kind: "word", offset: k, key: `[${k}]` } };
    case "ld.imm":
      return { to: "A", value: constantOf(k) };
    case "ld.len":
      return { to: "A", value: constantOf(SECCOMP_DATA_SIZE) };
    case "ld.mem":
      return { to: "A", value: word(k) };
    case "ldx.imm":
      return { to: "X", value: constantOf(k) };
    case "ldx.len":
      return { to: "X", value: constantOf(SECCOMP_DATA_SIZE) };
    case "ldx.mem":
      return { to: "X", value: word(k) };
    case "tax":
      return { to: "X", value: a };
    case "txa":
      return { to: "A", value: x };
    case "st":
      return { to: `M[${k}]`, value: a };
    case "stx":
      return { to: `M[${k}]`, value: x };
    case "neg":
      return { to: "A", value: operation("-", constantOf(0), a) };
    default: {
      const [name = "", form] = String(op).split(".");
      const sign = SIGNS.get(name) ?? "?";
      return {
        to: "A",
        value: operation(sign, a, form === "x" ? x : constantOf(k)),
      };
    }
  }
}

/** Reports whether a value is not known as an expression of the input. */
export function dependsOnRegister({ key }: Expression): boolean {
  return /[AXM]/.test(key);
}

function execute(facts: Facts, instruction: Instruction): Facts {
  const { to, value } = writtenBy(facts, instruction);
  // A register in an expression has its value from before the assignment.
  const kept = value.key.length > MAX_KEY || dependsOnRegister(value)
    ? register(to)
    : value;
  if (to === "A") return { ...facts, a: kept };
  if (to === "X") return { ...facts, x: kept };
  return { ...facts, scratch: facts.scratch.with(instruction.k, kept) };
}

function operation(
  sign: string,
  left: Expression,
  right: Expression,
): Expression {
  if (sign === "&" && right.kind === "constant") {
    if (right.value === ALL_BITS) return left;
    if (right.value === 0) return right;
  }
  const key = `(${left.key}${sign}${right.key})`;
  return { kind: "operation", sign, left, right, key };
}

/** A test for equality that succeeded. */
function narrow(facts: Facts, k: number): Facts {
  const { a } = facts;
  if (a.kind !== "word") return facts;
  if (a.offset === ARCH_OFFSET) return { ...facts, arch: k };
  return a.offset === NR_OFFSET ? { ...facts, nr: k } : facts;
}

/** Keeps the facts on which both paths agree. */
function join(one: Facts, other: Facts): Facts {
  const same = (a: Expression, b: Expression, name: string): Expression =>
    a.key === b.key ? a : register(name);
  return {
    a: same(one.a, other.a, "A"),
    x: same(one.x, other.x, "X"),
    scratch: one.scratch.map((word, i) =>
      same(word, other.scratch[i] ?? word, `M[${i}]`)
    ),
    arch: one.arch === other.arch ? one.arch : undefined,
    nr: one.nr === other.nr ? one.nr : undefined,
  };
}
