/**
 * Names of the costs that a filter can be compiled for. `compiler/cost.ts`
 * defines what each of them counts.
 *
 * @module
 */

/** Names of the objectives, the default first. */
export const OBJECTIVES = ["balanced", "uncached", "cached", "size"] as const;

/** The cost to minimize. */
export type Objective = (typeof OBJECTIVES)[number];
