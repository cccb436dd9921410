/**
 * Writes a formula as text that `parseCondition` and `resolveCondition` read
 * back.
 *
 * @module
 */

import {
  type ArgumentWords,
  type WordedCall,
  wordsOfArgument,
} from "./argument_words.ts";
import {
  type Formula,
  fullMask,
  type Span,
  type TermTest,
  widthOf,
} from "./formula.ts";
import { countBits } from "../tables/bits.ts";

/**
 * Maximum number of values of a range that is written as its values if all have
 * names.
 */
const MOST_NAMED = 8;
/** Numbers below are written in decimal digits. */
const LEAST_HEX = 1000n;

/**
 * Writes a formula.
 *
 * @param formula The formula.
 * @param call The call and its architecture.
 * @returns The text; empty if the formula is always true.
 */
export function writeCondition(formula: Formula, call: WordedCall): string {
  if (formula.kind === "test") return testText(formula, call);
  if (formula.parts.length === 0) {
    return formula.kind === "and" ? "" : "arg0 < 0";
  }
  return formula.parts.map((part) => {
    const text = writeCondition(part, call);
    return part.kind === "or" && formula.kind === "and" ? `(${text})` : text;
  }).join(` ${formula.kind} `);
}

function testText(given: TermTest, call: WordedCall): string {
  const test = call.arch?.bits === 32 ? given : widened(given);
  const { term, mask } = test;
  const words = wordsOfArgument(call, term.arg);
  const isNatural = term.part === (call.arch?.bits === 32 ? "low" : "whole");
  const name = isNatural
    ? words.name
    : `${term.part === "high" ? "high32" : "low32"}(${words.name})`;
  const own = term.part === "high" ? withoutNames(words) : words;
  return mask === fullMask(term)
    ? plainText(name, test, own)
    : maskedText(name, test, own);
}

/** Single bits of the low half are the same bits of the whole argument. */
function widened(test: TermTest): TermTest {
  const { term, mask } = test;
  const isFew = countBits(mask) <= widthOf(term) / 2;
  return term.part === "low" && isFew
    ? { ...test, term: { ...term, part: "whole" } }
    : test;
}

/** A comparison of the whole term. */
function plainText(
  name: string,
  { term, spans, negated }: TermTest,
  words: ArgumentWords,
): string {
  const full = fullMask(term);
  const [one] = spans;
  if (spans.length === 1 && one !== undefined) {
    const { first, last } = one;
    if (first === last) {
      return `${name} ${negated ? "!=" : "=="} ${valueText(first, words)}`;
    }
    if (first === 0n) {
      const isMask = (last & (last + 1n)) === 0n;
      if (words.isFlags && isMask && words.writeMask(last) !== undefined) {
        return `${name} ${negated ? "⊈" : "⊆"} ${maskText(last, words)}`;
      }
      return `${name} ${negated ? ">" : "<="} ${boundText(last, words)}`;
    }
    if (last === full) {
      return `${name} ${negated ? "<" : ">="} ${boundText(first, words)}`;
    }
  }
  return `${name} ${negated ? "∉" : "∈"} ${setText(spans, full, words)}`;
}

/** A comparison under a mask. */
function maskedText(
  name: string,
  { term, mask, spans, negated }: TermTest,
  words: ArgumentWords,
): string {
  const full = fullMask(term);
  const others = full & ~mask;
  const isWide = countBits(mask) > widthOf(term) / 2;
  const [one] = spans;
  const value = spans.length === 1 && one?.first === one?.last
    ? one?.first
    : undefined;
  if (value === 0n && isWide) {
    return `${name} ${negated ? "⊈" : "⊆"} ${maskText(others, words)}`;
  }
  const isBit = countBits(mask) === 1;
  if (isBit && (value === 0n || value === mask)) {
    const has = (value === mask) !== negated;
    return `${name} ${has ? "∋" : "∌"} ${maskText(mask, words)}`;
  }
  if (value === mask && words.isFlags && !negated) {
    return `${name} ∋ ${maskText(mask, words)}`;
  }
  const masked = `(${name} & ${
    isWide ? `~${bracketed(others, words)}` : bracketed(mask, words)
  })`;
  // A part of the bits of an enumeration has no name.
  const parts = words.isFlags ? words : withoutNames(words);
  if (value !== undefined) {
    return `${masked} ${negated ? "!=" : "=="} ${valueText(value, parts)}`;
  }
  return `${masked} ${negated ? "∉" : "∈"} ${setText(spans, full, parts)}`;
}

function setText(
  spans: readonly Span[],
  full: bigint,
  words: ArgumentWords,
): string {
  const items = spans.flatMap((span) => spanTexts(span, full, words));
  const [only = ""] = items;
  return items.length === 1 ? only : `{${items.join(", ")}}`;
}

function spanTexts(
  { first, last }: Span,
  full: bigint,
  words: ArgumentWords,
): readonly string[] {
  if (first === last) return [valueText(first, words)];
  const count = last - first + 1n;
  const values = count <= MOST_NAMED
    ? Array.from({ length: Number(count) }, (_, i) => first + BigInt(i))
    : [];
  const isListed = count === 2n ||
    values.length > 0 &&
      values.every((value) => value === 0n || isNamed(value, words)) &&
      values.some((value) => isNamed(value, words));
  if (isListed) return values.map((value) => valueText(value, words));
  const end = last === full ? "" : boundText(last, words);
  return [`${boundText(first, words)}..${end}`];
}

function bracketed(value: bigint, words: ArgumentWords): string {
  const text = maskText(value, words);
  return text.includes("|") ? `(${text})` : text;
}

function isNamed(value: bigint, words: ArgumentWords): boolean {
  return words.write(value) !== undefined;
}

/** The end of a range; bits have no order that their names would show. */
function boundText(value: bigint, words: ArgumentWords): string {
  return words.isFlags ? numberText(value) : valueText(value, words);
}

function valueText(value: bigint, words: ArgumentWords): string {
  return words.write(value) ?? numberText(value);
}

function maskText(mask: bigint, words: ArgumentWords): string {
  return words.writeMask(mask) ?? numberText(mask);
}

/**
 * Writes a number: small ones in decimal digits, others in hex.
 *
 * @param value A u64.
 */
export function numberText(value: bigint): string {
  return value < LEAST_HEX ? String(value) : `0x${value.toString(16)}`;
}

/** The same argument without names for its values. */
function withoutNames(words: ArgumentWords): ArgumentWords {
  return {
    ...words,
    isFlags: false,
    write: () => undefined,
    writeMask: () => undefined,
  };
}
