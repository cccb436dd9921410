/**
 * A meaning, call by call: the argument values for which a number gets each
 * answer.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import { ArgumentSpace } from "../../statements/argument_space.ts";
import { CallCover, type Conjunction } from "../../statements/cover_call.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { SECCOMP_RET_KILL_THREAD } from "../../tables/uapi.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  type Diagram,
  NEVER,
  type Node,
} from "../../verify/core/diagram.ts";
import {
  ARCH_LEVEL,
  NR_LEVEL,
  type Symbols,
} from "../../verify/core/symbols.ts";
import { WORD_BITS } from "../../verify/core/word.ts";
import { LimitReached, type ProofLimits } from "../../verify/limits.ts";
import { answerOfLeaf } from "../../verify/pointwise.ts";

/** Thrown if the argument values of a call take too many nodes. */
export class LongFunction extends Error {
  override readonly name = "LongFunction";
}

/** A space of arguments, and its covers. */
export interface CoverSpace {
  readonly space: ArgumentSpace;
  readonly cover: CallCover;
}

/** The argument values by answer. */
export type AnswerSets = ReadonlyMap<ReturnValue, Node>;

/** A number that no call of any architecture has, below the numbers of x32. */
export const UNNAMED_NUMBER = 0x3fff_ffff;

/** Maximum number of nodes of a space of arguments. */
const MOST_SPACE_NODES = 2 ** 17;

/** Reads a meaning call by call. */
export class CallFunctions {
  readonly symbols: Symbols;
  readonly meaning: Node;
  readonly littleEndian: boolean;
  readonly #limits: ProofLimits;
  readonly #onArch = new Map<number, Node>();
  readonly #spaces = new Map<32 | 64, CoverSpace>();
  readonly #sets = new Map<string, AnswerSets>();

  /**
   * @param symbols The inputs.
   * @param meaning The function whose leaves are answers.
   * @param littleEndian Byte order of the machine.
   * @param limits Limits of further diagrams.
   */
  constructor(
    symbols: Symbols,
    meaning: Node,
    littleEndian: boolean,
    limits: ProofLimits,
  ) {
    this.symbols = symbols;
    this.meaning = meaning;
    this.littleEndian = littleEndian;
    this.#limits = limits;
  }

  /** Returns the function of one architecture and number. */
  at({ auditArch }: Arch, nr: number): Node {
    const known = this.#onArch.get(auditArch);
    const d = this.symbols.diagram;
    const onArch = known ?? fixWord(d, this.meaning, ARCH_LEVEL, auditArch);
    if (known === undefined) this.#onArch.set(auditArch, onArch);
    return fixWord(d, onArch, NR_LEVEL, nr);
  }

  /** Returns the answer of a function that does not depend on the arguments. */
  constantOf(f: Node): ReturnValue | undefined {
    return this.symbols.diagram.level(f) === CONSTANT_LEVEL
      ? answerOfLeaf(this.symbols, f)
      : undefined;
  }

  /**
   * Returns the argument values by answer.
   *
   * @throws {BeyondArguments} if the answers depend on something that no
   * comparison can test.
   * @throws {LongFunction} if they take too many nodes.
   * @throws {LimitReached} if a function becomes too large.
   *
   * @param f The function of a call.
   * @param width Bits of an argument that are compared.
   */
  setsOf(f: Node, width: 32 | 64): AnswerSets {
    const key = `${f} ${width}`;
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const { symbols } = this;
    const { space } = this.space(width);
    const sets = new Map<ReturnValue, Node>();
    for (const leaf of leavesOf(symbols.diagram, f)) {
      const where = symbols.diagram.apply(
        f,
        f,
        (at) => at === leaf ? ALWAYS : NEVER,
      );
      sets.set(answerOfLeaf(symbols, leaf), this.#copy(space, where));
    }
    this.#sets.set(key, sets);
    return sets;
  }

  #copy(space: ArgumentSpace, where: Node): Node {
    try {
      return space.copy(this.symbols, where, this.littleEndian);
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      this.#renew(space.width);
      throw new LongFunction();
    }
  }

  /** Recreates a space, which invalidates its nodes. */
  #renew(width: 32 | 64): void {
    this.#spaces.delete(width);
    this.#sets.clear();
  }

  /** Returns the space of arguments of a width. */
  space(width: 32 | 64): CoverSpace {
    const known = this.#spaces.get(width);
    if (known !== undefined) return known;
    const nodes = Math.min(this.#limits.nodes, MOST_SPACE_NODES);
    const space = new ArgumentSpace(width, { ...this.#limits, nodes });
    const made = { space, cover: new CallCover(space) };
    this.#spaces.set(width, made);
    return made;
  }

  /**
   * Covers a set by conjunctions, with masks as wide as the arguments. If that
   * takes too much work, the space is recreated, which invalidates its nodes.
   *
   * @param width Bits of an argument that are compared.
   * @param lower The values that must be covered.
   * @param upper The values that may be covered.
   */
  cover(
    width: 32 | 64,
    lower: Node,
    upper: Node,
  ): readonly Conjunction[] | undefined {
    try {
      return this.space(width).cover.cover(lower, upper);
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      this.#renew(width);
      return undefined;
    }
  }

  /**
   * Lists the architectures that do not simply get the action for unknown
   * architectures, the native one first.
   *
   * @param native The native architecture, which is always listed.
   */
  arches(native: Arch): readonly Arch[] {
    const others = ARCHES.filter((arch) =>
      arch !== native && arch.littleEndian === this.littleEndian &&
      !this.#isUnknown(arch)
    );
    return [native, ...others];
  }

  #isUnknown(arch: Arch): boolean {
    const d = this.symbols.diagram;
    let f = fixWord(d, this.meaning, ARCH_LEVEL, arch.auditArch);
    const isShared = ARCHES.some((other) =>
      other !== arch && other.auditArch === arch.auditArch
    );
    if (isShared) {
      // Bit 31 is clear, and bit 30 distinguishes x32 from x86_64.
      f = d.lowOf(f, NR_LEVEL);
      f = arch.syscallBit === 0
        ? d.lowOf(f, NR_LEVEL + 1)
        : d.highOf(f, NR_LEVEL + 1);
    }
    return this.constantOf(f) === SECCOMP_RET_KILL_THREAD;
  }
}

/** A function with one word fixed. */
function fixWord(d: Diagram, f: Node, from: number, value: number): Node {
  const end = from + WORD_BITS;
  for (let level = d.level(f); level < end; level = d.level(f)) {
    const isSet = (value >>> (end - 1 - level) & 1) === 1;
    f = isSet ? d.highOf(f, level) : d.lowOf(f, level);
  }
  return f;
}

/** The leaves below a node. */
export function leavesOf(d: Diagram, f: Node): readonly Node[] {
  const seen = new Set([f]);
  const leaves: Node[] = [];
  for (const node of seen) {
    const level = d.level(node);
    if (level === CONSTANT_LEVEL) leaves.push(node);
    else seen.add(d.lowOf(node, level)).add(d.highOf(node, level));
  }
  return leaves;
}
