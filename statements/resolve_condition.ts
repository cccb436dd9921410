/**
 * Resolves the names in a condition to numbers, for one call of one
 * architecture.
 *
 * @module
 */

import { didYouMean } from "../tables/suggest.ts";
import { quoteText } from "../tables/printable.ts";
import {
  argumentByName,
  ARGUMENTS,
  type ArgumentWords,
  plainName,
  type WordedCall,
  wordsOfArgument,
} from "./argument_words.ts";
import {
  StatementError,
  UnknownArgumentError,
  type WrittenCondition,
  type WrittenTest,
  type WrittenValue,
} from "./condition.ts";
import {
  ALWAYS_TRUE,
  type Formula,
  fullMask,
  joinFormulas,
  negateFormula,
  NEVER_TRUE,
  type Span,
  type Term,
} from "./formula.ts";

import { joinSpans } from "./span_lists.ts";

/**
 * Turns a condition into numbers. On architectures of 32 bits the name of an
 * argument means its low half, because arguments have only 32 bits there.
 *
 * @throws {StatementError} if a name is unknown, or a number does not fit.
 *
 * @param condition The condition.
 * @param call The call and its architecture.
 * @returns The formula.
 */
export function resolveCondition(
  condition: WrittenCondition,
  call: WordedCall,
): Formula {
  switch (condition.kind) {
    case "not":
      return negateFormula(resolveCondition(condition.part, call));
    case "and":
    case "or":
      return joinFormulas(
        condition.kind,
        condition.parts.map((part) => resolveCondition(part, call)),
      );
    case "test":
      return resolveTest(condition, call);
  }
}

function resolveTest(test: WrittenTest, call: WordedCall): Formula {
  const arg = argumentByName(call, test.name);
  if (arg === undefined) throw unknownArgument(test, call);
  const half = test.half ?? (call.arch?.bits === 32 ? "low" : undefined);
  const term: Term = { arg, part: half ?? "whole" };
  const full = fullMask(term);
  const words = wordsOfArgument(call, arg);
  const read = (value: WrittenValue): bigint => valueOf(value, full, words);
  const [one = 0n] = test.spans.map(({ first }) => read(first));
  const mask = test.mask === undefined ? full : read(test.mask);
  const within = (
    spans: readonly Span[],
    under: bigint,
    negated: boolean,
  ): Formula => {
    if (spans.length === 0) return negated ? ALWAYS_TRUE : NEVER_TRUE;
    return { kind: "test", term, mask: under, spans, negated };
  };
  const upTo = (last: bigint, negated: boolean): Formula =>
    within(last < 0n ? [] : [{ first: 0n, last }], mask, negated);
  switch (test.op) {
    case "==":
    case "!=":
      return within([{ first: one, last: one }], mask, test.op === "!=");
    case "<":
    case ">=":
      return upTo(one - 1n, test.op === ">=");
    case "<=":
    case ">":
      return upTo(one, test.op === ">");
    case "subset":
    case "not subset":
      return within(ZERO, mask & full & ~one, test.op === "not subset");
    case "has":
    case "lacks":
      return within(
        [{ first: one, last: one }],
        mask & one,
        test.op === "lacks",
      );
    case "in":
    case "not in": {
      const spans = test.spans.map(({ first, last }): Span => ({
        first: read(first),
        last: last === "end" ? full : read(last ?? first),
      }));
      const backward = spans.findIndex(({ first, last }) => first > last);
      if (backward >= 0) {
        throw new StatementError(
          "Cannot read the condition: a range ends before it begins",
          test.spans[backward]?.first.atoms[0]?.offset ?? test.offset,
        );
      }
      return within(joinSpans(spans), mask, test.op === "not in");
    }
  }
}

const ZERO: readonly Span[] = [{ first: 0n, last: 0n }];

function valueOf(
  { atoms, inverted }: WrittenValue,
  full: bigint,
  words: ArgumentWords,
): bigint {
  let value = 0n;
  for (const { value: atom, offset } of atoms) {
    const number = typeof atom === "bigint" ? atom : words.read(atom);
    if (number === undefined) throw unknownValue(String(atom), offset, words);
    const bits = number & full;
    if (bits !== number && number !== bits - full - 1n) {
      throw new StatementError(
        `Cannot use ${atom} as a value of ${words.name}: it has more than ${
          full.toString(2).length
        } bits`,
        offset,
      );
    }
    value |= bits;
  }
  return inverted ? full & ~value : value;
}

function unknownArgument(
  { name, offset }: WrittenTest,
  call: WordedCall,
): StatementError {
  const names = Array.from(
    { length: ARGUMENTS },
    (_, arg) => wordsOfArgument(call, arg).name,
  );
  const near = didYouMean(name, [...names, plainName(0)]);
  const own = names.filter((one, arg) => one !== plainName(arg));
  const hint = near !== undefined
    ? `did you mean ${near}`
    : own.length > 0
    ? `it has ${own.join(", ")}`
    : "write arg0 to arg5, or ip";
  return new UnknownArgumentError(
    `Cannot read the condition: ${call.name ?? "the call"} has no argument ${
      quoteText(name)
    }; ${hint}`,
    offset,
  );
}

function unknownValue(
  name: string,
  offset: number,
  words: ArgumentWords,
): StatementError {
  const near = didYouMean(name, words.names());
  return new StatementError(
    `Cannot read the condition: ${
      quoteText(name)
    } is no known value of ${words.name}; ${
      near === undefined ? "write a number" : `did you mean ${near}`
    }`,
    offset,
  );
}
