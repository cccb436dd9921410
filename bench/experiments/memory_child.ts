/**
 * The child of `memory.ts`: attaches a filter repeatedly, reports when the
 * kernel begins a new pack, and keeps the filters until its input ends.
 *
 * @module
 */

import { SyscallError } from "../../ffi/error.ts";
import { loadFilter } from "../../ffi/load.ts";
import { type Held, readProgramMemory } from "./memory.ts";

/**
 * Loads copies of a filter and keeps them until standard input ends.
 *
 * @param args The filter in hexadecimal, and the maximum number of copies.
 */
export function holdFilters([hex = "", most = "1"]: readonly string[]): void {
  const held = hold(Uint8Array.fromHex(hex), Number(most));
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(held)}\n`));
  Deno.stdin.readSync(new Uint8Array(1));
}

if (import.meta.main) holdFilters(Deno.args);

function hold(filter: Uint8Array, most: number): Held {
  const marks: number[] = [];
  let packs = readProgramMemory()?.packs ?? 0;
  let loaded = 0;
  while (loaded < most) {
    try {
      loadFilter(filter, { flags: ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"] });
    } catch (error) {
      // 32768 instructions over all filters of a thread are the limit.
      if (error instanceof SyscallError) break;
      throw error;
    }
    loaded++;
    const now = readProgramMemory()?.packs ?? 0;
    if (now > packs) marks.push(loaded);
    packs = now;
  }
  return { loaded, marks };
}
