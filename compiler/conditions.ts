/**
 * The pass for arguments: the rules of one call as a decision over 32-bit words.
 *
 * The words are asked one after the other. A word cuts the number line into
 * cells in which the same residual question is left; cells with the same
 * residual are one class, and a minimum-cost tree finds the class of a word
 * (tree.ts). Equal residuals are answered by the same node. So a word is loaded
 * once on every path, and a question that the first word settles never loads
 * the second:
 *
 * ```text
 * socket, a0 < 38, a0 == 39, a0 > 40 → ALLOW
 *   low word   0…37 ALLOW   38 ?   39 ALLOW   40 ?   41… ALLOW
 *   ?          high word    0 ERRNO   else ALLOW
 * ```
 *
 * Comparisons under a mask are no intervals: they are tested first, each
 * distinct one as a test of its own.
 *
 * Every order of words is tried where there are few; the cheapest decision is
 * kept. Where all of them grow beyond a limit (arguments that are compared
 * crosswise by many rules can need exponentially many nodes in any fixed
 * order), the rules are tested one by one, which is linear in their number.
 *
 * @module
 */

import { argOffset } from "../bpf/seccomp_data.ts";
import type { ReturnValue, Rule } from "../profile/policy.ts";
import { cellsOf } from "./cells.ts";
import { chainOf } from "./chain.ts";
import { ARGUMENT_COSTS, argumentWeight } from "./cost.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import {
  halfOf,
  knowMasked,
  knowWord,
  type MaskedFact,
  type Part,
  type Word,
} from "./part.ts";
import { narrow, type Residual, residualOf, wordsOf } from "./residual.ts";
import { treeOfCells } from "./tree.ts";

/** A decision and the instructions that a call is expected to execute in it. */
export interface Costed {
  readonly node: Decision;
  /** Expected instructions, the word of the first test not loaded. */
  readonly cost: number;
}

const FULL = 0xffff_ffff;

/** Most words whose orders are all tried: 4! = 24 orders. */
const MAX_PERMUTED = 4;
/** Most residuals that one order may make. */
const MAX_RESIDUALS = 20_000;
/** Most masked comparisons of one word among which the best first one is sought. */
const MAX_SEARCHED_MASKS = 4;

/**
 * Decides one call by its arguments.
 *
 * @param graph Where nodes are made.
 * @param rules Rules that cover the call, first match wins.
 * @param defaultValue Where none matches.
 * @param littleEndian Byte order of the machine.
 * @returns The decision; a leaf where arguments do not matter.
 */
export function decideArguments(
  graph: DecisionGraph,
  rules: readonly Rule[],
  defaultValue: ReturnValue,
  littleEndian: boolean,
): Costed {
  const [rule] = rules;
  if (rule === undefined || rule.conditions.length === 0) {
    return { node: graph.leaf(rule?.value ?? defaultValue), cost: 1 };
  }
  const residual = residualOf(rules, defaultValue);
  let best: Costed | undefined;
  for (const order of wordOrders(wordsOf(residual))) {
    const search: Search = {
      graph,
      order,
      littleEndian,
      answers: new Map(),
    };
    const found = answer(search, residual);
    if (found === undefined) continue;
    if (best === undefined || found.cost < best.cost) best = found;
  }
  return best ??
    { node: chainOf(graph, residual, littleEndian), cost: Infinity };
}

/** Orders to try: low words first, then every other one where words are few. */
function wordOrders(words: readonly Word[]): readonly (readonly Word[])[] {
  const lowFirst = [
    ...words.filter((w) => w % 2 === 0),
    ...words.filter((w) => w % 2 === 1),
  ];
  if (words.length > MAX_PERMUTED) return [lowFirst, words];
  return permutations(lowFirst);
}

function permutations(words: readonly Word[]): readonly (readonly Word[])[] {
  if (words.length < 2) return [words];
  return words.flatMap((word, i) =>
    permutations([...words.slice(0, i), ...words.slice(i + 1)])
      .map((rest) => [word, ...rest])
  );
}

interface Search {
  readonly graph: DecisionGraph;
  readonly order: readonly Word[];
  readonly littleEndian: boolean;
  readonly answers: Map<string, Costed>;
}

