/**
 * The inner loops of the interval search as WebAssembly: a process that
 * compiles one profile is over before V8 has compiled them well.
 *
 * @module
 */

import { KERNEL } from "./kernel_code.ts";

/** What the loops read and fill; see kernel.wat. */
export interface Loops {
  /** Number of runs. */
  readonly n: number;
  /** Weight of the runs before each, n + 1 sums. */
  readonly sums: Float64Array;
  /** Cost of one test. */
  readonly testCost: number;
  /** n * n costs and choices, at i * n + j for the range i…j. */
  readonly cost: Float64Array;
  readonly choice: Int32Array;
}

/** What kernel.wat exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  fill(
    n: number,
    sums: number,
    cost: number,
    byEnd: number,
    choice: number,
    testCost: number,
  ): void;
}

const PAGE = 65536;
/** The one instance, `null` where there can be none. */
let kernel: Exports | null | undefined;

/**
 * Fills the tables of a line.
 *
 * @returns Whether it was done; false where there is no WebAssembly, no vector instructions, or no memory for it.
 */
export function fillByKernel(loops: Loops): boolean {
  kernel ??= load();
  if (kernel === null) return false;
  const { memory, fill } = kernel;
  const { n, sums, testCost, cost, choice } = loops;
  // Places in the kernel's memory; doubles first, so that they are aligned.
  const costAt = sums.byteLength;
  const byEndAt = costAt + cost.byteLength;
  const choiceAt = byEndAt + cost.byteLength;
  const size = choiceAt + choice.byteLength;
  const missing = Math.ceil((size - memory.buffer.byteLength) / PAGE);
  if (missing > 0 && !grow(memory, missing)) return false;
  const { buffer } = memory;
  const costs = new Float64Array(buffer, costAt, n * n);
  const choices = new Int32Array(buffer, choiceAt, n * n);
  new Float64Array(buffer, 0, n + 1).set(sums);
  costs.set(cost);
  choices.set(choice);
  fill(n, 0, costAt, byEndAt, choiceAt, testCost);
  cost.set(costs);
  choice.set(choices);
  return true;
}

function grow(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages);
    return true;
  } catch {
    return false;
  }
}

function load(): Exports | null {
  try {
    const bytes = Uint8Array.fromBase64(KERNEL);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    return exports as unknown as Exports;
  } catch {
    // No WebAssembly (jitless), or one without vectors.
    return null;
  }
}
