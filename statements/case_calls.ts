/**
 * The parts of a test case in numbers: calls, answers and rules.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import { parseReturnValue } from "../bpf/return_value.ts";
import type { Rule } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import { archByAnyName } from "../tables/arch_names.ts";
import { quoteText } from "../tables/printable.ts";
import {
  ALWAYS,
  type Diagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import type { Word } from "../verify/core/word.ts";
import { StatementError } from "./condition.ts";
import type { TermTest } from "./formula.ts";
import { numbersOfCall } from "./parse_document.ts";
import type { CallAbi } from "./statement.ts";
import type { AnswerPattern, CaseCalls } from "./test_case.ts";

/** Some calls of one ABI. */
export interface AbiCalls {
  readonly abi: CallAbi;
  readonly arch: Arch;
  /** Name as written. */
  readonly call: string;
  readonly numbers: Range;
  /** True if the call is written with its architecture. */
  readonly isNamed: boolean;
}

/**
 * Finds the calls of a case on the architectures that have them.
 *
 * @throws {StatementError} if a call or an architecture is unknown.
 *
 * @param test The calls and architectures as written.
 * @param all The architectures of the source.
 */
export function callsOfCase(
  { calls, arches }: CaseCalls,
  all: readonly Arch[],
): readonly AbiCalls[] {
  return calls.flatMap((written) => {
    const colon = written.indexOf(":");
    const call = written.slice(colon + 1);
    const named = colon < 0 ? arches : [written.slice(0, colon)];
    const places = named?.map(archOf) ?? all;
    const having = places.filter((arch) =>
      arch.syscalls.has(call) || /^[0-9]/.test(call)
    );
    // The error names the call and a suggestion.
    const found = having.length === 0 ? places.slice(0, 1) : having;
    return found.map((arch) => ({
      abi: {
        audit: { first: arch.auditArch, last: arch.auditArch },
        arch,
      },
      arch,
      call,
      numbers: numbersOfCall(call, arch),
      isNamed: colon >= 0,
    }));
  });
}

function archOf(name: string): Arch {
  const arch = archByAnyName(name);
  if (arch !== undefined) return arch;
  throw new StatementError(
    `Cannot read case: unknown architecture ${quoteText(name)}`,
    0,
  );
}

/**
 * Makes the pattern of an error, whose number depends on the architecture.
 *
 * @param errno Its name or number.
 * @param arch The architecture.
 */
export function errnoPattern(
  errno: string,
  { auditArch }: Arch,
): AnswerPattern {
  return {
    mask: 0xffff_ffff,
    value: parseReturnValue(`ERRNO(${errno})`, auditArch),
  };
}

/**
 * Makes the function that is true if an answer has one of the patterns.
 *
 * @param d Diagram of the answer.
 * @param word The answer.
 * @param patterns The patterns.
 */
export function fitsNode(
  d: Diagram,
  word: Word,
  patterns: readonly AnswerPattern[],
): Node {
  return patterns.map(({ mask, value }) =>
    word.reduce((all, bit, i) => {
      if ((mask >>> i & 1) === 0) return all;
      return (value >>> i & 1) === 1 ? d.and(all, bit) : d.except(all, bit);
    }, ALWAYS as Node)
  ).reduce(d.or, NEVER as Node);
}

/**
 * Writes a condition of a policy as a test of the whole argument.
 *
 * @param condition The condition.
 */
export function testOf(
  { arg, op, mask, value }: Rule["conditions"][number],
): TermTest {
  const full = (1n << 64n) - 1n;
  const spans = {
    eq: [{ first: value, last: value }],
    ne: [{ first: value, last: value }],
    le: [{ first: 0n, last: value }],
    gt: [{ first: 0n, last: value }],
    ge: [{ first: value, last: full }],
    lt: [{ first: value, last: full }],
  }[op];
  const negated = op === "ne" || op === "gt" || op === "lt";
  return { kind: "test", term: { arg, part: "whole" }, mask, spans, negated };
}
