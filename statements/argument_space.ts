/**
 * Sets of argument values of one call, and the conjunctions of comparisons that
 * a profile can write: at most one comparison of each argument.
 *
 * The variables are the bits of the six arguments in order, highest bit first:
 * 64 for each, or 32 if the architecture compares only 32.
 *
 * @module
 */

import type { Condition } from "../profile/policy.ts";
import { argOffset } from "../bpf/seccomp_data.ts";
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
import { ARGUMENTS } from "./argument_words.ts";
import type { Span } from "./formula.ts";
import { nodeOfSpans } from "./spans.ts";

/** Thrown if a function depends on something that no comparison reads. */
export class BeyondArguments extends Error {
  override readonly name = "BeyondArguments";
}

/** The argument values of a call. */
export class ArgumentSpace {
  /** Functions of the arguments. */
  readonly diagram: Diagram;
  /** Bits of an argument that are compared. */
  readonly width: 32 | 64;
  readonly #bits: readonly (readonly Node[])[];
  readonly #known = new Map<string, Node>();

  /**
   * @param width Bits of an argument that are compared.
   * @param limits Limits of the diagram.
   */
  constructor(width: 32 | 64, limits: DiagramLimits) {
    this.width = width;
    this.diagram = createDiagram(limits);
    this.#bits = Array.from(
      { length: ARGUMENTS },
      (_, arg) =>
        Array.from(
          { length: width },
          (_, i) => this.diagram.variable(arg * width + i),
        ),
    );
  }

  /** The mask of all bits. */
  get full(): bigint {
    return (1n << BigInt(this.width)) - 1n;
  }

  /**
   * Copies a set from a diagram of inputs.
   *
   * @throws {BeyondArguments} if it depends on other words than the arguments,
   * or on halves that are not compared.
   * @throws {LimitReached} if it becomes too large.
   *
   * @param symbols The inputs.
   * @param f A boolean function of their arguments.
   * @param littleEndian Byte order of the machine.
   */
  copy(symbols: Symbols, f: Node, littleEndian: boolean): Node {
    const places = new Map<number, Node>();
    for (let arg = 0; arg < ARGUMENTS; arg++) {
      for (const half of ["lo", "hi"] as const) {
        const from = half === "lo" ? 0 : WORD_BITS;
        if (from >= this.width) continue;
        const word = symbols.input(argOffset(arg, half, littleEndian));
        for (const [bit, variable] of word.entries()) {
          const to = this.#bits[arg]?.[this.width - 1 - from - bit];
          if (to !== undefined) places.set(symbols.diagram.level(variable), to);
        }
      }
    }
    const made = new Map<Node, Node>();
    const visit = (f: Node): Node => {
      if (f === NEVER || f === ALWAYS) return f;
      const known = made.get(f);
      if (known !== undefined) return known;
      const level = symbols.diagram.level(f);
      const variable = places.get(level);
      if (variable === undefined) throw new BeyondArguments();
      const copied = this.diagram.choose(
        variable,
        visit(symbols.diagram.highOf(f, level)),
        visit(symbols.diagram.lowOf(f, level)),
      );
      made.set(f, copied);
      return copied;
    };
    return visit(f);
  }

  /**
   * Makes the set of values for which all of some comparisons are true, cut to
   * the width of the space.
   *
   * @throws {LimitReached} if it becomes too large.
   *
   * @param conditions The comparisons.
   */
  where(conditions: readonly Condition[]): Node {
    return conditions.reduce(
      (all, one) => this.diagram.and(all, this.#whereOne(one)),
      ALWAYS as Node,
    );
  }

  #whereOne(condition: Condition): Node {
    const { arg, op } = condition;
    const mask = condition.mask & this.full;
    const value = condition.value & mask;
    const key = `${arg} ${op} ${mask} ${value}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bits = (this.#bits[arg] ?? []).map((bit, i) =>
      (mask >> BigInt(this.width - 1 - i) & 1n) === 1n ? bit : NEVER
    );
    const within = (spans: readonly Span[]): Node =>
      nodeOfSpans(this.diagram, bits, spans);
    const upTo = (last: bigint): Node =>
      last < 0n ? NEVER : within([{ first: 0n, last }]);
    const made = {
      eq: () => within([{ first: value, last: value }]),
      ne: () => this.diagram.not(within([{ first: value, last: value }])),
      lt: () => upTo(value - 1n),
      ge: () => this.diagram.not(upTo(value - 1n)),
      le: () => upTo(value),
      gt: () => this.diagram.not(upTo(value)),
    }[op]();
    this.#known.set(key, made);
    return made;
  }
}
