/**
 * The comparisons of one argument that may begin a conjunction within a set,
 * each with the remaining set of the other arguments.
 *
 * @module
 */

import type { Condition } from "../profile/policy.ts";
import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import type { ArgumentSpace } from "./argument_space.ts";
import type { Span } from "./formula.ts";

/** One comparison, or none, of an argument. */
export interface AtomOption {
  /** `undefined` for every value of the argument. */
  readonly atom: Condition | undefined;
  /**
   * The values of the other arguments that are in the set for all of these
   * values.
   */
  readonly rest: Node;
}

/** A value of each argument. */
export interface ArgumentPoint {
  readonly values: readonly bigint[];
  /** Their bits, by level. */
  readonly bits: Uint8Array;
}

/** Consecutive values of an argument with the same rest. */
export interface ArgumentCell extends Span {
  readonly rest: Node;
}

/** Maximum number of cells of an argument that are listed. */
const MOST_CELLS = 256;
/** Maximum number of masks that are tried for one value. */
const MOST_CUBES = 16;

/** Lists comparisons. */
export class AtomOptions {
  readonly #space: ArgumentSpace;
  readonly #everywhere = new Map<Node, Node>();
  readonly #cells = new Map<string, readonly ArgumentCell[] | undefined>();

  /** @param space The space of the arguments. */
  constructor(space: ArgumentSpace) {
    this.#space = space;
  }

  /**
   * Lists the comparisons of an argument that contain a value, with a rest that
   * contains the values of the others.
   *
   * @param f The set; it does not depend on lower arguments.
   * @param arg The argument.
   * @param point A value of each argument, in the set.
   */
  through(
    f: Node,
    arg: number,
    point: ArgumentPoint,
  ): readonly AtomOption[] {
    const { diagram: d, width } = this.#space;
    if (d.level(f) >= (arg + 1) * width) return [{ atom: undefined, rest: f }];
    const value = point.values[arg] ?? 0n;
    const options: AtomOption[] = [];
    const always = this.#forAll(f, arg);
    const hasPoint = (rest: Node): boolean => this.#contains(rest, point);
    if (hasPoint(always)) options.push({ atom: undefined, rest: always });
    // A comparison is useful only if its rest is larger than that without one.
    const add = (atom: Condition, rest: Node): void => {
      if (rest !== always && hasPoint(rest)) options.push({ atom, rest });
    };
    for (const option of this.#bounds(f, arg, value)) {
      if (option.atom !== undefined) add(option.atom, option.rest);
    }
    for (const { mask, rest } of this.#cubes(f, arg, point)) {
      if (mask === 0n) continue;
      add({ arg, op: "eq", mask, value: value & mask }, rest);
    }
    return options;
  }

