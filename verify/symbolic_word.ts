/**
 * Arithmetic of u32 on symbols: a word is 32 functions of the input's bits, so
 * what is a constant folds by itself, what keeps bits apart (masks, shifts by a
 * constant, xor) costs nothing, and carries are functions like any other. All
 * of it is exact.
 *
 * Only products and quotients that are no shifts grow out of hand. For those,
 * `Opaque` may put fresh variables, the same for the same operands, in place of
 * the result.
 *
 * @module
 */

import { ALWAYS, type Diagram, NEVER, type Node } from "./diagram.ts";

/** A word; element `i` is its bit of weight 2^i. */
export type SymbolicWord = readonly Node[];

/** Bits of a word. */
export const WORD_BITS = 32;

/** Stands in for an operation's result; `undefined` asks to compute it. */
export type Opaque = (
  op: "mul" | "div",
  a: SymbolicWord,
  b: SymbolicWord,
) => SymbolicWord | undefined;

/** What can be done with words of one diagram. Names are those of the opcodes. */
export interface WordAlgebra {
  constant(k: number): SymbolicWord;
  not(f: Node): Node;
  and(f: Node, g: Node): Node;
  or(f: Node, g: Node): Node;
  /** Where `f` holds and `g` does not. */
  except(f: Node, g: Node): Node;
  /** Where `f` holds `a`, elsewhere `b`. */
  select(f: Node, a: SymbolicWord, b: SymbolicWord): SymbolicWord;
  binary(op: BinaryOp, a: SymbolicWord, b: SymbolicWord): SymbolicWord;
  compare(op: CompareOp, a: SymbolicWord, b: SymbolicWord): Node;
}

/** Arithmetic of the machine, modulo 2^32. */
export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  /** The divisor must not be 0 where the result is used. */
  | "div"
  | "and"
  | "or"
  | "xor"
  /** The distance is taken modulo 32. */
  | "lsh"
  | "rsh";

/** Tests of the machine, unsigned. */
export type CompareOp = "jeq" | "jgt" | "jge" | "jset";

/**
 * Makes the algebra of a diagram.
 *
 * @param diagram Where functions live.
 * @param opaque What may stand in for products and quotients.
 * @returns The operations.
 */
