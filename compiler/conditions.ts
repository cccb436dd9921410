/**
 * The pass for arguments: converts the rules of one call to a decision over
 * 32-bit words.
 *
 * The words are tested one after the other. A word cuts its values into cells
 * in which the same residual question is left; cells with the same residual are
 * one class, and a minimum-cost tree finds the class of a word (tree.ts). Equal
 * residuals are answered by the same node. So a word is loaded once on every
 * path, and a question that the first word settles never loads the second:
 *
 * ```text
 * socket, a0 < 38, a0 == 39, a0 > 40 → ALLOW
 *   low word   0…37 ALLOW   38 ?   39 ALLOW   40 ?   41… ALLOW
 *   ?          high word    0 ERRNO   else ALLOW
 * ```
 *
 * If there are few orders of words, all are tried and the cheapest decision is
 * kept. If all of them grow beyond a limit (arguments that are compared
 * crosswise by many rules can need exponentially many nodes in any fixed
 * order), the rules are tested one by one (chain.ts), which is linear in their
 * number.
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

const FULL = 0xffff_ffff;

/**
 * Work limit for one order of words, about 10^7 per second: cheap orders all
 * have the same limit; if none is cheap, the first few may continue. 2,000
 * equalities of one argument take 8 million.
 */
const WORK_LIMITS: readonly (readonly [limit: number, orders: number])[] = [
  [1_000_000, 24],
  [10_000_000, 4],
];
/**
 * Work limit for the first order if a chain would be too long for the kernel:
 * 2,700 equalities, the most that fit, take 15 million.
 */
const LAST_LIMIT: readonly [limit: number, orders: number] = [30_000_000, 1];
/**
 * Number of tests that a decision may always have; beyond it, no more than the
 * chain has.
 */
const MAX_FREE_SIZE = 256;

/** Data that all calls of a policy share. */
export interface Calls {
  /** Graph in which nodes are made. */
  readonly graph: DecisionGraph;
  /** Return value if no rule matches. */
  readonly defaultValue: ReturnValue;
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** Decisions so far: a profile gives many calls the same rules. */
  readonly decided: Map<string, Decision>;
}

/**
 * Decides one call by its arguments.
 *
 * @param calls The shared data; remembers the decision.
 * @param rules Rules that cover the call, first match wins.
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
  }
  return node;
}

function decideResidual(
  { graph, littleEndian }: Calls,
  residual: Residual,
): Decision {
  const chain = (): Decision => chainOf(graph, residual, littleEndian);
  // No profile has bounds under a mask, and cells could not express them.
  if (hasMaskedBound(residual)) return chain();
  const orders = wordOrders(wordsOf(residual));
  const limits = chainFits(residual)
    ? WORK_LIMITS
    : [...WORK_LIMITS, LAST_LIMIT];
  for (const [limit, count] of limits) {
    let best: Costed | undefined;
    for (const order of orders.slice(0, count)) {
      const found = answer({
        graph,
        order,
        littleEndian,
        answers: new Map(),
        budget: { left: limit },
      }, residual);
      if (found === undefined) continue;
      if (best === undefined || found.cost < best.cost) best = found;
    }
    if (best === undefined) continue;
    const size = countBranches(best.node);
    if (size <= MAX_FREE_SIZE) return best.node;
    const plain = chain();
    return size <= countBranches(plain) ? best.node : plain;
  }
  return chain();
}

/**
 * Reports whether testing the rules one by one may be short enough, even if
 * there are very many.
 */
function chainFits({ rules }: Residual): boolean {
  const parts = rules.reduce((sum, rule) => sum + rule.parts.length, 0);
  return parts < BPF_MAXINSNS / 4 || rules.length > BPF_MAXINSNS;
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
