/**
 * The document that a run of the benchmark writes: the text report, the charts
 * and the page take every figure from it.
 *
 * The unit of a time (nanoseconds, microseconds or milliseconds) is in the name
 * of its field, and rows are flat, so that a plotting library can use them
 * directly.
 *
 * @module
 */

import type { Spread } from "./engine/summary.ts";

/** Version of the document. */
export const SCHEMA_VERSION = 1;

/** The machine of the measurements. */
export interface MachineReport {
  readonly cpu: string;
  readonly cpus: number;
  readonly kernel: string;
  /** The clock of the measurements. */
  readonly clock: string;
  /**
   * `net.core.bpf_jit_enable`, `_harden`, `_limit`; absent if they cannot be
   * read.
   */
  readonly jit: Readonly<Record<string, string>>;
  /**
   * True if the kernel answers allowed calls from its cache, by its version.
   */
  readonly allowCache: boolean;
  /** Files of `/sys/devices/system/cpu/vulnerabilities` that matter here. */
  readonly mitigations: Readonly<Record<string, string>>;
  /** Load of the last minute before the run, and after it. */
  readonly load: readonly number[];
  readonly libseccomp: string | undefined;
  readonly deno: string;
  /** Container runtimes and their versions. */
  readonly runtimes: Readonly<Record<string, string>>;
}

/** A measured filter. */
export interface VariantRow {
  readonly variant: string;
  readonly instructions: number;
  /** Executed instructions over numbers 0 to 469 of the native table. */
  readonly meanSteps: number;
  readonly worstSteps: number;
  /** Numbers that the kernel answers from its allow cache. */
  readonly cached: number;
  /** Sum of instructions that the kernel's cache emulator walks at attach. */
  readonly walked: number;
  /** True if it was proved equal to the profile. */
  readonly equal: boolean;
}

/** A call by its place among the listed ones. */
export interface PositionRow {
  readonly variant: string;
  /** Number of calls that the filter lists. */
  readonly listed: number;
  /**
   * `cached`: unchanged; `uncached`: with one leading load, which disables the
   * cache.
   */
  readonly mode: "cached" | "uncached";
  /** Place of the call in the list, from 1. */
  readonly position: number;
  readonly call: string;
  /** Nanoseconds in addition to the same call without a filter. */
  readonly addedNs: Spread;
}

/** The published experiment: getppid under a filter of 306 calls. */
export interface PublishedRow {
  readonly layout: string;
  /** Published ticks of the time-stamp counter; absent if not published. */
  readonly publishedTicks?: number;
  /** Ticks here, without the allow cache, as on kernels before 5.11. */
  readonly uncachedTicks: Spread;
  /** Ticks here, with it. */
  readonly cachedTicks: Spread;
}

/** A call that always runs the filter. */
export interface CallRow {
  readonly variant: string;
  readonly call: string;
  readonly abi: "x86_64" | "x32" | "i386" | "native";
  readonly why: string;
  readonly ns: Spread;
}

/** The cost of one attach. */
export interface AttachRow {
  readonly variant: string;
  readonly us: Spread;
  /** Prediction of `attachMicros`. */
  readonly predictedUs: number;
}

/** The cost of making the bytes, in processor time. */
export interface BuildRow {
  readonly way: string;
  readonly us: Spread;
}

/** Kernel memory of one attached filter, in bytes. */
export interface MemoryRow {
  readonly variant: string;
  /** JIT image, including its rounding. */
  readonly imageBytes: number;
  /** Pages of the translated program. */
  readonly programBytes: number;
  /** The submitted program, kept for the cache and for checkpoints. */
  readonly keptBytes: number;
  /** Number of filters that were attached at once for this result. */
  readonly filters: number;
}

/** Growth of size and times. */
export interface GrowthRow {
  readonly variant: string;
  readonly what: "listed calls" | "argument rules";
  readonly n: number;
  /** Absent, with the reason, if the tool refused. */
  readonly refused?: string;
  readonly instructions?: number;
  readonly attachUs?: Spread;
  /** Prediction of `attachMicros`. */
  readonly predictedUs?: number;
  /** Processor time. */
  readonly buildUs?: Spread;
  /** A call that no rule allows. */
  readonly deniedNs?: Spread;
}

/** Calls under several filters of the same kind. */
export interface StackedRow {
  readonly variant: string;
  readonly filters: number;
  readonly call: string;
  readonly ns: Spread;
  /** Attaching the last of them. */
  readonly attachUs: number;
}

/** One run of a container runtime. */
export interface ContainerRow {
  readonly command: string;
  readonly setup: string;
  /** Absent if it cannot be measured: containers of Podman. */
  readonly cpuMs?: Spread;
  readonly wallMs: Spread;
}

/** Many probes in one container. */
export interface StormRow {
  readonly setup: string;
  readonly execs: number;
  /** Of one exec, over the blocks of the storm. */
  readonly execCpuMs: Spread;
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Expected executed instructions under a histogram. */
export interface WorkloadRow {
  readonly histogram: string;
  readonly variant: string;
  readonly steps: number;
  /**
   * Share of the calls that run the filter if the kernel has the cache.
   */
  readonly uncachedShare: number;
}

/** The complete document. */
export interface Report {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  /** The command that wrote it. */
  readonly command: string;
  /** Date and time, ISO 8601. */
  readonly taken: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly machine: MachineReport;
  /** The compiled profile. */
  readonly source: string;
  readonly arches: readonly string[];
  readonly variants: readonly VariantRow[];
  readonly position: readonly PositionRow[];
  readonly published: readonly PublishedRow[];
  readonly calls: readonly CallRow[];
  readonly attach: readonly AttachRow[];
  readonly build: readonly BuildRow[];
  readonly memory: readonly MemoryRow[];
  readonly growth: readonly GrowthRow[];
  readonly stacked: readonly StackedRow[];
  readonly containers: readonly ContainerRow[];
  readonly storm: readonly StormRow[];
  readonly workloads: readonly WorkloadRow[];
  /** Measurements that were skipped, with reasons. */
  readonly leftOut: readonly string[];
}
