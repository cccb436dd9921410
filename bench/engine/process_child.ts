/**
 * The child of the portable engine: reads a job, loads the filter, makes the
 * calls, writes a sample.
 *
 * @module
 */

import { SyscallError } from "../../ffi/error.ts";
import { openLibc } from "../../ffi/libc.ts";
import { loadFilter } from "../../ffi/load.ts";
import type { ChildJob } from "./process_engine.ts";

/** Measures the job from standard input. */
export async function measureJob(): Promise<void> {
  const text = await new Response(Deno.stdin.readable).text();
  // The parent is our own code.
  const sample = measure(JSON.parse(text) as ChildJob);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(sample)));
}

if (import.meta.main) measureJob();

function measure(
  { filter, count, calls }: ChildJob,
): { readonly attachNs: number | null; readonly callNs: readonly number[] } {
  const { symbols } = openLibc();
  const rows = calls.map(({ nr, args }) => {
    const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args.map(BigInt);
    return { nr: BigInt(nr), a, b, c, d, e, f };
  });
  let attachNs: number | null = null;
  if (filter !== "") {
    const bytes = Uint8Array.fromHex(filter);
    warmUp();
    const start = performance.now();
    loadFilter(bytes, { flags: ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"] });
    attachNs = (performance.now() - start) * 1e6;
  }
  const callNs = rows.map(({ nr, a, b, c, d, e, f }) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) symbols.syscall(nr, a, b, c, d, e, f);
    return (performance.now() - start) * 1e6 / count;
  });
  return { attachNs, callNs };
}

/**
 * Opens the library and compiles the calls to it by a load that the kernel
 * refuses.
 */
function warmUp(): void {
  try {
    loadFilter(new Uint8Array());
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}
