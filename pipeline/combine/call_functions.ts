/**
 * A meaning, call by call: the argument values for which a number gets each
 * answer.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
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
import { answerOfLeaf } from "../../verify/pointwise.ts";
import type { CoverSpace, CoverSpaces } from "./cover_spaces.ts";

/** The argument values by answer. */
export type AnswerSets = ReadonlyMap<ReturnValue, Node>;

/** A number that no call of any architecture has, below the numbers of x32. */
export const UNNAMED_NUMBER = 0x3fff_ffff;

/** Reads a meaning call by call. */
export class CallFunctions {
  readonly symbols: Symbols;
  readonly meaning: Node;
  readonly littleEndian: boolean;
  readonly #spaces: CoverSpaces;
  readonly #onArch = new Map<number, Node>();
  readonly #sets = new Map<string, AnswerSets>();
  /** Generation of the spaces in which `#sets` has nodes. */
  #generation: number;

  /**
   * @param symbols The inputs.
   * @param meaning The function whose leaves are answers.
   * @param littleEndian Byte order of the machine.
   * @param spaces Spaces of argument values.
   */
  constructor(
    symbols: Symbols,
    meaning: Node,
    littleEndian: boolean,
    spaces: CoverSpaces,
  ) {
    this.symbols = symbols;
    this.meaning = meaning;
    this.littleEndian = littleEndian;
    this.#spaces = spaces;
    this.#generation = spaces.generation;
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
   * @throws {LongFunction} if they take too many nodes of a space.
   * @throws {LimitReached} if a function becomes too large.
   *
   * @param f The function of a call.
   * @param width Bits of an argument that are compared.
   */
  setsOf(f: Node, width: 32 | 64): AnswerSets {
    if (this.#generation !== this.#spaces.generation) {
      this.#generation = this.#spaces.generation;
      this.#sets.clear();
    }
    const key = `${f} ${width}`;
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const { symbols } = this;
    const sets = new Map<ReturnValue, Node>();
    for (const leaf of leavesOf(symbols.diagram, f)) {
      const where = symbols.diagram.apply(
        f,
        f,
        (at) => at === leaf ? ALWAYS : NEVER,
      );
      const copied = this.#spaces.within(
        width,
        ({ space }) => space.copy(symbols, where, this.littleEndian),
      );
      sets.set(answerOfLeaf(symbols, leaf), copied);
    }
    this.#sets.set(key, sets);
    return sets;
  }

  /**
   * Works in the space of arguments of a width.
   *
   * @throws {LongFunction} if the space is full; its nodes are no longer valid.
   *
   * @param width Bits of an argument that are compared.
   * @param work The work.
   */
  within<T>(width: 32 | 64, work: (space: CoverSpace) => T): T {
    return this.#spaces.within(width, work);
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
