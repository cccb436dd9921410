/**
 * A meaning as writers of formats see it: call by call, with the answer that is
 * on the safe side where a format cannot say more.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import { BeyondArguments } from "../../statements/argument_space.ts";
import type { Conjunction } from "../../statements/cover_call.ts";
import { divideCall } from "../../statements/divide_call.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import {
  ALWAYS,
  type Diagram,
  NEVER,
  type Node,
} from "../../verify/core/diagram.ts";
import type { Symbols } from "../../verify/core/symbols.ts";
import type { ProofLimits } from "../../verify/limits.ts";
import { answerOfLeaf, strictest } from "../../verify/pointwise.ts";
import {
  type AnswerSets,
  CallFunctions,
  leavesOf,
  UNNAMED_NUMBER,
} from "../combine/call_functions.ts";
import {
  CoverSpaces,
  inLargerSpaces,
  LongFunction,
} from "../combine/cover_spaces.ts";
import { Regions } from "./regions.ts";

/** An audit value that no architecture has. */
const UNKNOWN_AUDIT = 0x1234_5678;

/**
 * Ranks an answer by how much happens: denials of any kind are 0, then what
 * asks somebody, then a call that is logged, then one that is not.
 *
 * @param value The answer.
 */
export function permissionOf(value: ReturnValue): number {
  switch ((value & SECCOMP_RET_ACTION_FULL) >>> 0) {
    case SECCOMP_RET_ALLOW:
      return 4;
    case SECCOMP_RET_LOG:
      return 3;
    case SECCOMP_RET_TRACE:
      return 2;
    case SECCOMP_RET_USER_NOTIF:
      return 1;
    default:
      return 0;
  }
}

/** A meaning that is to be written. */
export class SourceView {
  readonly symbols: Symbols;
  readonly meaning: Node;
  readonly functions: CallFunctions;
  readonly regions: Regions;
  /** Architectures of the source, the native one first. */
  readonly arches: readonly Arch[];
  readonly native: Arch;
  readonly limits: ProofLimits;

  /**
   * @param symbols The inputs.
   * @param meaning The meaning.
   * @param native The native architecture.
   * @param options Its architectures, if they are known, and limits.
   */
  constructor(
    symbols: Symbols,
    meaning: Node,
    native: Arch,
    { arches, limits }: {
      readonly arches?: readonly Arch[];
      readonly limits: ProofLimits;
    },
  ) {
    this.symbols = symbols;
    this.native = native;
    this.limits = limits;
    this.regions = new Regions(symbols);
    this.meaning = meaning;
    this.functions = new CallFunctions(
      symbols,
      meaning,
      native.littleEndian,
      new CoverSpaces(limits),
    );
    this.arches = arches ?? this.#served();
  }

  /** The answer to architectures that the source does not know. */
  get badArch(): ReturnValue {
    return this.safeOf(
      this.functions.at({ ...this.native, auditArch: UNKNOWN_AUDIT }, 0),
    );
  }

  /** The native one, and those on which something else happens than elsewhere. */
  #served(): readonly Arch[] {
    const { diagram: d } = this.symbols;
    const { meaning, functions, native, regions } = this;
    const unknown = functions.at({ ...native, auditArch: UNKNOWN_AUDIT }, 0);
    const isKnown = d.apply(
      meaning,
      meaning,
      (f) => f === unknown ? NEVER : ALWAYS,
    );
    const others = ARCHES.filter((arch) =>
      arch !== native && arch.littleEndian === native.littleEndian &&
      d.and(regions.whole(arch), isKnown) !== NEVER
    );
    return [native, ...others];
  }

  /** Returns the answer of a function, or the strictest of its answers. */
  safeOf(f: Node): ReturnValue {
    const { symbols } = this;
    return leavesOf(symbols.diagram, f)
      .map((leaf) => answerOfLeaf(symbols, leaf))
      .reduce(strictest);
  }

  /** Returns the answer of an architecture to numbers without a call. */
  fallbackOf(arch: Arch): ReturnValue {
    return this.safeOf(
      this.functions.at(arch, UNNAMED_NUMBER | arch.syscallBit),
    );
  }

  /**
   * Returns the answers of a call for some arguments; `undefined` if no
   * comparisons of arguments say for which.
   */
  answersOf(arch: Arch, nr: number): readonly ReturnValue[] | undefined {
    return this.#inSpace(arch, nr, (sets) => [...sets.keys()]);
  }

  /**
   * Covers the argument values of some answers by the fewest conjunctions of at
   * most one comparison of each argument.
   */
  clausesOf(
    arch: Arch,
    nr: number,
    isWanted: (value: ReturnValue) => boolean,
  ): readonly Conjunction[] | undefined {
    return this.#inSpace(
      arch,
      nr,
      (sets) =>
        this.functions.within(arch.bits, ({ space, cover }) => {
          const where = unionOf(space.diagram, sets, isWanted);
          return cover.cover(where, where);
        }),
    );
  }

  /** Divides them into conjunctions of any comparisons. */
  partsOf(
    arch: Arch,
    nr: number,
    isWanted: (value: ReturnValue) => boolean,
  ): readonly Conjunction[] | undefined {
    return this.#inSpace(arch, nr, (sets) =>
      this.functions.within(
        arch.bits,
        ({ space }) =>
          divideCall(space, unionOf(space.diagram, sets, isWanted)),
      ));
  }

  #inSpace<T>(
    arch: Arch,
    nr: number,
    work: (sets: AnswerSets) => T,
  ): T | undefined {
    const f = this.functions.at(arch, nr);
    try {
      return inLargerSpaces(() => work(this.functions.setsOf(f, arch.bits)));
    } catch (error) {
      if (error instanceof BeyondArguments || error instanceof LongFunction) {
        return undefined;
      }
      throw error;
    }
  }
}

function unionOf(
  d: Diagram,
  sets: AnswerSets,
  isWanted: (value: ReturnValue) => boolean,
): Node {
  return [...sets].reduce(
    (all, [value, set]) => isWanted(value) ? d.or(all, set) : all,
    NEVER as Node,
  );
}
