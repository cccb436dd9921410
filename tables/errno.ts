/**
 * Names of error numbers, for messages and for the return values of filters.
 *
 * x86 and every architecture with the kernel's generic table share their
 * numbers: aarch64, arm, riscv64, s390x, loongarch64. MIPS has different
 * numbers from 35 on, and on PowerPC `EDEADLOCK` is 58.
 *
 * @module
 */

import { readRuns } from "./arch_data.ts";
import { ARCHES } from "./arch.ts";
import { ERRNO_ALIASES, ERRNOS, OTHER_ERRNOS } from "./errno_data.ts";

/** Internal numbers that still reach users; linux/errno.h. */
const INTERNAL: ReadonlyMap<number, string> = new Map([[524, "ENOTSUPP"]]);

/** Error numbers of some architectures. */
interface ErrnoTable {
  /** Numbers by name, second names such as `EWOULDBLOCK` included. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Names by number, in rising order. */
  readonly names: ReadonlyMap<number, string>;
}

/** Tables by the names of their architectures; empty for the generic one. */
const tables = new Map<string, ErrnoTable>();

/** The table of an architecture. It is read on first use: few runs need it. */
function tableOf(auditArch: number | undefined): ErrnoTable {
  const names = auditArch === undefined
    ? []
    : ARCHES.filter((arch) => arch.auditArch === auditArch)
      .map(({ name }): string => name);
  const [arches, text] =
    OTHER_ERRNOS.find(([list]) =>
      list.split(" ").some((name) => names.includes(name))
    ) ?? ["", ""];
  let table = tables.get(arches);
  if (table === undefined) tables.set(arches, table = makeTable(text));
  return table;
}

function makeTable(differences: string): ErrnoTable {
  const base = readRuns(ERRNOS);
  const aliases = readRuns(ERRNO_ALIASES);
  const numbers = new Map([...base, ...readRuns(differences)]);
  // A name of its own number wins over second names: EDEADLOCK on MIPS.
  const names = new Map(
    [...numbers].sort(([a], [b]) =>
      Number(aliases.has(b)) - Number(aliases.has(a))
    )
      .map(([name, errno]) => [errno, name] as const),
  );
  const original = new Map([...base].map(([name, errno]) => [errno, name]));
  for (const [alias, errno] of aliases) {
    const same = numbers.get(original.get(errno) ?? "") ?? errno;
    if (!numbers.has(alias)) numbers.set(alias, same);
  }
  return { numbers, names: new Map([...names].sort(([a], [b]) => a - b)) };
}

/**
 * Lists the error numbers of the generic table and their names.
 *
 * @returns Names by number, in rising order, one name each.
 */
export function errnoNames(): ReadonlyMap<number, string> {
  return tableOf(undefined).names;
}

/**
 * Finds the name of an error number.
 *
 * @example Error of a denied call
 * ```ts
 * import { errnoName } from "./errno.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(errnoName(38), "ENOSYS");
 * assertEquals(errnoName(4095), undefined);
 * ```
 *
 * @param errno Error number, positive.
 * @param auditArch `AUDIT_ARCH_*` of the architecture; the generic table if
 * absent.
 * @returns Its name, or `undefined` if it has none.
 */
export function errnoName(
  errno: number,
  auditArch?: number,
): string | undefined {
  return tableOf(auditArch).names.get(errno);
}

/**
 * Finds an error number by its name or second name.
 *
 * @example A second name
 * ```ts
 * import { errnoNumber } from "./errno.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(errnoNumber("EWOULDBLOCK"), 11);
 * ```
 *
 * @param name Name in upper case.
 * @param auditArch `AUDIT_ARCH_*` of the architecture; the generic table if
 * absent.
 * @returns Its number, or `undefined` if the name is unknown.
 */
export function errnoNumber(
  name: string,
  auditArch?: number,
): number | undefined {
  return tableOf(auditArch).numbers.get(name);
}

/**
 * Names an errno value in a message.
 *
 * @example Names
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { errnoText } from "./errno.ts";
 *
 * assertEquals(errnoText(22), "EINVAL");
 * assertEquals(errnoText(4000), "errno 4000");
 * ```
 *
 * @param errno A positive errno value.
 * @returns The name in the headers, or `errno N`.
 */
export function errnoText(errno: number): string {
  return errnoName(errno) ?? INTERNAL.get(errno) ?? `errno ${errno}`;
}
