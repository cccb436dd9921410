/**
 * The simple way to decide a call by its arguments: rule by rule, word by word.
 * Used if a decision over the words in a fixed order would grow too large.
 *
 * Rules that begin with the same test share it, so that the chain is no longer
 * than libseccomp's list for the same rules:
 *
 * ```text
 * a0 == 7, a0 == 9, a0 == 12 → ALLOW     high == 0 ─ yes ─▶ low == 7, low == 9, low == 12
 * ```
 *
 * A bound of 64 bits is two tests, and the rest is needed after both; so
 * sharing its first test is useful only if the rest is short. Both variants are
 * tried.
 *
 * @module
 */

import { argOffset } from "../bpf/seccomp_data.ts";
import type { ReturnValue } from "../profile/policy.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import { type ArgWord, knowWord, type PairTest, type Part } from "./part.ts";
import { present } from "./present.ts";
import type { Residual } from "./residual.ts";
import { lengthOf } from "./size.ts";
import { isBitTest, testBits } from "./test_bits.ts";

/** One rule of the chain. */
interface ChainRule {
  /** All must be true. */
  readonly parts: readonly Exclude<Part, boolean>[];
  readonly value: ReturnValue;
}

/** A test of one word. */
interface ChainTest {
  readonly word: ArgWord;
  readonly op: "eq" | "ge";
  readonly mask: number;
  readonly value: number;
}

/** The first test of a part, and the rest of the part on both sides. */
interface SplitPart {
  readonly test: ChainTest;
  readonly yes: Part;
  readonly no: Part;
}

/** Rules that begin with the same test, or one rule that always matches. */
interface Group {
  readonly test: ChainTest | undefined;
  readonly rules: ChainRule[];
}

interface Context {
  readonly graph: DecisionGraph;
  readonly littleEndian: boolean;
  /** True to share a test if a rule continues after both of its answers. */
  readonly sharesBounds: boolean;
}

const FULL = 0xffff_ffff;

/**
 * Builds the chain.
 *
 * @param graph Graph in which nodes are created.
 * @param residual The rules.
 * @param littleEndian Byte order of the machine.
 */
export function chainOf(
  graph: DecisionGraph,
  { rules, otherwise }: Residual,
  littleEndian: boolean,
): Decision {
  const build = (sharesBounds: boolean): Decision =>
    follow({ graph, littleEndian, sharesBounds }, rules, graph.leaf(otherwise));
  const plain = build(false);
  if (rules.every(({ parts }) => parts.every(({ op }) => op === "eq"))) {
    return plain;
  }
  const shared = build(true);
  return lengthOf(plain) <= lengthOf(shared) ? plain : shared;
}

/** Tests the rules one after the other; `rest` follows if none matches. */
function follow(
  context: Context,
  rules: readonly ChainRule[],
  rest: Decision,
): Decision {
  return groupsOf(context, rules).reduceRight<Decision>(
    (no, group) => decideGroup(context, group, no),
    rest,
  );
}

function decideGroup(
  context: Context,
  { test, rules }: Group,
  rest: Decision,
): Decision {
  const { graph, littleEndian } = context;
  if (test === undefined) return graph.leaf(present(rules[0]).value);
  const yes: ChainRule[] = [];
  const no: ChainRule[] = [];
  for (const { parts: [first, ...others], value } of rules) {
    const sides = splitPart(present(first));
    addRule(yes, sides.yes, others, value);
    addRule(no, sides.no, others, value);
  }
  const half = test.word % 2 === 0 ? "lo" : "hi";
  const offset = argOffset(test.word >> 1, half, littleEndian);
  const holds = follow(context, yes, rest);
  const fails = follow(context, no, rest);
  const { op, mask, value } = test;
  return op === "eq"
    ? testBits(graph, { offset, mask, value }, holds, fails)
    : graph.branch({ offset, mask, op, k: value }, holds, fails);
}

function addRule(
  rules: ChainRule[],
  first: Part,
  others: ChainRule["parts"],
  value: ReturnValue,
): void {
  if (first === false) return;
  rules.push({ parts: first === true ? others : [first, ...others], value });
}

