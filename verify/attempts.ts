/**
 * Orders of variables and sizes of diagrams, tried one after the other under one
 * budget of steps: a small diagram is made faster and is nearly always enough;
 * sums of words need the bits of all words together.
 *
 * A program that multiplies words has no small diagram in any order. The budget
 * is for all attempts together, so that it is given up as early as any other.
 *
 * @module
 */

import { createSymbols, type Order, type Symbols } from "./core/symbols.ts";
import { type DiagramLimits, type LimitName, LimitReached } from "./limits.ts";

/** Order of variables, share of the nodes, and maximum share of the steps. */
type Attempt = readonly [order: Order, nodes: number, steps: number];

const ATTEMPTS: readonly Attempt[] = [
  ["word", 1 / 64, 1 / 16],
  ["word", 1 / 8, 1 / 8],
  ["bit", 1 / 8, 1 / 8],
  ["word", 1, 1],
  ["bit", 1, 1],
];

/**
 * Works with a diagram, in the first order and size that suffice.
 *
 * @param limits Nodes of one diagram, and steps of all of them.
 * @param work The work, which throws `LimitReached` if the diagram does.
 * @param orders The orders to try; all by default.
 * @returns The result, or the limit that ended the last attempt.
 */
export function attemptOrders<T extends object>(
  limits: DiagramLimits,
  work: (symbols: Symbols, order: Order) => T,
  orders: readonly Order[] = ["word", "bit"],
): T | LimitName {
  let left = limits.steps;
  let limit: LimitName = "steps";
  for (const [order, ofNodes, ofSteps] of ATTEMPTS) {
    if (!orders.includes(order)) continue;
    const symbols = createSymbols(order, {
      ...limits,
      nodes: Math.ceil(limits.nodes * ofNodes),
      steps: Math.min(left, Math.ceil(limits.steps * ofSteps)),
    });
    try {
      return work(symbols, order);
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      limit = error.limit;
      if (limit === "interrupted") break;
    }
    left -= symbols.diagram.steps();
    if (left <= 0) return "steps";
  }
  return limit;
}
