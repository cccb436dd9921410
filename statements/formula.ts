/**
 * Conditions on the arguments of a call, in numbers: comparisons of one
 * argument, or of one of its halves, joined by "and" and "or".
 *
 * ```text
 * (arg2 & ~3) == 0 and arg0 ∈ {1, 2}
 *   { kind: "and", parts: [{ kind: "test", … }, { kind: "test", … }] }
 * ```
 *
 * @module
 */

import { argOffset, IP_OFFSET } from "../bpf/seccomp_data.ts";

/** Index of the instruction pointer among the terms; arguments are 0 to 5. */
export const INSTRUCTION_POINTER = 6;

/** An argument or the instruction pointer, whole or one half of it. */
export interface Term {
  /** Index of the argument, or `INSTRUCTION_POINTER`. */
  readonly arg: number;
  /** The 64 bits, or 32 of them. */
  readonly part: "whole" | "low" | "high";
}

/** Consecutive values of a term, both ends included. */
export interface Span {
  /** A u64. */
  readonly first: bigint;
  /** A u64, at least `first`. */
  readonly last: bigint;
}

/** `(term & mask)` in one of the spans, or in none of them. */
export interface TermTest {
  readonly kind: "test";
  readonly term: Term;
  /** A mask as wide as the term. */
  readonly mask: bigint;
  /** At least one, in rising order, not adjacent. */
  readonly spans: readonly Span[];
  /** True if the value must be outside of the spans. */
  readonly negated: boolean;
}

/** A condition: all or one of its parts must be true. */
export type Formula = TermTest | {
  readonly kind: "and" | "or";
  /** Without parts, "and" is always true and "or" is always false. */
  readonly parts: readonly Formula[];
};

/** The condition that is always true. */
export const ALWAYS_TRUE: Formula = { kind: "and", parts: [] };
/** The condition that is never true. */
export const NEVER_TRUE: Formula = { kind: "or", parts: [] };

/**
 * Returns the width of a term in bits.
 *
 * @param term The term.
 */
export function widthOf({ part }: Term): 32 | 64 {
  return part === "whole" ? 64 : 32;
}

/**
 * Finds a half of an argument in `struct seccomp_data`.
 *
 * @param term The half.
 * @param littleEndian Byte order of the machine.
 * @returns Offset in bytes.
 */
export function offsetOf({ arg, part }: Term, littleEndian: boolean): number {
  if (arg !== INSTRUCTION_POINTER) {
    return argOffset(arg, part === "low" ? "lo" : "hi", littleEndian);
  }
  return IP_OFFSET + ((part === "low") === littleEndian ? 0 : 4);
}

/**
 * Returns the mask that keeps all bits of a term.
 *
 * @param term The term.
 */
export function fullMask(term: Term): bigint {
  return (1n << BigInt(widthOf(term))) - 1n;
}

/**
 * Returns the condition that is true if another is not.
 *
 * @param formula The other condition.
 */
export function negateFormula(formula: Formula): Formula {
  if (formula.kind === "test") return { ...formula, negated: !formula.negated };
  return {
    kind: formula.kind === "and" ? "or" : "and",
    parts: formula.parts.map(negateFormula),
  };
}

/**
 * Joins conditions; nested conditions of the same kind are merged.
 *
 * @param kind The word between them.
 * @param parts The conditions.
 */
export function joinFormulas(
  kind: "and" | "or",
  parts: readonly Formula[],
): Formula {
  const flat = parts.flatMap((part) =>
    part.kind === kind ? part.parts : [part]
  );
  const end = flat.find((part) =>
    part.kind !== "test" && part.kind !== kind && part.parts.length === 0
  );
  if (end !== undefined) return end;
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind, parts: flat };
}

/**
 * Evaluates a condition on one call.
 *
 * @param formula The condition.
 * @param words The six arguments and the instruction pointer, u64 each.
 */
export function holdsFormula(
  formula: Formula,
  words: readonly bigint[],
): boolean {
  if (formula.kind !== "test") {
    return formula.kind === "and"
      ? formula.parts.every((part) => holdsFormula(part, words))
      : formula.parts.some((part) => holdsFormula(part, words));
  }
  const { term, mask, spans, negated } = formula;
  const seen = valueOfTerm(term, words) & mask;
  return spans.some(({ first, last }) => first <= seen && seen <= last) !==
    negated;
}

/** The value of a term in a call. */
function valueOfTerm({ arg, part }: Term, words: readonly bigint[]): bigint {
  const word = words[arg] ?? 0n;
  if (part === "whole") return word;
  return BigInt.asUintN(32, part === "low" ? word : word >> 32n);
}

/** Spans of several values are harder to read. */
const LARGE_SPAN = 1n << 16n;

/**
 * Rates the length of a condition for a reader.
 *
 * @param formula The condition.
 * @returns A sum of its parts; 0 for none.
 */
export function formulaLength(formula: Formula): number {
  if (formula.kind !== "test") {
    const parts = formula.parts.reduce(
      (sum, part) => sum + formulaLength(part),
      0,
    );
    return parts + 0.4 * Math.max(0, formula.parts.length - 1);
  }
  const { term, mask, spans, negated } = formula;
  const values = spans.reduce(
    (sum, { first, last }) =>
      sum + (first === last ? 0.5 : last - first < LARGE_SPAN ? 0.8 : 1.2),
    0,
  );
  return 1 + values + (mask === fullMask(term) ? 0 : 0.6) +
    (term.part === "whole" ? 0 : 0.1) + (negated ? 0.2 : 0);
}
