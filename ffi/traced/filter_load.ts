/**
 * The loads of a traced command, and how its trace ended.
 *
 * @module
 */

import type { LoadCall } from "./loads.ts";
import type { TracedCommand } from "./start.ts";

/** A load and its outcome. */
export interface FilterLoad extends LoadCall {
  /** Position among all loads, from 0. */
  readonly order: number;
  /** Process. */
  readonly pid: number;
  /** Thread. */
  readonly tid: number;
  /** Name of the thread, up to 15 bytes. */
  readonly comm: string;
  /**
   * Return value: negative errno if it failed; `undefined` if the thread died
   * in the call.
   */
  readonly result: number | undefined;
  /** True if the program in memory changed during the call. */
  readonly unstable: boolean;
}

/** Reason for which the command and its children were killed. */
export type TraceEnd = "limit" | "timeout" | "exec" | "interrupt";

/** How a command is traced. */
export interface TraceOptions extends TracedCommand {
  /** Called after each load. */
  readonly onLoad: (load: FilterLoad) => void;
  /** Kill after this number of successful loads. */
  readonly limit?: number;
  /** Kill after this number of seconds. */
  readonly timeout?: number;
  /** Kill all when a process that has loaded a filter starts a program. */
  readonly untilExec?: boolean;
}

/** Result of a trace. */
export interface TraceResult {
  /** Exit code of the command; `undefined` if a signal ended it. */
  readonly code: number | undefined;
  /** Signal that ended it. */
  readonly signal: number | undefined;
  /**
   * Reason for which it was killed; `undefined` if it ended without being
   * killed.
   */
  readonly ended: TraceEnd | undefined;
  /** Programs whose privileged bits had no effect. */
  readonly unprivileged: readonly string[];
}
