/**
 * The requests to an engine, and its answers.
 *
 * @module
 */

import type { StubCall } from "../../ffi/stub.ts";

/** One kind of call, repeated. */
export interface Batch {
  readonly call: StubCall;
  /** Way of entering the kernel; `syscall` by default. */
  readonly entry?: "syscall" | "int80";
}

/** A filter and the calls under it. */
export interface Job {
  /** `struct sock_filter[]`; empty for calls without a filter. */
  readonly filter?: Uint8Array;
  readonly batches: readonly Batch[];
  /** Number of calls in one batch. */
  readonly count: number;
}

/** Times of one child, or the minimum over several children. */
export interface Sample {
  /** Nanoseconds of `seccomp(2)`; NaN without a filter. */
  readonly attachNs: number;
  /** Nanoseconds of one call, for each batch; NaN if it was not made. */
  readonly callNs: readonly number[];
}

/** Makes calls. */
export interface Engine {
  readonly name: "stub" | "process";
  /** Name of the clock. */
  readonly clock: string;
  /** Ticks of the counter per nanosecond, if the clock is the counter. */
  readonly ticksPerNs: number | undefined;
  /** True if a filter may deny everything that Deno needs to live. */
  readonly anyFilter: boolean;
  /** Makes all batches once. */
  sample(job: Job): Promise<Sample>;
}
