/**
 * Records counted by call, architecture, program and action.
 *
 * @module
 */

import type { LogRecord } from "../../../logs/record.ts";
import { formatTable } from "../../../host/table.ts";
import {
  actionText,
  archText,
  namesOfRecord,
  recordedCall,
  timeOfRecord,
} from "./format.ts";

/** Records that differ only in time, process and user. */
export interface RecordGroup {
  readonly count: number;
  /** The first and the last record, in the order of the log. */
  readonly first: LogRecord;
  readonly last: LogRecord;
}

/** Maximum number of groups, so that memory stays bounded. */
export const MAX_GROUPS = 50_000;

/** Counts records. */
export class RecordGroups {
  readonly #groups = new Map<string, { count: number } & RecordGroup>();
  #dropped = 0;

  /**
   * Number of records that were not counted, because there were too many
   * groups.
   */
  get dropped(): number {
    return this.#dropped;
  }

  /** Counts a record. */
  add(record: LogRecord): void {
    const { auditArch, nr, action, compat } = record;
    const key = JSON.stringify([
      ...[auditArch ?? record.archText, nr ?? record.callText],
      ...[action, compat, programOf(record)],
    ]);
    const group = this.#groups.get(key);
    if (group !== undefined) {
      this.#groups.set(key, { ...group, count: group.count + 1, last: record });
    } else if (this.#groups.size < MAX_GROUPS) {
      this.#groups.set(key, { count: 1, first: record, last: record });
    } else this.#dropped++;
  }

  /** Lists the groups, most frequent first, then in the order of the log. */
  list(): readonly RecordGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }
}

function programOf({ exe, comm }: LogRecord): string | undefined {
  return exe ?? comm;
}

/** Writes groups as a table. */
export function groupTable(groups: readonly RecordGroup[]): string {
  return formatTable([
    ["count", "call", "arch", "action", "program", "first", "last"],
    ...groups.map(({ count, first, last }) => [
      String(count),
      recordedCall(first),
      archText(first),
      actionText(first),
      programOf(first) ?? "–",
      timeOfRecord(first) ?? "–",
      timeOfRecord(last) ?? "–",
    ]),
  ], { left: [1, 2, 3, 4, 5, 6] });
}

/** Makes the JSON of a group. */
export function jsonOfGroup(
  { count, first, last }: RecordGroup,
): Readonly<Record<string, unknown>> {
  const { arch, call } = namesOfRecord(first);
  return {
    count,
    call: call ?? null,
    nr: first.nr ?? null,
    arch: arch ?? null,
    compat: first.compat ?? null,
    action: first.action ?? null,
    program: programOf(first) ?? null,
    first: timeOfRecord(first) ?? null,
    last: timeOfRecord(last) ?? null,
  };
}
