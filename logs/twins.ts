/**
 * Finds records of one event that reached a log more than once: journald writes
 * the record that the audit system sends (`audit[PID]: SECCOMP …`) and the one
 * that the kernel prints (`kernel: audit: type=1326 …`); auditd writes a third
 * one.
 *
 * @module
 */

import type { LogRecord } from "./record.ts";

/** Number of records to search for a twin; twins are close together. */
const WINDOW = 4096;

/**
 * Remembers the last records. Two records with the same audit id are one event.
 * A record without an id is the twin of at most one record that has an id and
 * the same fields: programs repeat their calls, so equal fields alone prove
 * nothing.
 */
export class TwinWindow {
  /** Keys in the order in which they came. */
  readonly #ids = new Set<string>();
  /**
   * Records without a twin, by their fields: those with an id, and those
   * without.
   */
  readonly #withId = new Map<string, number>();
  readonly #withoutId = new Map<string, number>();

  /**
   * Reports whether a record repeats an earlier one, and remembers it.
   *
   * @param record A record; only those of the audit system have twins.
   * @returns True if it repeats one of the last 4096.
   */
  repeats(record: LogRecord): boolean {
    if (record.form !== "audit") return false;
    const fields = fieldsOf(record);
    const { id } = record;
    if (id !== undefined) {
      const key = `${id} ${fields}`;
      if (this.#ids.has(key)) return true;
      this.#ids.add(key);
      drop(this.#ids);
    }
    const [same, other] = id === undefined
      ? [this.#withoutId, this.#withId]
      : [this.#withId, this.#withoutId];
    const waiting = other.get(fields) ?? 0;
    if (waiting > 0) {
      if (waiting === 1) other.delete(fields);
      else other.set(fields, waiting - 1);
      return true;
    }
    const count = (same.get(fields) ?? 0) + 1;
    // The newest keys come last, so that the oldest are dropped first.
    same.delete(fields);
    same.set(fields, count);
    drop(same);
    return false;
  }
}

/** Drops the oldest keys. */
function drop(kept: Set<string> | Map<string, number>): void {
  if (kept.size <= WINDOW) return;
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}

/** The fields that twins share. */
function fieldsOf(record: LogRecord): string {
  const { auditArch, nr, callText, pid, comm, ip, signal, action } = record;
  return [
    ...[auditArch, nr ?? callText, pid, comm, ip, signal, action],
    ...[record.auid?.id, record.uid?.id, record.gid?.id],
  ].join(" ");
}
