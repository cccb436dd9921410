/**
 * The answers of a policy or of filters, call by call and over all arguments:
 * the functions of a proof, from which checks take their witnesses.
 *
 * @module
 */

import type { SeccompData } from "../bpf/seccomp_data.ts";
import type { Condition, ReturnValue } from "../profile/policy.ts";
import { testOf } from "../statements/case_calls.ts";
import { offsetOf } from "../statements/formula.ts";
import { formulaNode } from "../statements/prove_statements.ts";
import { spreadAnswers } from "../statements/spread_answers.ts";
import { type Arch, ARCHES } from "../tables/arch.ts";
import * as uapi from "../tables/uapi.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import { meaningOf } from "../verify/core/meaning.ts";
import type { Subject } from "../verify/core/subject.ts";
import {
  ARCH_LEVEL,
  createSymbols,
  NR_LEVEL,
  type Order,
  type Symbols,
} from "../verify/core/symbols.ts";
import { WORD_BITS } from "../verify/core/word.ts";
import {
  createAnswer,
  fromWords,
  type Outcome,
} from "../verify/describe/confirm.ts";
import { lowestInput } from "../verify/describe/inputs.ts";
import {
  type FunctionInterval,
  intervalsOf,
} from "../verify/describe/intervals.ts";
import type { ProofLimits } from "../verify/limits.ts";

/** Actions after which a call may run. */
const RUNS: readonly number[] = [
  uapi.SECCOMP_RET_ALLOW,
  uapi.SECCOMP_RET_LOG,
  uapi.SECCOMP_RET_TRACE,
  uapi.SECCOMP_RET_USER_NOTIF,
];

/** The action of a return value. */
export function returnedAction(value: ReturnValue): number {
  return (value & uapi.SECCOMP_RET_ACTION_FULL) >>> 0;
}

/** Reports whether the kernel runs the call immediately. */
export function isAllowed(value: ReturnValue): boolean {
  const action = returnedAction(value);
  return action === uapi.SECCOMP_RET_ALLOW || action === uapi.SECCOMP_RET_LOG;
}

/** Reports whether the call cannot run. */
export function isStopped(value: ReturnValue): boolean {
  return !RUNS.includes(returnedAction(value));
}

/** A call without its arguments. */
export interface CallPlace {
  readonly arch: Arch;
  /** Number as in `seccomp_data.nr`. */
  readonly nr: number;
}

/** Options of `AnswerMap`. */
export interface AnswerMapOptions {
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** Order of the variables. */
  readonly order: Order;
  /** Limits of the diagram. */
  readonly limits: ProofLimits;
  /** True for raw return values instead of their effect. */
  readonly raw?: boolean;
}

/** Answers by call; a function that grows too large throws `LimitReached`. */
export class AnswerMap {
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** Runs the subject on one call. */
  readonly answer: (data: SeccompData) => Outcome;
  readonly #symbols: Symbols;
  readonly #meaning: Node;
  readonly #values = new Map<Node, ReturnValue>();
  readonly #levels = new Map<string, ReadonlySet<number>>();
  readonly #calls = new Map<string, Node>();

