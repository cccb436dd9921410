/**
 * Arithmetic of u32 on symbols: a word is 32 boolean functions of the input, so
 * constants fold by themselves, what keeps bits apart (masks, xor, shifts by a
 * constant) costs nothing, and carries are functions like any other. All of it
 * is exact.
 *
 * @module
 */

import { ALWAYS, type Diagram, NEVER, type Node } from "./diagram.ts";

/** A word; element `i` is its bit of weight 2^i. */
export type Word = readonly Node[];

/** Bits of a word. */
export const WORD_BITS = 32;

/**
 * Operations of the machine on two words, by the names of their opcodes. The
 * distance of a shift is taken modulo 32.
 */
export type BinaryOp =
  | ("add" | "sub" | "mul" | "div" | "and" | "or" | "xor")
  | ("lsh" | "rsh");

/** All of them. */
export const BINARY_OPS: readonly BinaryOp[] = [
  ...["add", "sub", "mul", "div", "and", "or", "xor", "lsh", "rsh"] as const,
];

/** Tests of the machine, unsigned, by the names of their opcodes. */
export type CompareOp = "jeq" | "jgt" | "jge" | "jset";

/**
 * May give a word that stands for a product or quotient, always the same for
 * the same operands; `undefined` asks to compute it.
 */
export type Stand = (
  op: "mul" | "div",
  a: Word,
  b: Word,
) => Word | undefined;

/** Gives the word that is a number everywhere. */
export function constant(k: number): Word {
  return Array.from(
    { length: WORD_BITS },
    (_, i) => (k >>> i) & 1 ? ALWAYS : NEVER,
  );
}

/** Gives the word that is `a` where `f` holds, elsewhere `b`. */
export function select(d: Diagram, f: Node, a: Word, b: Word): Word {
  return bitwise(a, b, (g, h) => d.choose(f, g, h));
}

/** Tells where a test holds. */
export function compare(d: Diagram, op: CompareOp, a: Word, b: Word): Node {
  switch (op) {
    case "jeq":
      return fold(
        a,
        b,
        ALWAYS,
        (f, g, equal) => d.choose(f, d.and(g, equal), d.except(equal, g)),
      );
    case "jgt":
      return greater(d, a, b, NEVER);
    case "jge":
      return greater(d, a, b, ALWAYS);
    case "jset":
      return fold(a, b, NEVER, (f, g, set) => d.or(d.and(f, g), set));
  }
}

/** Computes modulo 2^32; what a division by 0 gives is of no meaning. */
export function compute(
  d: Diagram,
  op: BinaryOp,
  a: Word,
  b: Word,
  stand: Stand,
): Word {
  switch (op) {
    case "add":
      return add(d, a, b, NEVER);
    case "sub":
      return add(d, a, b.map(d.not), ALWAYS);
    case "mul": {
      // A constant second.
      const [f, g] = isConstant(a) ? [b, a] : [a, b];
      return stand(op, f, g) ?? multiply(d, f, g);
    }
    case "div":
      return stand(op, a, b) ?? divide(d, a, b);
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

/** Masks a word with a constant. */
export function mask(a: Word, k: number): Word {
  return a.map((f, i) => (k >>> i) & 1 ? f : NEVER);
}

function bitwise(a: Word, b: Word, apply: (f: Node, g: Node) => Node): Word {
  return a.map((f, i) => apply(f, b[i] ?? NEVER));
}

/** Goes over the pairs of bits, the lowest first. */
function fold(
  a: Word,
  b: Word,
  start: Node,
  next: (f: Node, g: Node, before: Node) => Node,
): Node {
  let result = start;
  for (const [i, f] of a.entries()) result = next(f, b[i] ?? NEVER, result);
  return result;
}

/** Tells where a > b, and where both are equal `equal`. */
function greater(d: Diagram, a: Word, b: Word, equal: Node): Node {
  return fold(
    a,
    b,
    equal,
    (f, g, lower) =>
      d.choose(f, d.choose(g, lower, ALWAYS), d.except(lower, g)),
  );
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

/** Moves by each power of two in turn where that bit of `b` is set. */
function shiftBy(d: Diagram, a: Word, b: Word, direction: 1 | -1): Word {
  let result = a;
  for (const [i, f] of b.slice(0, 5).entries()) {
    result = select(d, f, shift(result, direction << i), result);
  }
  return result;
}

/** Adds `a` for each bit of `b`. */
function multiply(d: Diagram, a: Word, b: Word): Word {
  let sum = constant(0);
  for (const [i, f] of b.entries()) {
    if (f === NEVER) continue;
    sum = add(d, sum, shift(a, i).map((g) => d.and(f, g)), NEVER);
  }
  return sum;
}

/** Long division, the highest bit first. */
function divide(d: Diagram, a: Word, b: Word): Word {
  if (isShift(b)) return shift(a, -b.indexOf(ALWAYS));
  const quotient = [...constant(0)];
  let rest = constant(0);
  for (let i = WORD_BITS - 1; i >= 0; i--) {
    // No more than the bits of `a` so far, so the highest bit shifted out is 0.
    rest = [a[i] ?? NEVER, ...rest.slice(0, -1)];
    const fits = greater(d, rest, b, ALWAYS);
    quotient[i] = fits;
    rest = select(d, fits, add(d, rest, b.map(d.not), ALWAYS), rest);
  }
  return quotient;
}

/** Whether a word is a number. */
export function isConstant(word: Word): boolean {
  return word.every((f) => f <= ALWAYS);
}

/** Whether a word is a power of two, by which products and quotients are shifts. */
export function isShift(word: Word): boolean {
  return isConstant(word) && word.filter((f) => f === ALWAYS).length === 1;
}
