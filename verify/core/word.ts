/**
 * Arithmetic of u32 on symbols: a word is 32 boolean functions of the input. So
 * constants fold automatically, bitwise operations (masks, xor, shifts by a
 * constant) are cheap, and carries are ordinary functions. All operations are
 * exact.
 *
 * @module
 */

import { ALWAYS, type Diagram, NEVER, type Node } from "./diagram.ts";

/** A word; element `i` is its bit of weight 2^i. */
export type Word = readonly Node[];

/** Number of bits of a word. */
export const WORD_BITS = 32;

/**
 * Operations of the machine, by the names of their opcodes. The distance of a
 * shift is taken modulo 32; `neg` takes the first word only.
 */
export type AluOp =
  | ("add" | "sub" | "mul" | "div" | "and" | "or" | "xor")
  | ("lsh" | "rsh" | "neg");

/** All of them. */
export const ALU_OPS: readonly AluOp[] = [
  ...["add", "sub", "mul", "div", "and", "or", "xor"] as const,
  ...["lsh", "rsh", "neg"] as const,
];

/** Tests of the machine, unsigned, by the names of their opcodes. */
export type CompareOp = "jeq" | "jgt" | "jge" | "jset";

/** Returns a constant word. */
export function constant(k: number): Word {
  const word: Node[] = [];
  for (let i = 0; i < WORD_BITS; i++) word.push((k >>> i) & 1 ? ALWAYS : NEVER);
  return word;
}

/** Returns the word that is `a` if `f` is true, otherwise `b`. */
export function selectWord(d: Diagram, f: Node, a: Word, b: Word): Word {
  return bitwise(a, b, (g, h) => d.choose(f, g, h));
}

/**
 * Finds the inputs on which a test succeeds: bit by bit, higher bits overriding
 * lower ones.
 */
export function compare(d: Diagram, op: CompareOp, a: Word, b: Word): Node {
  let lower = op === "jeq" || op === "jge" ? ALWAYS : NEVER;
  for (let i = 0; i < WORD_BITS; i++) {
    const f = a[i] as Node;
    const g = b[i] as Node;
    if (op === "jset") lower = d.choose(f, d.or(g, lower), lower);
    else {
      const above = op === "jeq" ? d.and(g, lower) : d.choose(g, lower, ALWAYS);
      lower = d.choose(f, above, d.except(lower, g));
    }
  }
  return lower;
}

/** Computes modulo 2^32; the result of a division by 0 is meaningless. */
export function compute(d: Diagram, op: AluOp, a: Word, b: Word): Word {
  switch (op) {
    case "add":
      return add(d, a, b, NEVER);
    case "sub":
      return add(d, a, b.map(d.not), ALWAYS);
    case "neg":
      return add(d, constant(0), a.map(d.not), ALWAYS);
    case "mul":
      return multiply(d, a, b);
    case "div":
      return divide(d, a, b);
    case "and":
      return bitwise(a, b, d.and);
    case "or":
      return bitwise(a, b, d.or);
    case "xor":
      return bitwise(a, b, (f, g) => d.choose(f, d.not(g), g));
    case "lsh":
      return shiftBy(d, a, b, 1);
    case "rsh":
      return shiftBy(d, a, b, -1);
  }
}

function bitwise(a: Word, b: Word, apply: (f: Node, g: Node) => Node): Word {
  return a.map((f, i) => apply(f, b[i] ?? NEVER));
}

function add(d: Diagram, a: Word, b: Word, carry: Node): Word {
  return bitwise(a, b, (f, g) => {
    const differ = d.choose(f, d.not(g), g);
    const sum = d.choose(differ, d.not(carry), carry);
    carry = d.choose(differ, carry, f);
    return sum;
  });
}

/** Moves bits up by `distance`, which may be negative; zeros move in. */
function shift(a: Word, distance: number): Word {
  return a.map((_, i) => a[i - distance] ?? NEVER);
}

/** Moves by each power of two in turn if that bit of `b` is set. */
function shiftBy(d: Diagram, a: Word, b: Word, direction: 1 | -1): Word {
  let result = a;
  for (const [i, f] of b.slice(0, 5).entries()) {
    result = selectWord(d, f, shift(result, direction << i), result);
  }
  return result;
}

/** Adds `a` for each bit of `b`. */
function multiply(d: Diagram, a: Word, b: Word): Word {
  let sum = constant(0);
  for (const [i, f] of b.entries()) {
    sum = add(d, sum, shift(a, i).map((g) => d.and(f, g)), NEVER);
  }
  return sum;
}

/** Long division, the highest bit first. */
function divide(d: Diagram, a: Word, b: Word): Word {
  const quotient: Node[] = [];
  let rest = constant(0);
  for (const f of a.toReversed()) {
    // The remainder has at most the bits of `a` so far, so the highest bit
    // shifted out is 0.
    rest = [f, ...rest.slice(0, -1)];
    const fits = compare(d, "jge", rest, b);
    quotient.unshift(fits);
    rest = selectWord(d, fits, compute(d, "sub", rest, b), rest);
  }
  return quotient;
}
