/**
 * Writes a function of several terms as a formula, term by term.
 *
 * @module
 */

import {
  ALWAYS,
  createDiagram,
  type Diagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import type { Symbols } from "../verify/core/symbols.ts";
import { WORD_BITS } from "../verify/core/word.ts";
import type { DiagramLimits } from "../verify/limits.ts";
import {
  ALWAYS_TRUE,
  type Formula,
  formulaLength,
  joinFormulas,
  negateFormula,
  NEVER_TRUE,
  offsetOf,
  type Term,
  widthOf,
} from "./formula.ts";
import { ValueWriter } from "./values.ts";

/** Maximum number of different rests that a term may leave. */
const MOST_CLASSES = 1024;
/**
 * Maximum number of alternatives for which each is tried without the others.
 */
const MOST_REDUCED = 64;
/** Thrown if a term leaves more than `MOST_CLASSES` different rests. */
export class TooManyClasses extends Error {
  override readonly name = "TooManyClasses";
}

/** Writes functions with their terms in a given order. */
export class OrderedWriter {
  readonly #symbols: Symbols;
  readonly #diagram: Diagram;
  readonly #order: readonly Term[];
  /** The first level of each term, and the level after the last. */
  readonly #bases: number[] = [0];
  readonly #values: readonly ValueWriter[];
  /** Levels here by levels of the symbols. */
  readonly #levels = new Map<number, number>();
  readonly #moved = new Map<Node, Node>();
  readonly #written = new Map<Node, Formula | undefined>();

  /**
   * @param symbols The input.
   * @param order The terms.
   * @param littleEndian Byte order of the machine.
   * @param limits Limits of the diagram.
   */
  constructor(
    symbols: Symbols,
    order: readonly Term[],
    littleEndian: boolean,
    limits: DiagramLimits,
  ) {
    this.#symbols = symbols;
    this.#diagram = createDiagram(limits);
    this.#order = order;
    const writers: ValueWriter[] = [];
    for (const term of order) {
      const base = this.#bases.at(-1) ?? 0;
      const width = widthOf(term);
      writers.push(
        new ValueWriter({ diagram: this.#diagram, base, width }, term),
      );
      const halves = term.part === "whole"
        ? ["high", "low"] as const
        : [term.part];
      for (const [i, part] of halves.entries()) {
        const offset = offsetOf({ ...term, part }, littleEndian);
        for (const [bit, variable] of symbols.input(offset).entries()) {
          const level = base + WORD_BITS * i + WORD_BITS - 1 - bit;
          this.#levels.set(symbols.diagram.level(variable), level);
        }
      }
      this.#bases.push(base + width);
    }
    this.#values = writers;
  }

  /**
   * Writes a function.
   *
   * @throws {LimitReached} if the diagram becomes too large.
   * @throws {TooManyClasses} if arguments are compared with one another.
   *
   * @param f The function.
   * @returns The condition; `undefined` if it would be too long.
   */
  write(f: Node): Formula | undefined {
    return this.#write(this.#move(f));
  }

  #move(f: Node): Node {
    if (f === NEVER || f === ALWAYS) return f;
    const known = this.#moved.get(f);
    if (known !== undefined) return known;
    const { diagram } = this.#symbols;
    const level = diagram.level(f);
    const to = this.#levels.get(level);
    if (to === undefined) throw new Error("Unreachable: a term out of order");
    const made = this.#diagram.choose(
      this.#diagram.variable(to),
      this.#move(diagram.highOf(f, level)),
      this.#move(diagram.lowOf(f, level)),
    );
    this.#moved.set(f, made);
    return made;
  }

  #write(f: Node): Formula | undefined {
    if (f === ALWAYS) return ALWAYS_TRUE;
    if (f === NEVER) return NEVER_TRUE;
    if (!this.#written.has(f)) this.#written.set(f, this.#cut(f));
    return this.#written.get(f);
  }

  #cut(f: Node): Formula | undefined {
    const level = this.#diagram.level(f);
    const place = this.#bases.findLastIndex((base) => base <= level);
    const values = this.#values[place];
    if (values === undefined) throw new Error("Unreachable: no such term");
    const classes = this.#classesOf(f, place);
    if ([...classes.keys()].every((rest) => rest <= ALWAYS)) {
      return values.write(f);
    }
    const within = this.#alternatives(f, classes, values);
    // With many cases, or for large functions, exceptions are not shorter.
    if (classes.size > MOST_REDUCED) return within;
    const outside = new Map(
      [...classes].map(([rest, set]) => [this.#diagram.not(rest), set]),
    );
    const without = this.#alternatives(
      this.#diagram.not(f),
      outside,
      values,
    );
    // Cases are easier to read than exceptions.
    if (within !== undefined && without !== undefined) {
      return formulaLength(within) <= 1.3 * formulaLength(without)
        ? within
        : negateFormula(without);
    }
    return within ?? (without && negateFormula(without));
  }

  /** The sets of values of a term by the function that they leave. */
  #classesOf(f: Node, place: number): ReadonlyMap<Node, Node> {
    const d = this.#diagram;
    const end = this.#bases[place + 1] ?? 0;
    const rests = new Set<Node>();
    /** The nodes above each node. */
    const above = new Map<Node, Node[]>([[f, []]]);
    for (const node of above.keys()) {
      const level = d.level(node);
      if (level >= end) {
        rests.add(node);
        if (rests.size > MOST_CLASSES) throw new TooManyClasses();
        continue;
      }
      for (const next of [d.lowOf(node, level), d.highOf(node, level)]) {
        const parents = above.get(next);
        if (parents === undefined) above.set(next, [node]);
        else parents.push(node);
      }
    }
    const classes = new Map<Node, Node>();
    for (const rest of rests) {
      const leading = new Set([rest]);
      for (const node of leading) {
        for (const parent of above.get(node) ?? []) leading.add(parent);
      }
      const known = new Map<Node, Node>();
      const visit = (f: Node): Node => {
        if (!leading.has(f)) return NEVER;
        const level = d.level(f);
        if (level >= end) return ALWAYS;
        const made = known.get(f);
        if (made !== undefined) return made;
        const set = d.choose(
          d.variable(level),
          visit(d.highOf(f, level)),
          visit(d.lowOf(f, level)),
        );
        known.set(f, set);
        return set;
      };
      classes.set(rest, visit(f));
    }
    return classes;
  }

  /** "This set and that rest, or another set and another rest, or …" */
  #alternatives(
    f: Node,
    classes: ReadonlyMap<Node, Node>,
    values: ValueWriter,
  ): Formula | undefined {
    const d = this.#diagram;
    const found: { readonly where: Node; readonly formula: Formula }[] = [];
    for (const [rest, own] of classes) {
      if (rest === NEVER) continue;
      let set: Node = classes.size > MOST_REDUCED ? own : NEVER;
      for (
        const [other, values] of classes.size > MOST_REDUCED ? [] : classes
      ) {
        if (d.except(rest, other) === NEVER) set = d.or(set, values);
      }
      const two = this.#write(rest);
      // Values for which the rest is always true may be included or not.
      const [where, one] = shorterOf(values, own, set);
      if (one === undefined || two === undefined) return undefined;
      found.push({
        where: d.and(where, rest),
        formula: joinFormulas("and", [one, two]),
      });
    }
    return joinFormulas(
      "or",
      this.#reduced(f, found).map(({ formula }) => formula),
    );
  }

  /** Omits alternatives that the others cover, the longest first. */
  #reduced<T extends { readonly where: Node; readonly formula: Formula }>(
    f: Node,
    found: readonly T[],
  ): readonly T[] {
    if (found.length > MOST_REDUCED) return found;
    let kept = found;
    const longest = found.toSorted((a, b) =>
      formulaLength(b.formula) - formulaLength(a.formula)
    );
    for (const one of longest) {
      const others = kept.filter((other) => other !== one);
      const covered = others.reduce(
        (all, { where }) => this.#diagram.or(all, where),
        NEVER as Node,
      );
      if (covered === f) kept = others;
    }
    return kept;
  }
}

/** The set that is shorter to write. */
function shorterOf(
  values: ValueWriter,
  a: Node,
  b: Node,
): readonly [Node, Formula | undefined] {
  const [first, second] = [values.write(a), values.write(b)];
  if (first === undefined || second === undefined) {
    return first === undefined ? [b, second] : [a, first];
  }
  return formulaLength(first) < formulaLength(second)
    ? [a, first]
    : [b, second];
}