/** The high half first; the low half decides if the high ones are equal. */
function splitPart(part: Exclude<Part, boolean>): SplitPart {
  if (part.kind === "pair") return splitPair(part);
  const { word, op, mask, value } = part;
  const positive = op === "eq" || op === "ge";
  return {
    test: { word, op: op === "eq" || op === "ne" ? "eq" : "ge", mask, value },
    yes: positive,
    no: !positive,
  };
}

function splitPair(part: PairTest): SplitPart {
  const { arg, op, hi: { mask, value } } = part;
  const word = 2 * arg + 1;
  return {
    test: { word, op: "eq", mask, value },
    yes: knowWord(part, word, value),
    no: op === "eq" || op === "ne"
      ? op === "ne"
      : { kind: "word", word, op, mask, value },
  };
}

/**
 * Groups rules by their first test. Consecutive rules with the same outcome may
 * be reordered; all others keep their places.
 */
function groupsOf(
  context: Context,
  rules: readonly ChainRule[],
): readonly Group[] {
  const groups: Group[] = [];
  let before: string | undefined;
  let to = 0;
  for (let from = 0; from < rules.length; from = to) {
    const { value } = present(rules[from]);
    while (rules[to]?.value === value) to++;
    const run = groupRun(context, rules.slice(from, to));
    // The last rule of a run is followed by the next run; the first rule of
    // that comes last.
    const same = before === undefined ? undefined : run.get(before);
    if (before !== undefined && same !== undefined) {
      present(groups.at(-1)).rules.push(...same.rules);
      run.delete(before);
    }
    const next = rules[to];
    const last = next && keyOf(context, next);
    const tail = last === undefined ? undefined : run.get(last);
    const sorted = sortGroups([...run.values()].filter((g) => g !== tail));
    groups.push(...sorted, ...tail === undefined ? [] : [tail]);
    const end = groups.at(-1)?.rules.at(-1);
    before = end && keyOf(context, end);
  }
  return groups;
}

/** Groups rules of one outcome. */
function groupRun(
  context: Context,
  rules: readonly ChainRule[],
): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const [i, rule] of rules.entries()) {
    // A unique key for a rule that shares no test.
    const key = keyOf(context, rule) ?? `${i}`;
    const group = groups.get(key);
    if (group !== undefined) group.rules.push(rule);
    else {
      const [first] = rule.parts;
      groups.set(key, { test: first && splitPart(first).test, rules: [rule] });
    }
  }
  return groups;
}

/** A text that is equal if rules may share their first test. */
function keyOf(
  { sharesBounds }: Context,
  { parts: [first] }: ChainRule,
): string | undefined {
  if (first === undefined) return "always";
  const { test: { word, op, mask, value }, yes, no } = splitPart(first);
  if (!sharesBounds && yes !== false && no !== false) return undefined;
  return `${word} ${op} ${mask} ${value}`;
}

/**
 * Puts tests of one word, and then of one mask, side by side: it is loaded
 * once. The argument with most rules is last: the rest after the last test is
 * the same whether high halves were tested before or not, so architectures
 * share it.
 */
function sortGroups(groups: readonly Group[]): readonly Group[] {
  const counts = new Map<number, number>();
  for (const { test, rules } of groups) {
    const arg = argOf(test);
    counts.set(arg, (counts.get(arg) ?? 0) + rules.length);
  }
  const countOf = ({ test }: Group): number => counts.get(argOf(test)) ?? 0;
  return groups.toSorted((a, b) =>
    countOf(a) - countOf(b) || argOf(b.test) - argOf(a.test) ||
    rankOf(a) - rankOf(b) || a.rules.length - b.rules.length
  );
}

/** The argument of a test; −1 for none. */
function argOf(test: ChainTest | undefined): number {
  return test === undefined ? -1 : test.word >> 1;
}

/** Tests that leave the word in the accumulator come first. */
function rankOf({ test }: Group): number {
  if (test === undefined) return -1;
  const { word, op, mask } = test;
  const keepsWord = mask === FULL || (op === "eq" && isBitTest(test));
  return word * 2 ** 33 + (keepsWord ? 0 : 2 ** 32 + mask);
}
