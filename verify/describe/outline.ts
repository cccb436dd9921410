/**
 * The outline of a filter: the structure of its meaning, word by word. It
 * divides `arch` and `nr` into intervals, and describes for each how the
 * argument words decide.
 *
 * ```text
 * arch 0xc000003e ▶ nr 0…9 ▶ ALLOW
 *                   nr 10  ▶ low half of arg 0: 0…4 ▶ ALLOW, 5… ▶ ERRNO
 *      elsewhere  ▶ nr 0…  ▶ KILL
 * ```
 *
 * An outline is only a description. Anything derived from it needs its own
 * proof.
 *
 * @module
 */

import { attemptOrders } from "../attempts.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  type Diagram,
  NEVER,
  type Node,
} from "../core/diagram.ts";
import { meaningOf } from "../core/meaning.ts";
import type { Subject } from "../core/subject.ts";
import { ARCH_LEVEL, NR_LEVEL, type Symbols } from "../core/symbols.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  type ProofLimits,
} from "../limits.ts";
import { intervalsOf } from "./intervals.ts";
import { OrderedDiagrams, OrderedReader, type Reading } from "./reading.ts";
import type { Range } from "../../bpf/range.ts";

/** The meaning of a filter, cut by `arch` and `nr`. */
export interface Outline {
  /** Intervals of `arch` from 0 to 2^32 − 1, without gaps. */
  readonly arches: readonly ArchOutline[];
}

/** Values of `arch` that the filter treats alike. */
export interface ArchOutline extends Range {
  /** Intervals of `nr` from 0 to 2^32 − 1, without gaps. */
  readonly numbers: readonly NumberOutline[];
}

/** Values of `nr` that the filter treats alike. */
export interface NumberOutline extends Range {
  /** The filter's answer on these values. */
  readonly answer: ArgumentFunction;
}

/** The answer as a function of the argument words; equal functions are one object. */
export interface ArgumentFunction {
  /** Byte offsets of the words that it depends on, in rising order. */
  readonly offsets: readonly number[];
  /**
   * Reads the function word by word, in one form or two.
   *
   * @param order The offsets in the order in which to test the words.
   * @param most Maximum number of cells of one word.
   * @returns The first question of each form; empty if a word has more cells
   * than allowed in every form, or if an answer is computed from the input.
   */
  read(order: readonly number[], most: number): readonly Reading[];
}

/** Options of `outlineOf`. */
export interface OutlineOptions {
  /**
   * Comparison of return values: by effect or by exact bits (default: exact).
   */
  readonly compare?: "effect" | "bits";
  /** Limits of the diagram. */
  readonly limits?: Partial<ProofLimits>;
  /** Called regularly; if it returns true, the work ends. */
  readonly interrupted?: () => boolean;
}

/** No outline could be computed. */
export interface NoOutline {
  readonly kind: "no-outline";
  /** The limit that was reached. */
  readonly limit: LimitName;
  /** The word that has too many intervals, if that is the reason. */
  readonly word?: "arch" | "nr";
}

const FULL = 0xffff_ffff;
/**
 * Maximum number of intervals of `arch`, and of `nr` for each of them. A
 * program of 4096 instructions cannot distinguish more by comparisons, because
 * a test has at most two borders.
 */
const MOST_INTERVALS = 0x2000;

/**
 * Computes the outline of a filter.
 *
 * @param subject A filter, a stack of filters, or a policy.
 * @param options How to compare return values, and limits.
 * @returns The outline, or the limit that was reached.
 */
export function outlineOf(
  subject: Subject,
  options: OutlineOptions = {},
): Outline | NoOutline {
  const limits = {
    ...DEFAULT_PROOF_LIMITS,
    ...options.limits,
    interrupted: options.interrupted,
  };
  const asActed = options.compare === "effect";
  try {
    const outline = attemptOrders(
      limits,
      (symbols) => cut(symbols, meaningOf(subject, asActed, symbols)),
    );
    return typeof outline === "string"
      ? { kind: "no-outline", limit: outline }
      : outline;
  } catch (error) {
    if (!(error instanceof TooManyIntervals)) throw error;
    return { kind: "no-outline", limit: "nodes", word: error.word };
  }
}

/** Cuts a meaning by `arch` and `nr`, which come first in every order. */
function cut(symbols: Symbols, meaning: Node): Outline {
  const { diagram } = symbols;
  const functions = new Map<Node, ArgumentFunction>();
  const ordered = new OrderedDiagrams(symbols);
  const answerOf = (f: Node): ArgumentFunction => {
    const made = functions.get(f) ?? createFunction(symbols, f, ordered);
    functions.set(f, made);
    return made;
  };
  const arches = whole(diagram, meaning, "arch");
  return {
    arches: arches.map(({ first, last, rest }) => ({
      first,
      last,
      numbers: whole(diagram, rest, "nr").map((number) => ({
        first: number.first,
        last: number.last,
        answer: answerOf(number.rest),
      })),
    })),
  };
}

/** Thrown if a word has more than `MOST_INTERVALS`. */
class TooManyIntervals extends Error {
  override readonly name = "TooManyIntervals";
  readonly word: "arch" | "nr";

  constructor(word: "arch" | "nr") {
    super(word);
    this.word = word;
  }
}

/** Cuts a word into all its intervals. */
function whole(
  diagram: Diagram,
  f: Node,
  word: "arch" | "nr",
): ReturnType<typeof intervalsOf> {
  const level = word === "arch" ? ARCH_LEVEL : NR_LEVEL;
  const intervals = intervalsOf(diagram, f, level, MOST_INTERVALS);
  if (intervals.at(-1)?.last !== FULL) throw new TooManyIntervals(word);
  return intervals;
}

function createFunction(
  symbols: Symbols,
  f: Node,
  ordered: OrderedDiagrams,
): ArgumentFunction {
  const offsets = dependencies(symbols, f);
  const reader = new OrderedReader(ordered, f);
  return { offsets, read: (order, most) => reader.read(order, most) };
}

/** Byte offsets of the words on which a function depends. */
function dependencies(symbols: Symbols, f: Node): readonly number[] {
  const { diagram } = symbols;
  const levels = new Set<number>();
  const seen = new Set<Node>();
  const visit = (f: Node): void => {
    if (seen.has(f)) return;
    seen.add(f);
    const level = diagram.level(f);
    if (level === CONSTANT_LEVEL) {
      // An answer may itself be computed from the input.
      if (f !== NEVER && f !== ALWAYS) symbols.wordOf(f).forEach(visit);
      return;
    }
    levels.add(level);
    visit(diagram.lowOf(f, level));
    visit(diagram.highOf(f, level));
  };
  visit(f);
  return [...symbols.words].filter(([, word]) =>
    word.some((variable) => levels.has(diagram.level(variable)))
  ).map(([offset]) => offset).sort((a, b) => a - b);
}
