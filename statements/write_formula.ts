/**
 * Writes a condition on the arguments, given as a function of the input's bits,
 * as a formula: the values of each term are divided into sets that leave the
 * same rest, and the shortest result over all orders of the terms is used.
 *
 * @module
 */

import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import type { Symbols } from "../verify/core/symbols.ts";
import { LimitReached } from "../verify/limits.ts";
import {
  ALWAYS_TRUE,
  type Formula,
  formulaLength,
  INSTRUCTION_POINTER,
  NEVER_TRUE,
  offsetOf,
  type Term,
} from "./formula.ts";
import { OrderedWriter, TooManyClasses } from "./ordered_writer.ts";
import { shortestOf } from "./values.ts";

/** Limits of the diagram of one condition, tried in order. */
const LIMITS = [
  { nodes: 1 << 13, steps: 400_000 },
  { nodes: 1 << 19, steps: 8_000_000 },
] as const;
/** Maximum number of terms for which every order is tried. */
const MOST_ORDERED_TERMS = 3;
/** For a condition longer than this, other orders are not tried. */
const LONG = 400;

/** For a condition shorter than this, halves are not tried. */
const SHORT = 20;

/** The condition would be too long to write. */
export interface NoFormula {
  readonly kind: "no-formula";
  /**
   * The arguments on which the condition depends; 6 is the instruction pointer.
   */
  readonly args: readonly number[];
}

/**
 * Writes a condition.
 *
 * @param symbols The input.
 * @param f A boolean function of the arguments and the instruction pointer.
 * @param options The byte order, and the width of an argument comparison: on
 * architectures of 32 bits, halves are separate terms.
 * @returns The shortest formula found, or the arguments that it would be about.
 */
export function writeFormula(
  symbols: Symbols,
  f: Node,
  options: { readonly littleEndian: boolean; readonly bits: 32 | 64 },
): Formula | NoFormula {
  if (f === ALWAYS) return ALWAYS_TRUE;
  if (f === NEVER) return NEVER_TRUE;
  const words = wordsOf(symbols, f, options.littleEndian);
  const args = [...new Set(words.map(({ arg }) => arg))];
  const choices = options.bits === 32 ? [words] : [wholeTerms(words)];
  if (options.bits === 64 && words.length > args.length) choices.push(words);
  let best: Formula | undefined;
  for (const terms of choices) {
    const length = best === undefined ? undefined : formulaLength(best);
    if (length !== undefined && (length < SHORT || length > LONG)) break;
    for (const order of ordersOf(terms)) {
      const made = inOrder(symbols, f, order, options.littleEndian);
      best = shortestOf([best, made]);
      if (best !== undefined && formulaLength(best) > LONG) break;
    }
  }
  return best ?? { kind: "no-formula", args };
}

/** The halves of arguments on which a function depends. */
function wordsOf(
  { diagram, words }: Symbols,
  f: Node,
  littleEndian: boolean,
): readonly Term[] {
  const levels = new Set<number>();
  const seen = new Set<Node>([f]);
  for (const g of seen) {
    if (g === NEVER || g === ALWAYS) continue;
    const level = diagram.level(g);
    levels.add(level);
    seen.add(diagram.lowOf(g, level)).add(diagram.highOf(g, level));
  }
  const terms: Term[] = [];
  for (let arg = 0; arg <= INSTRUCTION_POINTER; arg++) {
    for (const part of ["high", "low"] as const) {
      const word = words.get(offsetOf({ arg, part }, littleEndian)) ?? [];
      if (word.some((bit) => levels.has(diagram.level(bit)))) {
        terms.push({ arg, part });
      }
    }
  }
  return terms;
}

/** Joins both halves of an argument; a single half is left unchanged. */
function wholeTerms(words: readonly Term[]): readonly Term[] {
  return words.flatMap(({ arg, part }): readonly Term[] => {
    const both = words.filter((word) => word.arg === arg).length === 2;
    if (!both) return [{ arg, part }];
    return part === "high" ? [{ arg, part: "whole" }] : [];
  });
}

function ordersOf(
  terms: readonly Term[],
): readonly (readonly Term[])[] {
  if (terms.length > MOST_ORDERED_TERMS) return [terms, terms.toReversed()];
  if (terms.length === 0) return [[]];
  return terms.flatMap((first) =>
    ordersOf(terms.filter((other) => other !== first))
      .map((rest) => [first, ...rest])
  );
}

function inOrder(
  symbols: Symbols,
  f: Node,
  order: readonly Term[],
  littleEndian: boolean,
): Formula | undefined {
  for (const limits of LIMITS) {
    try {
      return new OrderedWriter(symbols, order, littleEndian, limits).write(f);
    } catch (error) {
      if (error instanceof TooManyClasses) return undefined;
      if (!(error instanceof LimitReached)) throw error;
    }
  }
  return undefined;
}
