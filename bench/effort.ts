/**
 * The amount of measurement: the full run, and a run that ends within 20
 * seconds.
 *
 * @module
 */

import type { ContainerEffort } from "./experiments/containers.ts";
import type { GrowthSizes } from "./experiments/growth.ts";
import type { Effort } from "./engine/rounds.ts";

/** Adjustable parameters of a run. */
export interface Efforts {
  readonly calls: Effort;
  readonly positions: Effort;
  /** Numbers of calls in the lists. */
  readonly lengths: readonly number[];
  readonly published: Effort;
  readonly growth: Effort;
  readonly sizes: GrowthSizes;
  readonly builds: number;
  readonly stackedRounds: number;
  readonly stackedHeight: number;
  /** True to measure memory. */
  readonly memory: boolean;
  readonly containers: ContainerEffort;
}

/** The run for publication: three to five minutes. */
export const FULL: Efforts = {
  calls: { rounds: 60, count: 250, tries: 4 },
  positions: { rounds: 30, count: 200, tries: 3 },
  lengths: [8, 32, 100, 200, 306, 450],
  published: { rounds: 60, count: 250, tries: 4 },
  growth: { rounds: 40, count: 100, tries: 4 },
  sizes: {
    listed: [8, 32, 100, 200, 306, 450],
    rules: [1, 10, 30, 100, 300, 1000],
  },
  builds: 25,
  stackedRounds: 10,
  stackedHeight: 16,
  memory: true,
  containers: { rounds: 15, batch: 5, slowBatch: 2, probes: 200 },
};

/** A short run of less than 20 seconds, even on a busy machine. */
export const QUICK: Efforts = {
  calls: { rounds: 10, count: 200, tries: 2 },
  positions: { rounds: 5, count: 150, tries: 2 },
  lengths: [8, 306],
  published: { rounds: 10, count: 200, tries: 2 },
  growth: { rounds: 6, count: 100, tries: 2 },
  sizes: { listed: [8, 306], rules: [1, 100] },
  builds: 5,
  stackedRounds: 2,
  stackedHeight: 4,
  memory: false,
  containers: { rounds: 3, batch: 2, slowBatch: 0, probes: 20 },
};
