/**
 * Spaces of argument values that several meanings share, with the covers that
 * were found in them. They begin small, because most calls compare little, and
 * are made anew and larger if one is full.
 *
 * @module
 */

import { ArgumentSpace } from "../../statements/argument_space.ts";
import { CallCover } from "../../statements/cover_call.ts";
import { LimitReached, type ProofLimits } from "../../verify/limits.ts";

/** Thrown if the argument values of a call take too many nodes for a space. */
export class LongFunction extends Error {
  override readonly name = "LongFunction";
  /** True if no space is larger. */
  readonly isLargest: boolean;

  /** @param isLargest True if no space is larger. */
  constructor(isLargest: boolean) {
    super("The argument values of a call take too many nodes");
    this.isLargest = isLargest;
  }
}

/** A space of arguments, and covers in it. */
export interface CoverSpace {
  readonly space: ArgumentSpace;
  readonly cover: CallCover;
}

/** Numbers of nodes of a space, one after the other. */
const SIZES: readonly number[] = [2 ** 12, 2 ** 15, 2 ** 17];

/** The spaces of both widths. */
export class CoverSpaces {
  readonly #limits: ProofLimits;
  readonly #spaces = new Map<32 | 64, CoverSpace>();
  readonly #sizes = new Map<32 | 64, number>();
  #generation = 0;

  /** @param limits Limits of the diagrams. */
  constructor(limits: ProofLimits) {
    this.#limits = limits;
  }

  /** A number that changes if nodes of a space are no longer valid. */
  get generation(): number {
    return this.#generation;
  }

  /** Returns the space of arguments of a width. */
  space(width: 32 | 64): CoverSpace {
    const known = this.#spaces.get(width);
    if (known !== undefined) return known;
    const size = SIZES[this.#sizes.get(width) ?? 0] ?? 0;
    const nodes = Math.min(this.#limits.nodes, size);
    const space = new ArgumentSpace(width, { ...this.#limits, nodes });
    const made = { space, cover: new CallCover(space) };
    this.#spaces.set(width, made);
    return made;
  }

  /**
   * Works in a space of a width.
   *
   * @throws {LongFunction} if the space is full; its nodes are no longer valid.
   *
   * @param width Bits of an argument that are compared.
   * @param work The work, which may not use other diagrams.
   */
  within<T>(width: 32 | 64, work: (space: CoverSpace) => T): T {
    try {
      return work(this.space(width));
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      const size = this.#sizes.get(width) ?? 0;
      const isLargest = size === SIZES.length - 1;
      this.#spaces.delete(width);
      this.#sizes.set(width, isLargest ? size : size + 1);
      this.#generation++;
      throw new LongFunction(isLargest);
    }
  }
}

/**
 * Repeats work for which a space was too small, at last in one that is empty
 * and as large as any, so that the result does not depend on what came before.
 *
 * @throws {LongFunction} if the largest space is too small.
 *
 * @param work The work, which takes its nodes anew each time.
 */
export function inLargerSpaces<T>(work: () => T): T {
  for (let fails = 0;;) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof LongFunction)) throw error;
      if (error.isLargest && ++fails === 2) throw error;
    }
  }
}
