/**
 * Engines: timed system calls under a filter, in a child that ends with it.
 *
 * | engine    | clock          | child                    | where                      |
 * | --------- | -------------- | ------------------------ | -------------------------- |
 * | `stub`    | rdtsc          | cloned, machine code only | x86_64                     |
 * | `process` | clock_gettime  | a separate Deno process  | anywhere; the filter must let Deno live   |
 *
 * @module
 */

import { openStub, type Stub, type StubCall } from "../../ffi/stub.ts";
import { ticksPerNanosecond } from "./clock.ts";
import type { Engine, Job, Sample } from "./model.ts";
import { processEngine } from "./process_engine.ts";

/** `SECCOMP_FILTER_FLAG_SPEC_ALLOW`, which crun and runc set as well. */
const SPEC_ALLOW = 4;

/**
 * Opens the best engine of this machine.
 *
 * @param name An engine to require.
 */
export function openEngine(name?: Engine["name"]): Engine {
  if (name !== "process") {
    const stub = openStub();
    const ticksPerNs = ticksPerNanosecond();
    if (stub !== undefined && ticksPerNs !== undefined) {
      return stubEngine(stub, ticksPerNs);
    }
  }
  return processEngine();
}

function stubEngine(stub: Stub, ticksPerNs: number): Engine {
  return {
    name: "stub",
    clock: `rdtsc, ${ticksPerNs.toFixed(3)} ticks/ns`,
    ticksPerNs,
    anyFilter: true,
    sample: (job): Promise<Sample> => Promise.resolve(run(job)),
  };

  function run({ filter, batches, count }: Job): Sample {
    const callNs: number[] = [];
    let attachNs = NaN;
    for (const { call, entry = "syscall" } of batches) {
      if (entry === "int80" && !stub.servesI386()) {
        callNs.push(NaN);
        continue;
      }
      const outcome = stub.run({
        ...(filter === undefined ? {} : { filter }),
        flags: SPEC_ALLOW,
        entry,
        calls: new Array<StubCall>(count).fill(call),
      });
      if (outcome.loadErrno !== 0) {
        throw new RangeError(
          `Cannot attach a filter of ${
            (filter?.length ?? 0) / 8
          } instructions: errno ${outcome.loadErrno}`,
        );
      }
      const made = outcome.signal === 0 &&
        outcome.results[count - 1] !== undefined;
      callNs.push(made ? outcome.callTicks / ticksPerNs / count : NaN);
      if (filter === undefined) continue;
      const ns = outcome.loadTicks / ticksPerNs;
      if (!(attachNs <= ns)) attachNs = ns;
    }
    return { attachNs, callNs };
  }
}