  /**
   * @throws {Unstated} if the filter computes too many different answers.
   *
   * @param subject The policy or the filters.
   * @param options Byte order, order of variables and limits.
   */
  constructor(subject: Subject, options: AnswerMapOptions) {
    const { littleEndian, order, limits, raw = false } = options;
    this.littleEndian = littleEndian;
    this.answer = createAnswer(subject, littleEndian);
    this.#symbols = createSymbols(order, limits);
    const meaning = meaningOf(subject, !raw, this.#symbols);
    this.#meaning = spreadAnswers(this.#symbols, meaning);
  }

  /** The answers to a call, as a function of its arguments. */
  of({ arch, nr }: CallPlace): Node {
    const key = `${arch.name} ${nr}`;
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const { diagram } = this.#symbols;
    let f = this.#meaning;
    for (
      const [word, start] of [[arch.auditArch, ARCH_LEVEL], [
        nr,
        NR_LEVEL,
      ]] as const
    ) {
      for (let bit = WORD_BITS - 1; bit >= 0; bit--) {
        const level = start + WORD_BITS - 1 - bit;
        f = (word >>> bit & 1) === 1
          ? diagram.highOf(f, level)
          : diagram.lowOf(f, level);
      }
    }
    // A 32-bit program has no upper halves, but an x32 program has 64-bit
    // registers.
    if (arch.bits === 32 && arch.syscallBit === 0) {
      for (let arg = 0; arg < 6; arg++) f = this.withoutHighHalf(f, arg);
    }
    this.#calls.set(key, f);
    return f;
  }

  /** The distinct answers of a function. */
  valuesOf(f: Node): readonly ReturnValue[] {
    const values = new Set<ReturnValue>();
    const seen = new Set([f]);
    for (const node of seen) {
      const level = this.#symbols.diagram.level(node);
      if (level === CONSTANT_LEVEL) values.add(this.#valueOf(node));
      else {
        seen.add(this.#symbols.diagram.lowOf(node, level));
        seen.add(this.#symbols.diagram.highOf(node, level));
      }
    }
    return [...values];
  }

  /** The inputs whose answer satisfies a predicate. */
  where(f: Node, passes: (value: ReturnValue) => boolean): Node {
    return this.#symbols.diagram.apply(
      f,
      f,
      (leaf) => passes(this.#valueOf(leaf)) ? ALWAYS : NEVER,
    );
  }

  /** The inputs on which all conditions are true. */
  matching(conditions: readonly Condition[]): Node {
    const { diagram } = this.#symbols;
    return conditions.map(testOf).reduce(
      (all, formula) =>
        diagram.and(
          all,
          formulaNode(this.#symbols, formula, this.littleEndian),
        ),
      ALWAYS as Node,
    );
  }

  /** The inputs that are in both sets. */
  both(f: Node, g: Node): Node {
    return this.#symbols.diagram.and(f, g);
  }

  /** The inputs that are in at least one of two sets. */
  either(f: Node, g: Node): Node {
    return this.#symbols.diagram.or(f, g);
  }

  /** The inputs that are in the first set but not in the second. */
  except(f: Node, g: Node): Node {
    return this.#symbols.diagram.except(f, g);
  }

  /** Swaps the low words of two arguments. */
  swapped(f: Node, a: number, b: number): Node {
    const { diagram } = this.#symbols;
    const levels = new Map<number, Node>();
    for (const part of ["low", "high"] as const) {
      const first = this.#word(a, part);
      const second = this.#word(b, part);
      for (const [i, variable] of first.entries()) {
        const other = second[i] ?? NEVER;
        levels.set(diagram.level(variable), other);
        levels.set(diagram.level(other), variable);
      }
    }
    return this.#rebuild(
      f,
      (level, low, high) =>
        diagram.choose(levels.get(level) ?? this.#variable(level), high, low),
    );
  }

  /** The function for an argument whose upper half is 0. */
  withoutHighHalf(f: Node, arg: number): Node {
    const levels = this.#levelsOf(arg, ["high"]);
    const { diagram } = this.#symbols;
    return this.#rebuild(
      f,
      (level, low, high) =>
        levels.has(level)
          ? low
          : diagram.choose(this.#variable(level), high, low),
    );
  }

  /** The set of inputs that are in `f` for some value of an argument. */
  forSome(
    f: Node,
    arg: number,
    parts: readonly ("low" | "high")[] = ["low", "high"],
  ): Node {
    const levels = this.#levelsOf(arg, parts);
    const { diagram } = this.#symbols;
    return this.#rebuild(
      f,
      (level, low, high) =>
        levels.has(level)
          ? diagram.or(low, high)
          : diagram.choose(this.#variable(level), high, low),
    );
  }

  /** Reports whether the answers depend on an argument. */
  dependsOn(f: Node, arg: number): boolean {
    const { diagram } = this.#symbols;
    if (diagram.level(f) === CONSTANT_LEVEL) return false;
    const levels = this.#levelsOf(arg, ["low", "high"]);
    const seen = new Set([f]);
    for (const node of seen) {
      const level = diagram.level(node);
      if (levels.has(level)) return true;
      if (level === CONSTANT_LEVEL) continue;
      seen.add(diagram.lowOf(node, level));
      seen.add(diagram.highOf(node, level));
    }
    return false;
  }

  /** The lowest input of a set, as a call. */
  input({ arch, nr }: CallPlace, where: Node): SeccompData {
    const words = lowestInput(this.#symbols, where);
    words[0] = nr;
    words[1] = arch.auditArch;
    return fromWords(words, this.littleEndian);
  }

  /** The set of inputs whose other arguments are all those of a call. */
  likeExcept({ args }: SeccompData, arg: number): Node {
    return this.matching(
      args.flatMap((value, i): Condition[] =>
        i === arg
          ? []
          : [{ arg: i, op: "eq", mask: 0xffff_ffff_ffff_ffffn, value }]
      ),
    );
  }

  /** Intervals of `arch`, each with its function of the rest. */
  architectures(most: number): readonly FunctionInterval[] {
    return intervalsOf(this.#symbols.diagram, this.#meaning, ARCH_LEVEL, most);
  }

  /** Finds a call that satisfies a function of `nr` and the arguments. */
  inputOn(arch: number, where: Node): SeccompData {
    const words = lowestInput(this.#symbols, where);
    words[1] = arch;
    return fromWords(words, this.littleEndian);
  }

  #valueOf(leaf: Node): ReturnValue {
    const known = this.#values.get(leaf);
    if (known !== undefined) return known;
    const value = this.#symbols.wordOf(leaf).reduce(
      (all, bit, i) => bit === ALWAYS ? (all | 1 << i) >>> 0 : all,
      0,
    );
    this.#values.set(leaf, value);
    return value;
  }

  #word(arg: number, part: "low" | "high"): readonly Node[] {
    return this.#symbols.input(offsetOf({ arg, part }, this.littleEndian));
  }

  #levelsOf(
    arg: number,
    parts: readonly ("low" | "high")[],
  ): ReadonlySet<number> {
    const key = `${arg} ${parts}`;
    const known = this.#levels.get(key);
    if (known !== undefined) return known;
    const levels = new Set(
      parts.flatMap((part) =>
        this.#word(arg, part).map((v) => this.#symbols.diagram.level(v))
      ),
    );
    this.#levels.set(key, levels);
    return levels;
  }

  #variable(level: number): Node {
    return this.#symbols.diagram.variable(level);
  }

  #rebuild(
    f: Node,
    make: (level: number, low: Node, high: Node) => Node,
  ): Node {
    const { diagram } = this.#symbols;
    const made = new Map<Node, Node>();
    const visit = (node: Node): Node => {
      const level = diagram.level(node);
      if (level === CONSTANT_LEVEL) return node;
      const known = made.get(node);
      if (known !== undefined) return known;
      const result = make(
        level,
        visit(diagram.lowOf(node, level)),
        visit(diagram.highOf(node, level)),
      );
      made.set(node, result);
      return result;
    };
    return visit(f);
  }
}

/**
 * Lists the other ABIs of a machine, which a process can use at any time.
 *
 * @param native The machine's own architecture.
 */
export function companionsOf(native: Arch): readonly Arch[] {
  const names = COMPANIONS[native.name] ?? [];
  return ARCHES.filter(({ name }) => names.includes(name));
}

/** Other ABIs by architecture: arch/*\/Kconfig of Linux 6.18, `COMPAT`. */
const COMPANIONS: Readonly<Partial<Record<Arch["name"], readonly string[]>>> = {
  "x86_64": ["x86", "x32"],
  aarch64: ["arm"],
  s390x: ["s390"],
  ppc64: ["ppc"],
  mips64: ["mips", "mips64n32"],
  mips64el: ["mipsel", "mipsel64n32"],
};
