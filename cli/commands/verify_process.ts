/**
 * Compares the filters of a process with the expected ones, thread by thread,
 * because filters belong to threads.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import type { Program } from "../../bpf/instruction.ts";
import {
  type Counterexample,
  type Proof,
  proveEquivalent,
  type Unproven,
} from "../../verify/equivalence.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { EXIT } from "../exit.ts";
import type { ThreadGroup } from "../input/sources/process.ts";
import { jsonOfResult } from "../output/verdict.ts";
import { type NamedSubject, wantedArches } from "../input/sides.ts";

/**
 * The result: one filter that is equal or not, several that are compared in
 * combination, strict mode, no filter, or unknown.
 */
export type ProcessState =
  | "equivalent"
  | "different"
  | "stacked"
  | "strict"
  | "unconfined"
  | "unknown";

/** An answer about threads under the same filters. */
export interface ThreadVerification {
  readonly state: ProcessState;
  /** The threads. */
  readonly tids: readonly number[];
  /** Filters in force; `undefined` if they could not be read. */
  readonly filters: readonly Program[] | undefined;
  /** Result of the comparison, if there was one. */
  readonly result?: Proof | Counterexample | Unproven;
  /** The reason why the filters could not be read. */
  readonly error?: unknown;
}

/** The expected filters of threads. */
type Expected = Pick<NamedSubject, "subject" | "native">;

/** An answer about a process. */
export interface ProcessVerification {
  /**
   * One answer for all threads under the same filters, the first thread's
   * first.
   */
  readonly all: readonly ThreadVerification[];
  /** The decisive answer. */
  readonly worst: ThreadVerification;
}

/** From best to worst: a "no" decides even if other threads are unknown. */
const EXITS: readonly number[] = [
  EXIT.ok,
  EXIT.unproven,
  EXIT.machine,
  EXIT.no,
];

/** The decisive exit code among several, `EXIT.ok` if there are no others. */
export function worstExit(codes: readonly number[]): number {
  return codes.reduce(
    (worst, code) => EXITS.indexOf(code) > EXITS.indexOf(worst) ? code : worst,
    EXIT.ok,
  );
}

/**
 * Compares the live filters with the expected ones.
 *
 * @param groups The threads of a process, at least one.
 * @param against The expected filters.
 */
export function verify(
  groups: readonly ThreadGroup[],
  against: Expected,
): ProcessVerification {
  const all = groups.map((group) => verifyGroup(group, against));
  const exit = worstExit(all.map(exitOf));
  const worst = all.find((one) => exitOf(one) === exit);
  if (worst === undefined) throw new Error("Unreachable: no thread");
  return { all, worst };
}

function verifyGroup(
  { tids, confinement }: ThreadGroup,
  against: Expected,
): ThreadVerification {
  switch (confinement.kind) {
    case "none":
      return { state: "unconfined", tids, filters: [] };
    case "strict":
      return { state: "strict", tids, filters: [] };
    case "unread": {
      const { error } = confinement;
      return { state: "unknown", tids, filters: undefined, error };
    }
    case "filters": {
      const filters = confinement.programs;
      const stack: Subject = { programs: filters };
      const result = proveEquivalent(stack, against.subject, {
        arches: wantedArches([against]),
      });
      const state = result.kind === "unproven"
        ? "unknown"
        : filters.length > 1
        ? "stacked"
        : result.kind === "equal"
        ? "equivalent"
        : "different";
      return { state, tids, filters, result };
    }
  }
}

/** Exit code of an answer. */
export function exitOf({ filters, result }: ThreadVerification): number {
  switch (result?.kind) {
    case "equal":
      return EXIT.ok;
    case "unproven":
      return EXIT.unproven;
    case "different":
      return EXIT.no;
    case undefined:
      return filters === undefined ? EXIT.machine : EXIT.no;
  }
}

/**
 * An answer for machines; if threads differ, with the answers of all of them.
 */
export function jsonOf(
  { all, worst }: ProcessVerification,
): Readonly<Record<string, unknown>> {
  if (all.length === 1) return jsonOfOne(worst);
  return {
    ...jsonOfOne(worst),
    thread: worst.tids[0],
    threads: all.map((one) => ({ tids: one.tids, ...jsonOfOne(one) })),
  };
}

function jsonOfOne(
  { state, filters, result, error }: ThreadVerification,
): Readonly<Record<string, unknown>> {
  const { state: combination, ...rest } = result === undefined
    ? { state: undefined }
    : jsonOfResult(result);
  return {
    state,
    ...(filters === undefined ? { reason: messageOf(error) } : {
      filters: filters.length,
      lengths: filters.map((program) => program.length),
    }),
    ...(state === "stacked"
      ? { combination: combination === "equal" ? "equivalent" : combination }
      : {}),
    ...rest,
  };
}
