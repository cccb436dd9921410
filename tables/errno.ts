/**
 * Names of error numbers, for messages and for the return values of filters.
 *
 * The numbers are those of x86 and of every architecture with the kernel's
 * generic table: aarch64, arm, riscv64, s390x, loongarch64. MIPS has its own
 * from 35 on, and on PowerPC `EDEADLOCK` is 58.
 *
 * @module
 */

import { readRuns } from "./arch_data.ts";
import { ERRNO_ALIASES, ERRNOS } from "./errno_data.ts";

/** Internal numbers that still reach users; linux/errno.h. */
const INTERNAL: ReadonlyMap<number, string> = new Map([[524, "ENOTSUPP"]]);

/** Numbers by name, including second names such as `EWOULDBLOCK` for `EAGAIN`. */
let numbers: ReadonlyMap<string, number> | undefined;
/** Names by number. */
let names: ReadonlyMap<number, string> | undefined;

/**
 * Lists the error numbers and their names. The table is read on first use: few
 * runs need it.
 *
 * @returns Names by number, in rising order, one name each.
 */
export function errnoNames(): ReadonlyMap<number, string> {
  return names ??= new Map(
    [...readRuns(ERRNOS)].map(([name, errno]) => [errno, name]),
  );
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
 * @returns Its name, or `undefined` if it has none.
 */
export function errnoName(errno: number): string | undefined {
  return errnoNames().get(errno);
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
 * @returns Its number, or `undefined` if the name is unknown.
 */
export function errnoNumber(name: string): number | undefined {
  numbers ??= new Map([...readRuns(ERRNO_ALIASES), ...readRuns(ERRNOS)]);
  return numbers.get(name);
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