  /** The rest that is left for every value of an argument. */
  #forAll(f: Node, arg: number): Node {
    const { diagram: d, width } = this.#space;
    const end = (arg + 1) * width;
    const visit = (f: Node): Node => {
      const level = d.level(f);
      if (level >= end) return f;
      const known = this.#everywhere.get(f);
      if (known !== undefined) return known;
      const made = d.and(visit(d.lowOf(f, level)), visit(d.highOf(f, level)));
      this.#everywhere.set(f, made);
      return made;
    };
    return visit(f);
  }

  #contains(f: Node, { bits }: ArgumentPoint): boolean {
    const { diagram: d } = this.#space;
    while (f !== NEVER && f !== ALWAYS) {
      const level = d.level(f);
      f = bits[level] === 1 ? d.highOf(f, level) : d.lowOf(f, level);
    }
    return f === ALWAYS;
  }

  /** Upper and lower bounds, and inequalities. */
  *#bounds(f: Node, arg: number, value: bigint): Generator<AtomOption> {
    const { diagram: d, full } = this.#space;
    const cells = this.cellsOf(f, arg);
    if (cells === undefined) return;
    const at = cells.findIndex(({ last }) => value <= last);
    const prefixes: Node[] = [];
    let all: Node = ALWAYS;
    for (const { rest } of cells) {
      all = d.and(all, rest);
      prefixes.push(all);
    }
    const suffixes: Node[] = [];
    all = ALWAYS;
    for (const { rest } of cells.toReversed()) {
      all = d.and(all, rest);
      suffixes.unshift(all);
    }
    for (let i = at; i < cells.length - 1; i++) {
      const rest = prefixes[i] ?? NEVER;
      if (rest === NEVER) break;
      if (rest === prefixes[i + 1]) continue;
      yield {
        atom: { arg, op: "le", mask: full, value: lastOf(cells, i) },
        rest,
      };
    }
    for (let i = at; i > 0; i--) {
      const rest = suffixes[i] ?? NEVER;
      if (rest === NEVER) break;
      if (rest === suffixes[i - 1]) continue;
      yield {
        atom: { arg, op: "ge", mask: full, value: lastOf(cells, i - 1) + 1n },
        rest,
      };
    }
    for (const [i, { first, last }] of cells.entries()) {
      if (first !== last || i === at) continue;
      const rest = d.and(prefixes[i - 1] ?? ALWAYS, suffixes[i + 1] ?? ALWAYS);
      yield { atom: { arg, op: "ne", mask: full, value: first }, rest };
    }
  }

  /**
   * Lists consecutive values of an argument with one rest, from 0 on.
   *
   * @param f The set; it does not depend on lower arguments.
   * @param arg The argument.
   * @returns The cells; `undefined` if there are too many.
   */
  cellsOf(f: Node, arg: number): readonly ArgumentCell[] | undefined {
    const key = `${f} ${arg}`;
    if (this.#cells.has(key)) return this.#cells.get(key);
    const { diagram: d, width } = this.#space;
    const end = (arg + 1) * width;
    const cells: { first: bigint; last: bigint; rest: Node }[] = [];
    const visit = (f: Node, place: number, first: bigint): boolean => {
      const level = d.level(f);
      const size = 1n << BigInt(width - place);
      if (level >= end) {
        const before = cells.at(-1);
        if (before?.rest === f) {
          before.last = first + size - 1n;
          return true;
        }
        if (cells.length === MOST_CELLS) return false;
        cells.push({ first, last: first + size - 1n, rest: f });
        return true;
      }
      const variable = arg * width + place;
      return visit(d.lowOf(f, variable), place + 1, first) &&
        visit(d.highOf(f, variable), place + 1, first + size / 2n);
    };
    const made = visit(f, 0, 0n) ? cells : undefined;
    this.#cells.set(key, made);
    return made;
  }

  /** Masks under which all values like the given one leave a rest. */
  #cubes(
    f: Node,
    arg: number,
    point: ArgumentPoint,
  ): readonly { readonly mask: bigint; readonly rest: Node }[] {
    const { diagram: d, width } = this.#space;
    const end = (arg + 1) * width;
    const { bits } = point;
    const found: { readonly mask: bigint; readonly rest: Node }[] = [];
    const visit = (f: Node, mask: bigint): void => {
      if (found.length >= MOST_CUBES || !this.#contains(f, point)) return;
      const level = d.level(f);
      if (level >= end) {
        found.push({ mask, rest: f });
        return;
      }
      const bit = 1n << BigInt(end - 1 - level);
      const [low, high] = [d.lowOf(f, level), d.highOf(f, level)];
      visit(d.and(low, high), mask);
      visit(bits[level] === 1 ? high : low, mask | bit);
    };
    visit(f, 0n);
    return found.filter(({ mask, rest }, i) =>
      !found.some((other, j) =>
        j !== i && (other.mask & ~mask) === 0n &&
        d.except(rest, other.rest) === NEVER &&
        (other.mask !== mask || other.rest !== rest || j < i)
      )
    );
  }
}

function lastOf(cells: readonly ArgumentCell[], i: number): bigint {
  return cells[i]?.last ?? 0n;
}
