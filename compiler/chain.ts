/**
 * The simple way to decide a call by its arguments: rule by rule, condition by
 * condition. It is linear in the size of the rules, and used if a decision over
 * the words in a fixed order would grow beyond bounds.
 *
 * @module
 */

import { argOffset } from "../bpf/seccomp_data.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import type { PairTest, Part, WordTest } from "./part.ts";
import type { Residual } from "./residual.ts";

/**
 * Builds the chain.
 *
 * @param graph Graph in which nodes are made.
 * @param residual The rules.
 * @param littleEndian Byte order of the machine.
 */
export function chainOf(
  graph: DecisionGraph,
  residual: Residual,
  littleEndian: boolean,
): Decision {
  const words: Words = { graph, littleEndian };
  return residual.rules.reduceRight<Decision>(
    (no, { parts, value }) =>
      parts.reduceRight<Decision>(
        (yes, part) => testPart(words, part, yes, no),
        graph.leaf(value),
      ),
    graph.leaf(residual.otherwise),
  );
}

interface Words {
  readonly graph: DecisionGraph;
  readonly littleEndian: boolean;
}

function testPart(
  words: Words,
  part: Part,
  yes: Decision,
  no: Decision,
): Decision {
  if (typeof part === "boolean") return part ? yes : no;
  return part.kind === "word"
    ? testWord(words, part, yes, no)
    : testPair(words, part, yes, no);
}

function testWord(
  { graph, littleEndian }: Words,
  { word, op, mask, value }: WordTest,
  yes: Decision,
  no: Decision,
): Decision {
  const half = word % 2 === 0 ? "lo" : "hi";
  const offset = argOffset(word >> 1, half, littleEndian);
  switch (op) {
    case "eq":
    case "ge":
      return graph.branch({ offset, mask, op, k: value }, yes, no);
    case "ne":
      return graph.branch({ offset, mask, op: "eq", k: value }, no, yes);
    case "lt":
      return graph.branch({ offset, mask, op: "ge", k: value }, no, yes);
  }
}

/** The high half first; the low half decides if the high ones are equal. */
function testPair(
  words: Words,
  { arg, op, hi, lo }: PairTest,
  yes: Decision,
  no: Decision,
): Decision {
  const low = (): Decision =>
    testWord(words, { kind: "word", word: 2 * arg, op, ...lo }, yes, no);
  const high = (
    test: "eq" | "ge",
    value: number,
    yesHigh: Decision,
    noHigh: Decision,
  ): Decision =>
    testWord(
      words,
      { kind: "word", word: 2 * arg + 1, op: test, mask: hi.mask, value },
      yesHigh,
      noHigh,
    );
  switch (op) {
    case "eq":
      return high("eq", hi.value, low(), no);
    case "ne":
      return high("eq", hi.value, low(), yes);
    case "lt":
      return high("eq", hi.value, low(), high("ge", hi.value, no, yes));
    case "ge":
      return high("eq", hi.value, low(), high("ge", hi.value, yes, no));
  }
}
