/**
 * The pass for arguments: converts the rules of one call to a decision over
 * 32-bit words.
 *
 * The words are tested one after the other. The values of a word are divided
 * into cells that leave the same residual question; cells with the same
 * residual are one class, and a minimum-cost tree finds the class of a word
 * (tree.ts). Equal residuals are answered by the same node. So each path loads
 * a word at most once, and never loads the second word if the first one
 * decides:
 *
 * ```text
 * socket, a0 < 38, a0 == 39, a0 > 40 → ALLOW
 *   low word   0…37 ALLOW   38 ?   39 ALLOW   40 ?   41… ALLOW
 *   ?          high word    0 ERRNO   else ALLOW
 * ```
 *
 * If there are few orders of words, all are tried and the cheapest decision is
 * kept. If many rules compare arguments crosswise, any fixed order can need
 * exponentially many nodes. So the work is limited, for each order and for all
 * calls together; beyond it the rules are tested one by one (chain.ts), which
 * is linear in their number.
 *
 * @module
 */

import type { ReturnValue, Rule } from "../profile/policy.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";
import { answer, type Costed } from "./answer.ts";
import { chainOf } from "./chain.ts";
import {
  countBranches,
  type Decision,
  type DecisionGraph,
} from "./decision.ts";
import { wordOrders } from "./orders.ts";
import { type Residual, residualOf, wordsOf } from "./residual.ts";
import { lengthOf, SizeError } from "./size.ts";
import type { Ways } from "./together.ts";

const FULL = 0xffff_ffff;

/** Work limit for one order of words, about 10^7 per second. */
const ORDER_WORK = 1_000_000;
/** Number of orders that may exceed the limit before the others are skipped. */
const MOST_FAILURES = 4;
/** Work limit for all calls of a policy together. */
const TOTAL_WORK = 20_000_000;
/** Work that each order may always use, enough for a few rules. */
const LEAST_WORK = 1000;
/** Number of tests that a decision may always have. */
const MAX_FREE_SIZE = 256;
/** A larger decision may have this many times the tests of the chain. */
const MOST_OF_CHAIN = 2;
/** Maximum number of rules that are tested in their order. */
const MOST_RULES = 8 * BPF_MAXINSNS;
/** Price of a test, in executed instructions, if only size counts. */
const SIZE_PRICE = 10_000;

/**
 * How arguments are decided: with the minimum expected cost, with the fewest
 * instructions for each call, or by testing all rules in order, which lets
 * architectures share more.
 */
export type ArgumentStyle = "cheap" | "short" | "in-order";

/** Data that all calls of a policy share. */
export interface Calls {
  /** Graph in which nodes are made. */
  readonly graph: DecisionGraph;
  /** Return value if no rule matches. */
  readonly defaultValue: ReturnValue;
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** How arguments are decided. */
  readonly style: ArgumentStyle;
  /** Number of tests on arguments from which the program is given up. */
  readonly mostTests: number;
  /** Decisions so far: a profile gives many calls the same rules. */
  readonly decided: Map<string, Decision>;
  /** Equal decisions to choose from, for `short`; not kept if absent. */
  readonly ways?: Map<string, Ways>;
  /** Work so far; shared. */
  readonly work: ArgumentWork;
}

/** Work on calls that are decided by their arguments. */
export interface ArgumentWork {
  /** Remaining work. */
  left: number;
  /** Different lists of rules that are tested in their order, since the work is limited. */
  inOrder: number;
  /** Tests of the decisions so far. */
  readonly tests: Set<Decision>;
}

/** Returns the work with which a policy starts. */
export function newArgumentWork(): ArgumentWork {
  return { left: TOTAL_WORK, inOrder: 0, tests: new Set() };
}

/**
 * Decides one call by its arguments.
 *
 * @param calls The shared data; remembers the decision.
 * @param rules Rules that cover the call, first match wins.
 * @throws {SizeError} if the calls have too many tests together.
 * @returns The decision; a leaf if arguments do not matter.
 */
export function decideArguments(
  calls: Calls,
  rules: readonly Rule[],
): Decision {
  const rule = rules[0];
  if (rule === undefined || rule.conditions.length === 0) {
    return calls.graph.leaf(rule?.value ?? calls.defaultValue);
  }
  const residual = residualOf(rules, calls.defaultValue);
  let node = calls.decided.get(residual.key);
  if (node === undefined) {
    node = decideResidual(calls, residual);
    calls.decided.set(residual.key, node);
    countTests(calls, node);
  }
  return node;
}

/** Counts the tests that no earlier decision has. */
function countTests(
  { work: { tests }, mostTests }: Calls,
  root: Decision,
): void {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.kind !== "branch" || tests.has(node)) continue;
    tests.add(node);
    stack.push(node.yes, node.no);
  }
  if (tests.size > mostTests) throw new SizeError(mostTests, []);
}

function decideResidual(calls: Calls, residual: Residual): Decision {
  const { graph, littleEndian, style, work } = calls;
  const chain = (): Decision => {
    // Each rule has a separate test.
    if (residual.rules.length > MOST_RULES) throw new SizeError(MOST_RULES, []);
    return chainOf(graph, residual, littleEndian);
  };
  // Profiles cannot contain bounds under a mask, and cells could not express
  // them.
  if (style === "in-order" || hasMaskedBound(residual)) return chain();
  const found = answers(calls, residual);
  const best = cheapest(found, style);
  if (best === undefined) {
    work.inOrder++;
    return chain();
  }
  const { node } = best;
  if (style === "short") {
    const plain = chain();
    const alone = lengthOf(node) < lengthOf(plain) ? node : plain;
    const all = [...new Set([...found.map((each) => each.node), plain])];
    calls.ways?.set(residual.key, { alone, all });
    return alone;
  }
  const size = countBranches(node);
  if (size <= MAX_FREE_SIZE) return node;
  const plain = chain();
  return size <= MOST_OF_CHAIN * countBranches(plain) ? node : plain;
}

/** The cheapest of equal decisions, or the shortest; the first of equal ones. */
function cheapest(
  found: readonly Costed[],
  style: ArgumentStyle,
): Costed | undefined {
  const costOf = ({ node, cost }: Costed): number =>
    style === "short" ? lengthOf(node) : cost;
  let best: Costed | undefined;
  let least = Infinity;
  for (const each of found) {
    const cost = costOf(each);
    if (cost < least) [best, least] = [each, cost];
  }
  return best;
}

/** Tries the orders of words; the result is empty if each exceeds the limit. */
function answers(
  { graph, littleEndian, style, work }: Calls,
  residual: Residual,
): readonly Costed[] {
  const found: Costed[] = [];
  let failures = 0;
  for (const order of wordOrders(wordsOf(residual))) {
    const allowed = Math.min(ORDER_WORK, Math.max(LEAST_WORK, work.left));
    const budget = { left: allowed };
    const costed = answer({
      graph,
      order,
      littleEndian,
      testPrice: style === "short" ? SIZE_PRICE : 0,
      answers: new Map(),
      budget,
    }, residual);
    work.left -= allowed - Math.max(0, budget.left);
    if (costed !== undefined) found.push(costed);
    else if (++failures === MOST_FAILURES) break;
  }
  return found;
}

function hasMaskedBound(residual: Residual): boolean {
  return residual.rules.some(({ parts }) =>
    parts.some((part) =>
      (part.op === "lt" || part.op === "ge") &&
      (part.kind === "word" ? [part] : [part.hi, part.lo])
        .some(({ mask }) => mask !== FULL)
    )
  );
}
