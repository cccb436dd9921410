/**
 * Searches that are done once: attempts that only share parts, and decisions that
 * differ only after the number, have equal problems.
 *
 * @module
 */

import type { SearchOptions, SearchProblem, SearchResult } from "./problem.ts";
import { searchTree } from "./search.ts";

/** Results by problem, price and limit on depth. */
export type Searches = Map<string, SearchResult>;

/**
 * Finds a tree, or takes the one that was found for an equal problem.
 *
 * @param searches Results so far, for options that are otherwise the same.
 * @param problem The problem.
 * @param options The cost, and limits.
 */
export function searchOnce(
  searches: Searches,
  problem: SearchProblem,
  options: SearchOptions = {},
): SearchResult {
  const { starts, singles, classes, weights } = problem;
  const { sizePenalty, maxDepth } = options;
  const key = [sizePenalty, maxDepth, starts, singles, classes, weights]
    .join(" ");
  const found = searches.get(key) ?? searchTree(problem, options);
  searches.set(key, found);
  return found;
}
