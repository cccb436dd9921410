/**
 * States the whole meaning of a filter, a stack of filters or a policy: for
 * each ABI, which calls get which answer under which condition. It is refused
 * if it cannot be stated exactly.
 *
 * @module
 */

import { attemptOrders } from "../verify/attempts.ts";
import { ARCHES } from "../tables/arch.ts";
import type { Node } from "../verify/core/diagram.ts";
import { meaningOf } from "../verify/core/meaning.ts";
import { byteOrderOf, type Subject } from "../verify/core/subject.ts";
import { ARCH_LEVEL, NR_LEVEL, type Symbols } from "../verify/core/symbols.ts";
import { WORD_BITS } from "../verify/core/word.ts";
import { intervalsOf } from "../verify/describe/intervals.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  type ProofLimits,
} from "../verify/limits.ts";
import {
  AnswerWriter,
  type CallAnswer,
  MOST_INTERVALS,
  Unstated,
} from "./answer_writer.ts";
import { statesMeaning } from "./prove_statements.ts";
import { spreadAnswers } from "./spread_answers.ts";
import { abisOf, type AbiStatements, type CallAbi } from "./statement.ts";

/** The whole meaning of a subject, proved equal to it. */
export interface Explanation {
  readonly kind: "explanation";
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** All ABIs; together they cover every input. */
  readonly abis: readonly AbiStatements[];
}

/** No statements, because the whole meaning cannot be stated. */
export interface NotExplained {
  readonly kind: "not-explained";
  /** The reason, without a final period. */
  readonly reason: string;
  /** The limit, if one was reached. */
  readonly limit?: LimitName;
}

/** Options of `explainSubject`. */
export interface ExplainOptions {
  /** Byte order of the machine, if the subject has none. */
  readonly littleEndian?: boolean;
  /** Limits of the diagram. */
  readonly limits?: Partial<ProofLimits>;
}

/**
 * States the meaning of a subject.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {TypeError} if byte orders differ.
 *
 * @example One call with a condition
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { explainSubject } from "./explain_subject.ts";
 * import { parseFilters } from "../bpf/text.ts";
 *
 * const filter = parseFilters("ld [0]\njeq #1, yes\nret #0\nyes: ret #0x7fff0000");
 * const explained = explainSubject(filter);
 * assertEquals(explained.kind === "explanation" && explained.abis.map((a) => a.rest), [0]);
 * ```
 *
 * @param subject The subject.
 * @param options Byte order and limits.
 * @returns The statements, or the reason why there are none.
 */
export function explainSubject(
  subject: Subject,
  options: ExplainOptions = {},
): Explanation | NotExplained {
  return stating(subject, options, (symbols, meaning, littleEndian) => {
    const spread = spreadAnswers(symbols, meaning);
    const abis = explainArches(symbols, spread, littleEndian);
    if (!statesMeaning(symbols, meaning, abis, littleEndian)) {
      throw new Error("Unreachable: the statements mean something else");
    }
    return { kind: "explanation", littleEndian, abis };
  });
}

/** The answers to one call. */
export interface CallExplanation {
  readonly kind: "call";
  /**
   * Each answer and its condition; exactly one condition is true for any
   * arguments.
   */
  readonly answers: readonly CallAnswer[];
}

/**
 * States the answers to one call.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {TypeError} if byte orders differ.
 *
 * @param subject The subject.
 * @param call `arch` and `nr` of the call, and its ABI.
 * @param options Byte order and limits.
 * @returns The answers, or the reason why they cannot be stated.
 */
export function explainCall(
  subject: Subject,
  call: { readonly arch: number; readonly nr: number; readonly abi: CallAbi },
  options: ExplainOptions = {},
): CallExplanation | NotExplained {
  return stating(subject, options, (symbols, meaning, littleEndian) => {
    const { diagram } = symbols;
    const spread = spreadAnswers(symbols, meaning);
    const writer = new AnswerWriter(symbols, littleEndian);
    const at = (f: Node, level: number, value: number): Node => {
      for (let bit = WORD_BITS - 1; bit >= 0; bit--) {
        const here = level + WORD_BITS - 1 - bit;
        f = (value >>> bit & 1) === 1
          ? diagram.highOf(f, here)
          : diagram.lowOf(f, here);
      }
      return f;
    };
    const f = at(at(spread, ARCH_LEVEL, call.arch), NR_LEVEL, call.nr);
    const numbers = [{ first: call.nr, last: call.nr }];
    return { kind: "call", answers: writer.answers(call.abi, f, numbers) };
  });
}

/** Makes statements, in the first order of variables that suffices. */
function stating<T extends object>(
  subject: Subject,
  options: ExplainOptions,
  work: (symbols: Symbols, meaning: Node, littleEndian: boolean) => T,
): T | NotExplained {
  const littleEndian = byteOrderOf([subject], options.littleEndian);
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  let limit: T | LimitName;
  try {
    limit = attemptOrders(
      limits,
      (symbols) =>
        work(symbols, meaningOf(subject, true, symbols), littleEndian),
    );
    if (typeof limit !== "string") return limit;
  } catch (error) {
    if (!(error instanceof Unstated)) throw error;
    return { kind: "not-explained", reason: error.message };
  }
  return {
    kind: "not-explained",
    limit,
    reason:
      `the limit of ${limit} was reached before the meaning was known; raise --${limit}`,
  };
}

/** Divides a meaning by `arch` and states each part. */
function explainArches(
  symbols: Symbols,
  meaning: Node,
  littleEndian: boolean,
): readonly AbiStatements[] {
  const intervals = intervalsOf(
    symbols.diagram,
    meaning,
    ARCH_LEVEL,
    MOST_INTERVALS,
  );
  if (intervals.at(-1)?.last !== 0xffff_ffff) {
    throw new Unstated(
      `it distinguishes more than ${MOST_INTERVALS} intervals of architectures`,
    );
  }
  const widest = intervals.reduce((a, b) =>
    b.last - b.first > a.last - a.first ? b : a
  );
  const writer = new AnswerWriter(symbols, littleEndian);
  const abis = intervals.filter(({ rest }) => rest !== widest.rest)
    .flatMap(({ first, last, rest }) =>
      abisOf({ first, last }).map((abi) => writer.state(abi, rest))
    );
  const place = ({ abi: { arch } }: AbiStatements): number =>
    arch === undefined ? ARCHES.length : ARCHES.indexOf(arch);
  return [
    ...abis.toSorted((a, b) => place(a) - place(b)),
    writer.state({ audit: "rest" }, widest.rest),
  ];
}
