/**
 * States the answers of one ABI: which calls get which answer under which
 * condition.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import type { ReturnValue } from "../profile/policy.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  type Diagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import { NR_LEVEL, type Symbols } from "../verify/core/symbols.ts";
import { constant } from "../verify/core/word.ts";
import { intervalsOf } from "../verify/describe/intervals.ts";
import { ALWAYS_TRUE, type Formula, formulaLength } from "./formula.ts";
import {
  type AbiStatements,
  bitsOf,
  type CallAbi,
  numbersOf,
  type Statement,
} from "./statement.ts";
import { type NoFormula, writeFormula } from "./write_formula.ts";

/** Maximum number of intervals of `arch`, and of `nr` for each of them. */
export const MOST_INTERVALS = 0x2000;
/** An answer and its condition. */
export interface CallAnswer {
  /** The answer, as the kernel acts on it. */
  readonly value: ReturnValue;
  /** The condition under which the call gets it. */
  readonly formula: Formula;
}

/** Thrown if the meaning cannot be stated; the caller must catch it. */
export class Unstated extends Error {
  override readonly name = "Unstated";
}

/** States the answers of each ABI in turn. */
export class AnswerWriter {
  readonly #symbols: Symbols;
  readonly #littleEndian: boolean;
  readonly #written = new Map<string, ReadonlyMap<Node, Formula>>();

  /**
   * @param symbols The input.
   * @param littleEndian Byte order of the machine.
   */
  constructor(symbols: Symbols, littleEndian: boolean) {
    this.#symbols = symbols;
    this.#littleEndian = littleEndian;
  }

  /**
   * States the answers to all numbers of an ABI.
   *
   * @throws {Unstated} if a condition has no short form.
   *
   * @param abi The ABI.
   * @param meaning The function of `nr` and the arguments.
   */
  state(abi: CallAbi, meaning: Node): AbiStatements {
    const { diagram } = this.#symbols;
    const functions = this.#functionsOf(abi, meaning);
    // Numbers above those of x32 are not calls.
    const end = numbersOf(abi)[0]?.last ?? 0;
    const counts = [...functions].map(([f, ranges]) =>
      [
        f,
        ranges.reduce(
          (sum, { first, last }) =>
            sum + Math.max(0, Math.min(last, end) - first + 1),
          0,
        ),
      ] as const
    );
    const [widest] = counts.reduce((a, b) => b[1] > a[1] ? b : a);
    const rest = diagram.level(widest) === CONSTANT_LEVEL
      ? widest
      : this.#longest(abi, widest);
    const statements: Statement[] = [];
    for (const [f, ranges] of functions) {
      if (f === rest && f === widest) continue;
      for (const [leaf, formula] of this.#formulas(abi, f, ranges)) {
        if (leaf === rest && f !== rest) continue;
        statements.push({
          value: this.#valueOf(leaf),
          numbers: f === widest ? "other" : ranges,
          formula,
        });
      }
    }
    return { abi, statements, rest: this.#valueOf(rest) };
  }

  /**
   * States the answers of one function.
   *
   * @throws {Unstated} if a condition has no short form.
   *
   * @param abi The ABI.
   * @param f A function of the arguments.
   * @param numbers The calls that it decides.
   */
  answers(
    abi: CallAbi,
    f: Node,
    numbers: readonly Range[],
  ): readonly CallAnswer[] {
    return [...this.#formulas(abi, f, numbers)].map(([leaf, formula]) => ({
      value: this.#valueOf(leaf),
      formula,
    }));
  }

  /** The numbers of an ABI by the function of the arguments that decides them. */
  #functionsOf(
    abi: CallAbi,
    meaning: Node,
  ): ReadonlyMap<Node, readonly Range[]> {
    const intervals = intervalsOf(
      this.#symbols.diagram,
      meaning,
      NR_LEVEL,
      MOST_INTERVALS,
    );
    if (intervals.at(-1)?.last !== 0xffff_ffff) {
      throw new Unstated(
        `it distinguishes more than ${MOST_INTERVALS} intervals of call numbers`,
      );
    }
    const functions = new Map<Node, Range[]>();
    for (const part of numbersOf(abi)) {
      for (const { first, last, rest } of intervals) {
        const from = Math.max(first, part.first);
        const to = Math.min(last, part.last);
        if (from > to) continue;
        const ranges = functions.get(rest) ?? [];
        functions.set(rest, ranges);
        ranges.push({ first: from, last: to });
      }
    }
    return functions;
  }

  /** The answer of a function that is longest to state. */
  #longest(abi: CallAbi, f: Node): Node {
    let longest: readonly [Node, number] | undefined;
    for (const [leaf, formula] of this.#formulas(abi, f, [])) {
      const length = formulaLength(formula);
      if (longest === undefined || length > longest[1]) {
        longest = [leaf, length];
      }
    }
    if (longest === undefined) throw new Error("Unreachable: no answer");
    return longest[0];
  }

  /** The condition of each answer of a function. */
  #formulas(
    abi: CallAbi,
    f: Node,
    ranges: readonly Range[],
  ): ReadonlyMap<Node, Formula> {
    const { diagram } = this.#symbols;
    const bits = bitsOf(abi);
    const key = `${f} ${bits}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const formulas = new Map<Node, Formula>();
    if (diagram.level(f) === CONSTANT_LEVEL) formulas.set(f, ALWAYS_TRUE);
    else {
      for (const leaf of leavesOf(diagram, f)) {
        const where = diagram.apply(
          f,
          f,
          (at) => at === leaf ? ALWAYS : NEVER,
        );
        const made = writeFormula(this.#symbols, where, {
          littleEndian: this.#littleEndian,
          bits,
        });
        if (made.kind === "no-formula") throw unstated(made, abi, ranges);
        formulas.set(leaf, made);
      }
    }
    this.#written.set(key, formulas);
    return formulas;
  }

  #valueOf(leaf: Node): number {
    const word = this.#symbols.wordOf(leaf);
    let value = 0;
    for (const [bit, f] of word.entries()) {
      if (f === ALWAYS) value = (value | 1 << bit) >>> 0;
    }
    if (String(constant(value)) !== String(word)) {
      throw new Error("Unreachable: an answer is not constant");
    }
    return value;
  }
}

function unstated(
  { args }: NoFormula,
  { arch }: CallAbi,
  [range]: readonly Range[],
): Unstated {
  const words = args.map((arg) =>
    arg === 6 ? "the instruction pointer" : `argument ${arg}`
  ).join(" and ");
  const call = range === undefined ? "" : ` of number ${range.first}`;
  const on = arch === undefined ? "" : ` on ${arch.name}`;
  return new Unstated(
    `the condition on ${words}${call}${on} has no short exact form`,
  );
}

function leavesOf(diagram: Diagram, f: Node): readonly Node[] {
  const leaves: Node[] = [];
  const seen = new Set([f]);
  for (const node of seen) {
    const level = diagram.level(node);
    if (level === CONSTANT_LEVEL) leaves.push(node);
    else {
      seen.add(diagram.lowOf(node, level)).add(diagram.highOf(node, level));
    }
  }
  return leaves;
}
