/**
 * Combines the answers of several subjects, input by input: the strictest, the
 * loosest, or those of one minus what another permits.
 *
 * **The order.** Answers are ordered by the kernel's precedence of actions
 * (kernel/seccomp.c, `seccomp_run_filters()`), and answers of one action by
 * their data, 0 after all others: an ERRNO(0) reports success. The order is
 * total, so the minimum and the maximum of several answers do not depend on how
 * the subjects are ordered or grouped. The kernel itself uses the data of the
 * filter that was attached last, but profiles do not define an order of
 * attachment.
 *
 * @module
 */

import { effective } from "../bpf/return_value.ts";
import type { ReturnValue } from "../profile/policy.ts";
import { precedence } from "../tables/precedence.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_LOG,
} from "../tables/uapi.ts";
import { ALWAYS, NEVER, type Node } from "./core/diagram.ts";
import { meaningOf } from "./core/meaning.ts";
import type { Subject } from "./core/subject.ts";
import type { Symbols } from "./core/symbols.ts";
import { constant } from "./core/word.ts";

/** A function of two answers. */
export type AnswerFunction = (a: ReturnValue, b: ReturnValue) => ReturnValue;

/** Thrown if a subject computes an answer from its input; never leaves the library. */
export class ComputedAnswer extends Error {
  override readonly name = "ComputedAnswer";
}

/**
 * Compares two answers.
 *
 * @param a An answer.
 * @param b Another answer.
 * @returns Below 0 if `a` is the stricter one, 0 if both are the same answer.
 */
export function compareAnswers(a: ReturnValue, b: ReturnValue): number {
  return precedence(a) - precedence(b) || dataOf(a) - dataOf(b);
}

/** Data, with 0 after all other values. */
function dataOf(value: ReturnValue): number {
  const data = value & SECCOMP_RET_DATA;
  return data === 0 ? SECCOMP_RET_DATA + 1 : data;
}

/**
 * Returns the stricter of two answers.
 *
 * @example Two errors
 * ```ts
 * import { strictest } from "./pointwise.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(strictest(0x0005_0026, 0x7fff_0000), 0x0005_0026);
 * assertEquals(strictest(0x0005_0026, 0x0005_0001), 0x0005_0001);
 * ```
 *
 * @param a An answer.
 * @param b Another answer.
 */
export function strictest(a: ReturnValue, b: ReturnValue): ReturnValue {
  return compareAnswers(a, b) <= 0 ? a : b;
}

/**
 * Returns the looser of two answers.
 *
 * @param a An answer.
 * @param b Another answer.
 */
export function loosest(a: ReturnValue, b: ReturnValue): ReturnValue {
  return compareAnswers(a, b) <= 0 ? b : a;
}

/**
 * Reports whether the kernel runs the call: ALLOW and LOG.
 *
 * @param value The answer.
 */
export function isPermission(value: ReturnValue): boolean {
  const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  return action === SECCOMP_RET_ALLOW || action === SECCOMP_RET_LOG;
}

/**
 * Combines the meanings of several subjects, from the first to the last.
 *
 * @throws {ComputedAnswer} if a subject computes an answer.
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param symbols The input.
 * @param subjects The subjects; at least one.
 * @param join Combines two answers to one input.
 * @returns The function, whose leaves are answers as the kernel acts on them.
 */
export function pointwise(
  symbols: Symbols,
  subjects: readonly Subject[],
  join: AnswerFunction,
): Node {
  const [first, ...others] = subjects.map((subject) =>
    meaningOf(subject, true, symbols)
  );
  if (first === undefined) throw new Error("Unreachable: no subject");
  let meaning = symbols.diagram.apply(first, first, (f) => {
    answerOfLeaf(symbols, f);
    return f;
  });
  for (const other of others) {
    meaning = symbols.diagram.apply(meaning, other, (f, g) =>
      symbols.leaf(
        constant(
          effective(join(answerOfLeaf(symbols, f), answerOfLeaf(symbols, g))),
        ),
      ));
  }
  return meaning;
}

/**
 * Returns the answer of a leaf.
 *
 * @throws {ComputedAnswer} if it is computed from the input.
 *
 * @param symbols The input.
 * @param leaf The leaf.
 */
export function answerOfLeaf(symbols: Symbols, leaf: Node): ReturnValue {
  let value = 0;
  for (const [i, bit] of symbols.wordOf(leaf).entries()) {
    if (bit === ALWAYS) value |= 1 << i;
    else if (bit !== NEVER) {
      throw new ComputedAnswer("An answer is computed from the input");
    }
  }
  return value >>> 0;
}
