/**
 * Chooses one of several equal decisions for each list of rules, so that all of
 * them together take the fewest instructions: the shortest decision of one call
 * may share less with the decisions for the remaining calls.
 *
 * ```text
 * x86_64: low half 38 or 40, then high half 0     i386: low half 38 or 40
 *     ▼
 * x86_64: high half 0, then the test of i386
 * ```
 *
 * Each choice is changed in turn as long as that saves instructions. The best
 * choice of all lists at once is a hard problem; the work is counted, so that
 * results are the same everywhere.
 *
 * @module
 */

import { NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { Branch, Decision } from "./decision.ts";
import { present } from "./present.ts";
import { select } from "./select.ts";

/** Limit on the work, in tests that are counted. */
const WORK_LIMIT = 300_000;

/** Equal decisions for one list of rules. */
export interface Ways {
  /** The choice for this list alone. */
  readonly alone: Decision;
  /** All decisions to choose from. */
  readonly all: readonly Decision[];
}

/**
 * Chooses a decision for each list of rules.
 *
 * @param lists The decisions to choose from, by list.
 * @returns The choice by list; `undefined` if that for each list alone stays.
 */
export function chooseTogether(
  lists: ReadonlyMap<string, Ways>,
): ReadonlyMap<string, Decision> | undefined {
  if (lists.size < 2) return undefined;
  const chosen = new Map(Array.from(lists, ([key, ways]) => [key, ways.alone]));
  let fewest = instructionsOf([...chosen.values()]);
  let work = 0;
  let changed = false;
  for (let saves = true; saves;) {
    saves = false;
    for (const [key, { all }] of lists) {
      for (const way of all) {
        const before = present(chosen.get(key));
        if (way === before) continue;
        work += fewest;
        if (work > WORK_LIMIT) return changed ? chosen : undefined;
        chosen.set(key, way);
        const count = instructionsOf([...chosen.values()]);
        if (count < fewest) {
          fewest = count;
          saves = changed = true;
        } else chosen.set(key, before);
      }
    }
  }
  return changed ? chosen : undefined;
}

/** Counts the instructions of decisions that are reached from tests of numbers. */
function instructionsOf(decisions: readonly Decision[]): number {
  const root = decisions.reduce((rest, decision, k): Decision => {
    const test = { offset: NR_OFFSET, mask: 0xffff_ffff, op: "eq", k } as const;
    return {
      kind: "branch",
      ...test,
      yes: decision,
      no: rest,
      id: -1,
    } satisfies Branch;
  });
  let count = 0;
  for (const { loads, masks } of select(root).blocks.values()) {
    count += 1 + (loads ? 1 : 0) + (masks ? 1 : 0);
  }
  return count;
}
