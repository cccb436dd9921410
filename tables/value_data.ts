/**
 * The format in which `tables/generate.ts` writes the names of argument values,
 * with its reader. All other code reads the result from `values.ts`.
 *
 * @module
 */

import type { ArchName } from "./arch.ts";

/** A generated set of names. */
export interface ValueSetData {
  /** Name of the set. */
  readonly set: string;
  /**
   * Masks of the parts of the word that hold one of several values; all other
   * bits are flags.
   */
  readonly fields: readonly bigint[];
  /**
   * Names on x86_64: `NAME=VALUE`, or `NAME~VALUE` for names that are never
   * printed.
   */
  readonly names: string;
  /** Architectures, and the names that differ there; `NAME-` does not exist. */
  readonly others: readonly (readonly [arches: string, names: string])[];
}

/** A value as the generated files have it. */
export interface ValueEntry {
  /** Negative if the header says so. */
  readonly value: bigint;
  /** True if the name is read but never printed. */
  readonly second: boolean;
}

/**
 * Reads the names of a set on an architecture.
 *
 * @param data The set.
 * @param arch The architecture.
 * @returns Entries by name, in order of preference.
 */
export function readValueSet(
  data: ValueSetData,
  arch: ArchName,
): Map<string, ValueEntry> {
  const entries = new Map<string, ValueEntry>();
  const other = data.others.find(([arches]) =>
    arches.split(" ").includes(arch)
  );
  const text = `${data.names} ${other?.[1] ?? ""}`;
  for (const [, name = "", mark, sign, digits] of text.matchAll(ENTRY)) {
    if (mark === "-" && digits === undefined) entries.delete(name);
    else {
      const value = BigInt(digits ?? "0");
      entries.set(name, {
        value: sign === "-" ? -value : value,
        second: mark === "~",
      });
    }
  }
  return entries;
}

const ENTRY = /(\w+)([=~-])(?:(-?)(0x[0-9a-f]+|[0-9]+))?/g;