export function createWordAlgebra(
  diagram: Diagram,
  opaque: Opaque,
): WordAlgebra {
  const { choose } = diagram;
  const not = (f: Node): Node => choose(f, NEVER, ALWAYS);
  const and = (f: Node, g: Node): Node => choose(f, g, NEVER);
  const or = (f: Node, g: Node): Node => choose(f, ALWAYS, g);
  const except = (f: Node, g: Node): Node => choose(g, NEVER, f);
  const xor = (f: Node, g: Node): Node => choose(f, not(g), g);
  const zero = constant(0);

  function constant(k: number): SymbolicWord {
    return Array.from(
      { length: WORD_BITS },
      (_, i) => (k >>> i) & 1 ? ALWAYS : NEVER,
    );
  }

  /** Applies a function to each pair of bits. */
  function bitwise(
    a: SymbolicWord,
    b: SymbolicWord,
    apply: (f: Node, g: Node) => Node,
  ): SymbolicWord {
    return a.map((f, i) => apply(f, bit(b, i)));
  }

  function select(f: Node, a: SymbolicWord, b: SymbolicWord): SymbolicWord {
    return a === b ? a : bitwise(a, b, (g, h) => choose(f, g, h));
  }

  /** a + b + carry */
  function add(a: SymbolicWord, b: SymbolicWord, carry: Node): SymbolicWord {
    return bitwise(a, b, (f, g) => {
      const differ = xor(f, g);
      const sum = xor(differ, carry);
      carry = choose(differ, carry, f);
      return sum;
    });
  }

  function subtract(a: SymbolicWord, b: SymbolicWord): SymbolicWord {
    return add(a, b.map(not), ALWAYS);
  }

  /** Moves bits up by `distance`, which may be negative; zeros move in. */
  function shift(a: SymbolicWord, distance: number): SymbolicWord {
    return a.map((_, i) => bit(a, i - distance));
  }

  /** Moves by each power of two in turn where that bit of `b` is set. */
  function shiftBy(
    a: SymbolicWord,
    b: SymbolicWord,
    direction: 1 | -1,
  ): SymbolicWord {
    let result = a;
    for (let i = 0; i < 5; i++) {
      result = select(bit(b, i), shift(result, direction << i), result);
    }
    return result;
  }

  function multiply(a: SymbolicWord, b: SymbolicWord): SymbolicWord {
    if (constantOf(b) === undefined) [a, b] = [b, a];
    const k = constantOf(b);
    if (k === undefined || !isPowerOfTwo(k)) {
      const stand = k === 0 || (k !== undefined && constantOf(a) !== undefined)
        ? undefined
        : opaque("mul", a, b);
      if (stand !== undefined) return stand;
    }
    let product = zero;
    for (let i = 0; i < WORD_BITS; i++) {
      const f = bit(b, i);
      if (f === NEVER) continue;
      product = add(product, shift(a, i).map((g) => and(f, g)), NEVER);
    }
    return product;
  }

  /** Long division, the highest bit first. */
  function divide(a: SymbolicWord, b: SymbolicWord): SymbolicWord {
    const k = constantOf(b);
    if (k !== undefined && isPowerOfTwo(k)) return shift(a, Math.clz32(k) - 31);
    if (k === undefined || constantOf(a) === undefined) {
      const stand = opaque("div", a, b);
      if (stand !== undefined) return stand;
    }
    const quotient: Node[] = [...zero];
    let rest = zero;
    for (let i = WORD_BITS - 1; i >= 0; i--) {
      // The rest is below b, so twice the rest and a bit has 33 bits at most.
      const overflow = bit(rest, WORD_BITS - 1);
      rest = [bit(a, i), ...rest.slice(0, -1)];
      const fits = or(overflow, greater(rest, b, ALWAYS));
      quotient[i] = fits;
      rest = select(fits, subtract(rest, b), rest);
    }
    return quotient;
  }

  /** a > b, or where both are equal `equal`; the lowest bit decides last. */
  function greater(a: SymbolicWord, b: SymbolicWord, equal: Node): Node {
    let result = equal;
    for (const [i, f] of a.entries()) {
      const g = bit(b, i);
      result = choose(f, choose(g, result, ALWAYS), choose(g, NEVER, result));
    }
    return result;
  }

  function binary(
    op: BinaryOp,
    a: SymbolicWord,
    b: SymbolicWord,
  ): SymbolicWord {
    switch (op) {
      case "add":
        return add(a, b, NEVER);
      case "sub":
        return subtract(a, b);
      case "mul":
        return multiply(a, b);
      case "div":
        return divide(a, b);
      case "and":
        return bitwise(a, b, and);
      case "or":
        return bitwise(a, b, or);
      case "xor":
        return bitwise(a, b, xor);
      case "lsh":
        return shiftBy(a, b, 1);
      case "rsh":
        return shiftBy(a, b, -1);
    }
  }

  function compare(op: CompareOp, a: SymbolicWord, b: SymbolicWord): Node {
    switch (op) {
      case "jeq": {
        let result = ALWAYS;
        for (const [i, f] of a.entries()) {
          const g = bit(b, i);
          result = choose(f, and(g, result), choose(g, NEVER, result));
        }
        return result;
      }
      case "jgt":
        return greater(a, b, NEVER);
      case "jge":
        return greater(a, b, ALWAYS);
      case "jset":
        return bitwise(a, b, and).reduce(or, NEVER);
    }
  }

  return { constant, not, and, or, except, select, binary, compare };
}

/** Bit `i` of a word; beyond its ends there are zeros. */
function bit(word: SymbolicWord, i: number): Node {
  return word[i] ?? NEVER;
}

/** The number that a word is everywhere, if there is one. */
function constantOf(word: SymbolicWord): number | undefined {
  let k = 0;
  for (const [i, f] of word.entries()) {
    if (f === ALWAYS) k |= 1 << i;
    else if (f !== NEVER) return undefined;
  }
  return k >>> 0;
}

function isPowerOfTwo(k: number): boolean {
  return k !== 0 && (k & (k - 1)) === 0;
}
