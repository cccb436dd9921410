/**
 * Counts work without a clock: how often each block of our own code was
 * executed, according to V8's coverage. The same input gives the same count on
 * any machine, however busy.
 *
 * @module
 */

import { Session } from "node:inspector";

const ROOT = new URL("../../", import.meta.url).href;

interface CoverageResult {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly count: number }[];
    }[];
  }[];
}

/** Counts the executed blocks of pieces of work. */
export interface WorkCounter extends Disposable {
  /**
   * Runs a piece of work and counts.
   *
   * @param work The work; it runs once before, so that tables are read.
   * @returns The sum over all blocks of the repository's code.
   */
  count(work: () => unknown): Promise<number>;
}

/**
 * Begins to count. Code that is compiled earlier has no counters: import the
 * code under test afterward.
 */
export async function startCounting(): Promise<WorkCounter> {
  const session = new Session();
  session.connect();
  const post = (method: string, params?: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      // The types know each method apart; the three in use here exist.
      const call = session.post.bind(session) as (
        method: string,
        params: unknown,
        callback: (error: Error | null, result: unknown) => void,
      ) => void;
      call(
        method,
        params,
        (error, result) => error === null ? resolve(result) : reject(error),
      );
    });
  // Takes the counts and sets them to zero.
  const take = async (): Promise<number> => {
    // V8's answer: Profiler.takePreciseCoverage of its protocol.
    const { result } = await post(
      "Profiler.takePreciseCoverage",
    ) as CoverageResult;
    let sum = 0;
    for (const { url, functions } of result) {
      if (!url.startsWith(ROOT) || url.startsWith(`${ROOT}tests/`)) continue;
      for (const { ranges } of functions) {
        for (const { count } of ranges) sum += count;
      }
    }
    return sum;
  };
  await post("Profiler.enable");
  await post("Profiler.startPreciseCoverage", {
    callCount: true,
    detailed: true,
  });
  return {
    async count(work): Promise<number> {
      work();
      await take();
      work();
      return await take();
    },
    [Symbol.dispose]: (): void => session.disconnect(),
  };
}
