/**
 * The child of `stacked.ts`: stacks a filter on itself and times calls at each
 * height.
 *
 * @module
 */

import { loadFilter } from "../../ffi/load.ts";
import { openStub, type StubCall } from "../../ffi/stub.ts";
import type { StackedTimes } from "./stacked.ts";

/** `acct` is denied, so that every filter runs; `getppid` is allowed. */
const CALLS: readonly (StubCall & { readonly name: string })[] = [
  { name: "getppid", nr: 110, args: [] },
  { name: "acct", nr: 163, args: [1n] },
];
const COUNT = 200;
const TRIES = 8;
const SPEC_ALLOW = 4;

/**
 * Measures.
 *
 * @param args The filter in hexadecimal, and the maximum height.
 */
export function timeStack([hex = "", height = "1"]: readonly string[]): void {
  const times = stackUp(Uint8Array.fromHex(hex), Number(height));
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(times)));
}

if (import.meta.main) timeStack(Deno.args);

function stackUp(
  filter: Uint8Array<ArrayBuffer>,
  height: number,
): readonly StackedTimes[] {
  const stub = openStub();
  if (stub === undefined) return [];
  const all: StackedTimes[] = [];
  for (let filters = 1; filters <= height; filters++) {
    const callTicks: Record<string, number> = {};
    let attachTicks = Infinity;
    for (const call of CALLS) {
      const calls = new Array<StubCall>(COUNT).fill(call);
      let best = Infinity;
      for (let t = 0; t < TRIES; t++) {
        const outcome = stub.run({ filter, flags: SPEC_ALLOW, calls });
        // 32768 instructions over all filters are the kernel's limit.
        if (outcome.loadErrno !== 0) return all;
        best = Math.min(best, outcome.callTicks / COUNT);
        attachTicks = Math.min(attachTicks, outcome.loadTicks);
      }
      callTicks[call.name] = best;
    }
    all.push({ filters, attachTicks, callTicks });
    loadFilter(filter, { flags: ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"] });
  }
  return all;
}
