/**
 * Statistics of repeated measurements.
 *
 * A measurement is repeated in rounds, and each round interleaves everything
 * that is compared. The result of a round is its fastest batch, because other
 * processes can only slow a batch down. The interval of a result is the middle
 * half of its rounds.
 *
 * @module
 */

/** Summary of a repeated measurement, in the unit of its field. */
export interface Spread {
  /** Smallest round. */
  readonly min: number;
  /** Lower end of the interval: a quarter of the rounds is below. */
  readonly low: number;
  /** Half of the rounds is below. */
  readonly median: number;
  /** Upper end of the interval: a quarter of the rounds is above. */
  readonly high: number;
  /** Number of rounds. */
  readonly rounds: number;
}

/** Comparison of two results; `same` if their intervals overlap. */
export type Comparison = "lower" | "same" | "higher";

/**
 * Summarizes rounds.
 *
 * @param rounds One number per round, at least one.
 * @returns The spread; quartiles are interpolated between neighbors.
 * @throws {RangeError} if there are no rounds.
 */
export function summarize(rounds: readonly number[]): Spread {
  if (rounds.length === 0) {
    throw new RangeError("Cannot summarize: no rounds: measure at least once");
  }
  const sorted = [...rounds].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)] ?? 0;
    const above = sorted[Math.ceil(place)] ?? 0;
    return below + (above - below) * (place - Math.floor(place));
  };
  return {
    min: round(at(0)),
    low: round(at(0.25)),
    median: round(at(0.5)),
    high: round(at(0.75)),
    rounds: sorted.length,
  };
}

/**
 * Compares two results by their intervals.
 *
 * @param a One result.
 * @param b The result to which it is compared.
 * @returns `lower` or `higher` for `a`; `same` if the intervals touch.
 */
export function compareSpreads(a: Spread, b: Spread): Comparison {
  if (a.high < b.low) return "lower";
  if (a.low > b.high) return "higher";
  return "same";
}

/** Removes digits below the resolution of the clocks. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