/** Answers a residual with a fresh accumulator; `undefined` beyond the limit. */
function answer(search: Search, residual: Residual): Costed | undefined {
  const known = search.answers.get(residual.key);
  if (known !== undefined) return known;
  if (search.answers.size >= MAX_RESIDUALS) return undefined;
  const asked = new Set(wordsOf(residual));
  const word = search.order.find((w) => asked.has(w));
  let found: Costed | undefined;
  if (word === undefined) {
    found = { node: search.graph.leaf(residual.otherwise), cost: 1 };
  } else {
    const inside = answerWord(search, residual, word, []);
    found = inside === undefined
      ? undefined
      : { node: inside.node, cost: inside.cost + ARGUMENT_COSTS.load };
  }
  if (found !== undefined) search.answers.set(residual.key, found);
  return found;
}

/** Answers a residual whose next word is in the accumulator, about which some facts are known. */
function answerWord(
  search: Search,
  residual: Residual,
  word: Word,
  facts: readonly MaskedFact[],
): Costed | undefined {
  const masked = maskedTests(residual, word);
  if (masked.length === 0) return answerCells(search, residual, word, facts);
  const tried = masked.length > MAX_SEARCHED_MASKS
    ? masked.slice(0, 1)
    : masked;
  let best: Costed | undefined;
  for (const test of tried) {
    const found = branchOn(search, residual, word, facts, test);
    if (found !== undefined && (best === undefined || found.cost < best.cost)) {
      best = found;
    }
  }
  return best;
}

function branchOn(
  search: Search,
  residual: Residual,
  word: Word,
  facts: readonly MaskedFact[],
  { mask, value }: { readonly mask: number; readonly value: number },
): Costed | undefined {
  const side = (holds: boolean): Costed | undefined => {
    const fact = { mask, value, holds };
    const rest = narrow(residual, word, (p: Part) => knowMasked(p, word, fact));
    const goesOn = wordsOf(rest).includes(word);
    return goesOn
      ? answerWord(search, rest, word, [...facts, fact])
      : answer(search, rest);
  };
  const yes = side(true);
  const no = side(false);
  if (yes === undefined || no === undefined) return undefined;
  const offset = offsetOf(word, search.littleEndian);
  const bit = (mask & (mask - 1)) === 0;
  const { graph } = search;
  // All bits clear, or a single bit set, is one JSET; else AND and JEQ.
  const node = value === 0
    ? graph.branch(
      { offset, mask: FULL, op: "set", k: mask },
      no.node,
      yes.node,
    )
    : bit
    ? graph.branch(
      { offset, mask: FULL, op: "set", k: mask },
      yes.node,
      no.node,
    )
    : graph.branch({ offset, mask, op: "eq", k: value }, yes.node, no.node);
  const own = value === 0 || bit ? 1 : 2;
  return { node, cost: own + (yes.cost + no.cost) / 2 };
}

/** The distinct comparisons of a word under a mask. */
function maskedTests(
  residual: Residual,
  word: Word,
): readonly { readonly mask: number; readonly value: number }[] {
  const tests = new Map<string, { mask: number; value: number }>();
  for (const { parts } of residual.rules) {
    for (const part of parts) {
      const half = halfOf(part, word);
      if (half === undefined || half.mask === FULL || half.mask === 0) continue;
      const { mask, value } = half;
      tests.set(`${mask}:${value}`, { mask, value });
    }
  }
  return [...tests.values()];
}

function answerCells(
  search: Search,
  residual: Residual,
  word: Word,
  facts: readonly MaskedFact[],
): Costed | undefined {
  const cells = cellsOf(residual, word, facts);
  const answered: {
    readonly first: number;
    readonly last: number;
    readonly node: Decision;
    readonly weight: number;
  }[] = [];
  let below = 0;
  let total = 0;
  for (const { first, last } of cells) {
    const rest = narrow(residual, word, (p: Part) => knowWord(p, word, first));
    const found = answer(search, rest);
    if (found === undefined) return undefined;
    const weight = argumentWeight(first);
    below += weight * found.cost;
    total += weight;
    answered.push({ first, last, node: found.node, weight });
  }
  const offset = offsetOf(word, search.littleEndian);
  const tree = treeOfCells(search.graph, offset, answered, {
    cubes: true,
    prove: false,
  });
  return { node: tree.node, cost: tree.cost / total + below / total };
}

function offsetOf(word: Word, littleEndian: boolean): number {
  return argOffset(word >> 1, word % 2 === 0 ? "lo" : "hi", littleEndian);
}
