/**
 * Names of the costs that a filter can be compiled for. `compiler/cost.ts`
 * defines them.
 *
 * @module
 */

/**
 * The cost to minimize.
 *
 * @category Compile
 */
export type Objective = "balanced" | "uncached" | "cached" | "size";

/** Names of the objectives, the default first. */
export const OBJECTIVES: readonly Objective[] = [
  "balanced",
  "uncached",
  "cached",
  "size",
];
