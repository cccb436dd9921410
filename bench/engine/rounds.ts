/**
 * The interleaved run: every filter and every call once in each round, in an
 * order that rotates from round to round, so that other activity on the machine
 * affects all of them equally.
 *
 * @module
 */

import type { Batch, Engine } from "./model.ts";

/** A filter with the calls to make under it. */
export interface RoundPlan {
  /** Its name. */
  readonly key: string;
  /** `struct sock_filter[]`; empty for calls without a filter. */
  readonly filter?: Uint8Array;
  readonly batches: readonly (Batch & { readonly key: string })[];
}

/** The amount of measuring. */
export interface Effort {
  readonly rounds: number;
  /** Number of calls in a batch. */
  readonly count: number;
  /** Number of batches in a round, of which the fastest counts. */
  readonly tries: number;
}

/** Round values. */
export interface Rounds {
  /** Nanoseconds of a call, by plan and batch; one number per round. */
  calls(plan: string, batch: string): readonly number[];
  /** Nanoseconds of the attach, by plan. */
  attach(plan: string): readonly number[];
}

/** Called after each round. */
export type Progress = (done: number, all: number) => void;

/**
 * Runs all plans, interleaved.
 *
 * @param engine Makes the calls.
 * @param plans Filters and calls to compare.
 * @param effort The amount of measuring.
 * @param progress Called after each round.
 */
export async function interleave(
  engine: Engine,
  plans: readonly RoundPlan[],
  { rounds, count, tries }: Effort,
  progress: Progress,
): Promise<Rounds> {
  const series = new Map<string, number[]>();
  const add = (key: string, value: number): void => {
    if (Number.isNaN(value)) return;
    const list = series.get(key);
    if (list === undefined) series.set(key, [value]);
    else list.push(value);
  };
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < plans.length; i++) {
      // Odd rounds go backward, and each starts at another place.
      const at = (round % 2 === 0 ? i : plans.length - 1 - i) + round;
      const plan = plans[at % plans.length];
      if (plan === undefined) continue;
      const { filter, batches, key } = plan;
      const best = new Array<number>(batches.length).fill(NaN);
      let attach = NaN;
      for (let t = 0; t < tries; t++) {
        const sample = await engine.sample({
          ...(filter === undefined ? {} : { filter }),
          batches,
          count,
        });
        attach = least(attach, sample.attachNs);
        for (const [b, ns] of sample.callNs.entries()) {
          best[b] = least(best[b] ?? NaN, ns);
        }
      }
      add(attachKey(key), attach);
      for (const [b, ns] of best.entries()) {
        add(callKey(key, batches[b]?.key ?? ""), ns);
      }
    }
    progress(round + 1, rounds);
  }
  return {
    calls: (plan, batch): readonly number[] =>
      series.get(callKey(plan, batch)) ?? [],
    attach: (plan): readonly number[] => series.get(attachKey(plan)) ?? [],
  };
}

function least(a: number, b: number): number {
  return a <= b || Number.isNaN(b) ? a : b;
}

function attachKey(plan: string): string {
  return `attach ${plan}`;
}

function callKey(plan: string, batch: string): string {
  return `call ${plan} ${batch}`;
}
