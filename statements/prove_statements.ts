/**
 * Proves that statements describe a filter exactly: both become functions of
 * the same input, and equal functions are one node.
 *
 * @module
 */

import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { Range } from "../bpf/range.ts";
import {
  ALWAYS,
  type Diagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import { meaningOf } from "../verify/core/meaning.ts";
import { byteOrderOf, type Subject } from "../verify/core/subject.ts";
import { createSymbols, type Symbols } from "../verify/core/symbols.ts";
import { constant } from "../verify/core/word.ts";
import {
  DEFAULT_PROOF_LIMITS,
  LimitReached,
  type ProofLimits,
} from "../verify/limits.ts";
import { type Formula, offsetOf, type Span, type Term } from "./formula.ts";
import { nodeOfSpans } from "./spans.ts";
import { type AbiStatements, type CallAbi, numbersOf } from "./statement.ts";

/** Result of comparing statements with a subject. */
export type StatementsProof = "equal" | "different" | "unproven";

/**
 * Proves that statements describe a subject exactly, for every input and in any
 * order of the statements.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 *
 * @param subject The subject.
 * @param abis The statements.
 * @param options Byte order of the machine, if the subject has none, and limits.
 * @returns The result; values that the kernel treats identically are equal.
 */
export function proveStatements(
  subject: Subject,
  abis: readonly AbiStatements[],
  options: {
    readonly littleEndian?: boolean;
    readonly limits?: Partial<ProofLimits>;
  } = {},
): StatementsProof {
  const littleEndian = byteOrderOf([subject], options.littleEndian);
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  for (const order of ["word", "bit"] as const) {
    try {
      const symbols = createSymbols(order, limits);
      const meaning = meaningOf(subject, true, symbols);
      return statesMeaning(symbols, meaning, abis, littleEndian)
        ? "equal"
        : "different";
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
    }
  }
  return "unproven";
}

/**
 * Reports whether statements have a meaning, both in the order of the list and
 * in the reverse order, so no input is in two statements with different
 * answers.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param symbols The input.
 * @param meaning The meaning, by effect.
 * @param abis The statements.
 * @param littleEndian Byte order of the machine.
 */
export function statesMeaning(
  symbols: Symbols,
  meaning: Node,
  abis: readonly AbiStatements[],
  littleEndian: boolean,
): boolean {
  return [abis, abis.map(reversed)].every((list) => {
    const stated = statementsNode(symbols, list, littleEndian);
    const differ = symbols.diagram.apply(meaning, stated, (f, g) => {
      const [a, b] = [symbols.wordOf(f), symbols.wordOf(g)];
      return a.reduce(
        (all, bit, i) =>
          symbols.diagram.or(all, xor(symbols.diagram, bit, b[i] ?? NEVER)),
        NEVER as Node,
      );
    });
    return differ === NEVER;
  });
}

function xor(d: Diagram, f: Node, g: Node): Node {
  return f === g ? NEVER : d.choose(f, d.not(g), g);
}

function reversed(one: AbiStatements): AbiStatements {
  return { ...one, statements: one.statements.toReversed() };
}

/** The function of statements; later ones override earlier ones. */
function statementsNode(
  symbols: Symbols,
  abis: readonly AbiStatements[],
  littleEndian: boolean,
): Node {
  const { diagram: d, leaf, input } = symbols;
  const returning = (value: number): Node => leaf(constant(value));
  const rest = abis.find(({ abi }) => abi.audit === "rest");
  let node = rest === undefined
    ? NEVER
    : abiNode(symbols, rest, returning, littleEndian);
  for (const one of abis) {
    if (one === rest) continue;
    const { abi } = one;
    const here = d.and(
      whereIn(d, input(ARCH_OFFSET), abi.audit === "rest" ? [] : [abi.audit]),
      whereIn(d, input(NR_OFFSET), numbersOf(abi)),
    );
    node = d.choose(
      here,
      abiNode(symbols, one, returning, littleEndian),
      node,
    );
  }
  return node;
}

function abiNode(
  symbols: Symbols,
  { statements, rest }: AbiStatements,
  returning: (value: number) => Node,
  littleEndian: boolean,
): Node {
  const { diagram: d, input } = symbols;
  const nr = input(NR_OFFSET);
  const listed = statements.flatMap(({ numbers }) =>
    numbers === "other" ? [] : numbers
  );
  const others = (): Node => d.not(whereIn(d, nr, listed));
  let node = returning(rest);
  for (const { value, numbers, formula } of statements) {
    const calls = numbers === "other" ? others() : whereIn(d, nr, numbers);
    const where = d.and(calls, formulaNode(symbols, formula, littleEndian));
    node = d.choose(where, returning(value), node);
  }
  return node;
}

/** The inputs with a word in one of some ranges, in any order. */
function whereIn(
  d: Diagram,
  word: readonly Node[],
  ranges: readonly Range[],
): Node {
  const spans: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = spans.at(-1);
    if (before !== undefined && BigInt(first) <= before.last + 1n) {
      if (BigInt(last) > before.last) before.last = BigInt(last);
    } else spans.push({ first: BigInt(first), last: BigInt(last) });
  }
  return nodeOfSpans(d, word.toReversed(), spans);
}

/**
 * Makes the function of a condition.
 *
 * @throws {LimitReached} if it becomes too large.
 *
 * @param symbols The input.
 * @param formula The condition.
 * @param littleEndian Byte order of the machine.
 */
export function formulaNode(
  symbols: Symbols,
  formula: Formula,
  littleEndian: boolean,
): Node {
  const { diagram: d } = symbols;
  if (formula.kind !== "test") {
    const nodes = formula.parts.map((part) =>
      formulaNode(symbols, part, littleEndian)
    );
    return formula.kind === "and"
      ? nodes.reduce(d.and, ALWAYS)
      : nodes.reduce(d.or, NEVER);
  }
  const { term, mask, spans, negated } = formula;
  const bits = bitsOfTerm(symbols, term, littleEndian).map((bit, i, all) =>
    (mask >> BigInt(all.length - 1 - i) & 1n) === 1n ? bit : NEVER
  );
  const within = nodeOfSpans(d, bits, spans as readonly Span[]);
  return negated ? d.not(within) : within;
}

/** The variables of a term, highest bit first. */
function bitsOfTerm(
  { input }: Symbols,
  term: Term,
  littleEndian: boolean,
): readonly Node[] {
  const half = (part: "low" | "high"): readonly Node[] =>
    input(offsetOf({ ...term, part }, littleEndian)).toReversed();
  return term.part === "whole"
    ? [...half("high"), ...half("low")]
    : half(term.part);
}

/**
 * Makes the function of the calls of an ABI.
 *
 * @param symbols The input.
 * @param abi The ABI; not the rest.
 * @param numbers Values of `nr`.
 */
export function callsNode(
  { diagram: d, input }: Symbols,
  { audit }: CallAbi,
  numbers: readonly Range[],
): Node {
  return d.and(
    whereIn(d, input(ARCH_OFFSET), audit === "rest" ? [] : [audit]),
    whereIn(d, input(NR_OFFSET), numbers),
  );
}
