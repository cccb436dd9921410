/**
 * Answers a residual question, word by word in a given order.
 *
 * The values of a word without masks are divided into cells, and a minimum-cost
 * tree finds the cell of a value. Comparisons under a mask do not form
 * intervals; they are tested first, each distinct one separately.
 *
 * @module
 */

import { argOffset } from "../bpf/seccomp_data.ts";
import { cellsOf } from "./cells.ts";
import {
  ARGUMENT_COSTS,
  argumentWeight,
  type WeightedInterval,
} from "./cost.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import {
  type ArgWord,
  halfOf,
  knowMasked,
  knowWord,
  type MaskedFact,
  type Part,
} from "./part.ts";
import { present } from "./present.ts";
import {
  narrow,
  type Residual,
  type ResidualRule,
  wordsOf,
} from "./residual.ts";
import { isBitTest, testBits } from "./test_bits.ts";
import { treeOfCells } from "./tree.ts";

/** A decision and its expected number of executed instructions. */
export interface Costed {
  readonly node: Decision;
  /** Expected instructions, without the load for the first test. */
  readonly cost: number;
}

/** One order of words and the results under it. */
export interface Search {
  readonly graph: DecisionGraph;
  readonly order: readonly ArgWord[];
  readonly littleEndian: boolean;
  /** Cost of a test besides its executions, in executed instructions. */
  readonly testPrice: number;
  readonly answers: Map<string, Costed>;
  /** Remaining work. */
  readonly budget: { left: number };
}

const FULL = 0xffff_ffff;
/** Work to build the key of a remaining rule; dropping a rule costs 1. */
const KEPT = 10;
/**
 * Maximum number of masked comparisons of one word for which the best first one
 * is searched.
 */
const MAX_SEARCHED_MASKS = 4;

/** The question about the word in the accumulator. */
interface Question {
  readonly residual: Residual;
  readonly word: ArgWord;
  /** Results of masked tests of the word. */
  readonly facts: readonly MaskedFact[];
}

/** A comparison of a word under a mask, for equality. */
type MaskedTest = Pick<MaskedFact, "mask" | "value">;

/**
 * Answers a residual, with nothing loaded; returns `undefined` beyond the
 * limit.
 */
export function answer(search: Search, residual: Residual): Costed | undefined {
  const known = search.answers.get(residual.key);
  if (known !== undefined) return known;
  const asked = new Set(wordsOf(residual));
  const word = search.order.find((w) => asked.has(w));
  let found: Costed | undefined;
  if (word === undefined) {
    found = { node: search.graph.leaf(residual.otherwise), cost: 1 };
  } else {
    const inside = answerWord(search, { residual, word, facts: [] });
    found = inside === undefined
      ? undefined
      : { node: inside.node, cost: inside.cost + ARGUMENT_COSTS.load };
  }
  if (found !== undefined) search.answers.set(residual.key, found);
  return found;
}

function answerWord(search: Search, question: Question): Costed | undefined {
  const masked = maskedTests(question);
  if (masked.length === 0) return answerCells(search, question);
  const tried = masked.length > MAX_SEARCHED_MASKS
    ? masked.slice(0, 1)
    : masked;
  let best: Costed | undefined;
  for (const test of tried) {
    const found = branchOn(search, question, test);
    if (found !== undefined && (best === undefined || found.cost < best.cost)) {
      best = found;
    }
  }
  return best;
}

function branchOn(
  search: Search,
  { residual, word, facts }: Question,
  { mask, value }: MaskedTest,
): Costed | undefined {
  const side = (holds: boolean): Costed | undefined => {
    const fact = { mask, value, holds };
    const rest = narrowed(
      search,
      residual,
      word,
      (p) => knowMasked(p, word, fact),
    );
    if (rest === undefined) return undefined;
    const goesOn = wordsOf(rest).includes(word);
    return goesOn
      ? answerWord(search, { residual: rest, word, facts: [...facts, fact] })
      : answer(search, rest);
  };
  const yes = side(true);
  if (yes === undefined) return undefined;
  const no = side(false);
  if (no === undefined) return undefined;
  const test = { offset: offsetOf(word, search.littleEndian), mask, value };
  const node = testBits(search.graph, test, yes.node, no.node);
  const own = isBitTest(test) ? 1 : 2;
  return { node, cost: own + (yes.cost + no.cost) / 2 };
}

