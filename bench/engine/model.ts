/**
 * The requests to an engine, and its answers.
 *
 * @module
 */

import type { StubCall } from "../../ffi/stub.ts";

/** One kind of call, made over and over. */
export interface Batch {
  readonly call: StubCall;
  /** How the call enters the kernel; `syscall` by default. */
  readonly entry?: "syscall" | "int80";
}

/** A filter and the calls under it. */
export interface Job {
  /** `struct sock_filter[]`; none for calls without a filter. */
  readonly filter?: Uint8Array;
  readonly batches: readonly Batch[];
  /** Calls in one batch. */
  readonly count: number;
}

/** Times of one child, or the smallest of its children. */
export interface Sample {
  /** Nanoseconds of `seccomp(2)`; NaN without a filter. */
  readonly attachNs: number;
  /** Nanoseconds of one call, for each batch; NaN where it was not to be made. */
  readonly callNs: readonly number[];
}

/** Makes calls. */
export interface Engine {
  readonly name: "stub" | "process";
  /** The clock, for people. */
  readonly clock: string;
  /** Ticks of the counter in a nanosecond, where the clock is the counter. */
  readonly ticksPerNs: number | undefined;
  /** Whether a filter may deny everything that keeps a Deno alive. */
  readonly anyFilter: boolean;
  /** Makes all batches once. */
  sample(job: Job): Promise<Sample>;
}
