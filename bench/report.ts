/**
 * The document that a run of the benchmark writes: every figure of the text
 * report, the charts and the page comes from it and from nothing else.
 *
 * Times are nanoseconds, microseconds or milliseconds as the field says, and
 * rows are flat, so that a plotting library takes them as they are.
 *
 * @module
 */

import type { Spread } from "./engine/summary.ts";

/** Version of the document. */
export const SCHEMA_VERSION = 1;

/** Where the figures were measured. */
export interface MachineReport {
  readonly cpu: string;
  readonly cpus: number;
  readonly kernel: string;
  /** What the clock of the measurements is. */
  readonly clock: string;
  /** `net.core.bpf_jit_enable`, `_harden`, `_limit`; absent if not to be read. */
  readonly jit: Readonly<Record<string, string>>;
  /** Whether the kernel keeps allowed calls away from filters, by its version. */
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

/** A filter that was measured. */
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
  /** Whether it was proved to mean what the profile says. */
  readonly equal: boolean;
}

/** A call by its place among the listed ones. */
export interface PositionRow {
  readonly variant: string;
  /** How many calls the filter lists. */
  readonly listed: number;
  /** `cached`: as it is; `uncached`: with one leading load, which turns the cache off. */
  readonly mode: "cached" | "uncached";
  /** Place of the call in the list, from 1. */
  readonly position: number;
  readonly call: string;
  /** Nanoseconds on top of the same call without a filter. */
  readonly addedNs: Spread;
}

/** The published experiment: getppid under a filter of 306 calls. */
export interface PublishedRow {
  readonly layout: string;
  /** Ticks of the time-stamp counter as published; absent if it was not. */
  readonly publishedTicks?: number;
  /** Ticks here, without the allow cache, as kernels before 5.11. */
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

/** What one attach costs. */
export interface AttachRow {
  readonly variant: string;
  readonly us: Spread;
  /** Predicted by `attachMicros`. */
  readonly predictedUs: number;
}

/** What making the bytes costs, in processor time. */
export interface BuildRow {
  readonly way: string;
  readonly us: Spread;
}

/** Kernel memory of one attached filter, in bytes. */
export interface MemoryRow {
  readonly variant: string;
  /** JIT image, with what it is rounded up to. */
  readonly imageBytes: number;
  /** Pages of the translated program. */
  readonly programBytes: number;
  /** The program as it was submitted, kept for the cache and for checkpoints. */
  readonly keptBytes: number;
  /** Filters that were attached at once to tell. */
  readonly filters: number;
}

/** How size and times grow. */
export interface GrowthRow {
  readonly variant: string;
  readonly what: "listed calls" | "argument rules";
  readonly n: number;
  /** Absent if the tool refused, with the reason. */
  readonly refused?: string;
  readonly instructions?: number;
  readonly attachUs?: Spread;
  /** Predicted by `attachMicros`. */
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
  /** Absent if it is not to be seen: containers of Podman. */
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
  /** Share of the calls that run the filter at all where the kernel has its cache. */
  readonly uncachedShare: number;
}

/** Everything. */
export interface Report {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  /** The command that wrote it. */
  readonly command: string;
  /** When, ISO 8601. */
  readonly taken: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly machine: MachineReport;
  /** What was compiled. */
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
  /** What was not measured, and why. */
  readonly leftOut: readonly string[];
}