/** Lists the distinct comparisons of a word under a mask. */
function maskedTests({ residual, word }: Question): readonly MaskedTest[] {
  const tests = new Map<string, MaskedTest>();
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
  { residual, word, facts }: Question,
): Costed | undefined {
  const { budget } = search;
  if (leastWork(residual, word) > budget.left) {
    budget.left = -1;
    return undefined;
  }
  const cells = cellsOf(residual, word, facts);
  const possible = rulesByValue(residual, word);
  const answered: WeightedInterval[] = [];
  let below = 0;
  let total = 0;
  for (const { first, last } of cells) {
    const rest = narrowed(
      search,
      residual,
      word,
      (p) => knowWord(p, word, first),
      possible(first),
    );
    const found = rest && answer(search, rest);
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
    sizePenalty: search.testPrice,
  });
  return { node: tree.node, cost: tree.cost / total + below / total };
}

/**
 * Minimum work for the cells of a word, so that lists of a hundred thousand
 * rules are given up early: a rule remains in the only cell in which it can
 * match, unless it repeats the default.
 */
function leastWork({ rules, otherwise }: Residual, word: ArgWord): number {
  let work = 0;
  for (const { parts, value } of rules) {
    const halves = parts.filter((part) => halfOf(part, word) !== undefined);
    const [only] = halves;
    const remains = halves.length === 1 && only?.op === "eq" &&
      (only.kind === "pair" || parts.length > 1) &&
      equalValue(parts, word) !== undefined;
    // A rule that decides its cell may make later ones redundant.
    if (!remains) return 0;
    if (value !== otherwise) work += 1 + KEPT;
  }
  return work;
}

/**
 * Sorts rules by the values of a word at which they can match: most rules are
 * equalities and can match at one.
 *
 * @returns The rules that can match at a value, in their order.
 */
function rulesByValue(
  { rules }: Residual,
  word: ArgWord,
): (value: number) => readonly ResidualRule[] {
  const anywhere: number[] = [];
  // Most values have one rule.
  const equal = new Map<number, number | number[]>();
  for (const [i, { parts }] of rules.entries()) {
    const value = equalValue(parts, word);
    if (value === undefined) anywhere.push(i);
    else {
      const at = equal.get(value);
      if (at === undefined) equal.set(value, i);
      else if (typeof at === "number") equal.set(value, [at, i]);
      else at.push(i);
    }
  }
  const rulesAt = (indices: readonly number[]): readonly ResidualRule[] =>
    indices.map((i) => present(rules[i]));
  const elsewhere = rulesAt(anywhere);
  return (value) => {
    const here = equal.get(value);
    if (here === undefined) return elsewhere;
    const found = typeof here === "number" ? [here] : here;
    return rulesAt([...anywhere, ...found].sort((a, b) => a - b));
  };
}

/** The one value of a word at which a rule can match, if there is only one. */
function equalValue(
  parts: ResidualRule["parts"],
  word: ArgWord,
): number | undefined {
  for (const part of parts) {
    const half = halfOf(part, word);
    if (half?.op === "eq" && half.mask === FULL) return half.value;
  }
  return undefined;
}

function offsetOf(word: ArgWord, littleEndian: boolean): number {
  return argOffset(word >> 1, word % 2 === 0 ? "lo" : "hi", littleEndian);
}

/** `narrow`, charged to the budget; `undefined` if the budget is used up. */
function narrowed(
  { budget }: Search,
  residual: Residual,
  word: ArgWord,
  know: (part: Part) => Part,
  possible: readonly ResidualRule[] = residual.rules,
): Residual | undefined {
  if (budget.left < 0) return undefined;
  const rest = narrow(residual, word, know, possible);
  budget.left -= possible.length + 1 + KEPT * rest.rules.length;
  return rest;
}
