/**
 * Return values: the u32 that a filter returns, its textual form, and its
 * effect in the kernel.
 *
 * ```text
 *  31        16 15         0
 *  |  action   |   data    |     linux/seccomp.h: SECCOMP_RET_*
 * ```
 *
 * @module
 */

import { errnoName, errnoNames, errnoNumber } from "../tables/errno.ts";
import { didYouMean } from "../tables/suggest.ts";
import {
  MAX_ERRNO,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../tables/uapi.ts";

/** The actions by name, strictest first. */
const ACTIONS: ReadonlyMap<string, number> = new Map([
  ["KILL_PROCESS", SECCOMP_RET_KILL_PROCESS],
  ["KILL_THREAD", SECCOMP_RET_KILL_THREAD],
  ["TRAP", SECCOMP_RET_TRAP],
  ["ERRNO", SECCOMP_RET_ERRNO],
  ["USER_NOTIF", SECCOMP_RET_USER_NOTIF],
  ["TRACE", SECCOMP_RET_TRACE],
  ["LOG", SECCOMP_RET_LOG],
  ["ALLOW", SECCOMP_RET_ALLOW],
]);

/** Names of the actions, strictest first. */
export const ACTION_NAMES: readonly string[] = [...ACTIONS.keys()];

const NAMES: ReadonlyMap<number, string> = new Map(
  [...ACTIONS].map(([name, action]) => [action, name]),
);

/** Actions whose data is used. */
const WITH_DATA: ReadonlySet<number> = new Set([
  SECCOMP_RET_TRAP,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_TRACE,
]);

const HEX = /^0x[0-9a-f]{1,8}$/i;
const DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/;
const WORDS =
  /^(?:SECCOMP_RET_)?([A-Z_]+)(?:\((0x[0-9a-f]+|[0-9]+|E[A-Z0-9]+)\))?$/i;

/**
 * Formats a return value: the action's name, with its data if the action uses
 * it (`ERRNO(EPERM)`, `TRACE(2)`; plain `TRAP` for 0).
 *
 * @example Words and numbers
 * ```ts
 * import { formatReturnValue } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatReturnValue(0x0005_0001), "ERRNO(EPERM)");
 * assertEquals(formatReturnValue(0x1234_5678), "0x12345678");
 * ```
 *
 * @param value A u32.
 * @param auditArch `seccomp_data.arch` of the call: error numbers from 35 on
 * differ on MIPS. The numbers of most architectures if absent.
 * @returns The name, or `0x…` if the action is unknown or its data is unused.
 * @category Filters
 */
export function formatReturnValue(value: number, auditArch?: number): string {
  const action = actionOf(value);
  const data = dataOf(value);
  const name = NAMES.get(action);
  if (name !== undefined) {
    if (data === 0 && (!WITH_DATA.has(action) || action === SECCOMP_RET_TRAP)) {
      return name;
    }
    if (action === SECCOMP_RET_ERRNO) {
      return `${name}(${errnoName(data, auditArch) ?? data})`;
    }
    if (WITH_DATA.has(action)) return `${name}(${data})`;
  }
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/**
 * Reads the format of `formatReturnValue`; also accepts the prefix
 * `SECCOMP_RET_`, lower case, `KILL` for `KILL_THREAD`, numbers for errors, and
 * any u32 as a number.
 *
 * @example Words and numbers
 * ```ts
 * import { parseReturnValue } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseReturnValue("ERRNO(ENOSYS)"), 0x0005_0026);
 * assertEquals(parseReturnValue("ERRNO(38)"), 0x0005_0026);
 * assertEquals(parseReturnValue("0x7fff0000"), parseReturnValue("ALLOW"));
 * ```
 *
 * @throws {SyntaxError} if the text is neither a name nor a u32, if `ERRNO` has
 * no number, or if data does not fit in 16 bits or is not used.
 *
 * @param text A name such as `ERRNO(EPERM)`, or a number.
 * @param auditArch `seccomp_data.arch` of the call, as for
 * `formatReturnValue`.
 * @returns A u32.
 * @category Filters
 */
export function parseReturnValue(text: string, auditArch?: number): number {
  if (HEX.test(text) || DECIMAL.test(text)) {
    const value = Number(text);
    if (value <= 0xffff_ffff) return value;
    throw unreadable(text, "more than 32 bits");
  }
  const [, word, argument] = WORDS.exec(text) ?? [];
  const name = word?.toUpperCase() ?? "";
  const action = ACTIONS.get(name === "KILL" ? "KILL_THREAD" : name);
  if (action === undefined) {
    throw unreadable(
      text,
      `neither a number nor one of ${[...ACTIONS.keys()].join(", ")}`,
    );
  }
  if (argument === undefined) {
    if (action !== SECCOMP_RET_ERRNO) return action;
    throw unreadable(text, "ERRNO needs an error, such as ERRNO(EPERM)");
  }
  if (!WITH_DATA.has(action)) {
    throw unreadable(text, `${name} takes no data`);
  }
  const data = /^E/i.test(argument)
    ? errnoNumber(argument.toUpperCase(), auditArch)
    : Number(argument);
  if (
    data === undefined || (action !== SECCOMP_RET_ERRNO && /^E/i.test(argument))
  ) {
    const near = didYouMean(argument, errnoNames().values(), "E");
    throw unreadable(
      text,
      `${argument} is neither a number nor the name of an error${
        near === undefined ? "" : `; did you mean ${near}`
      }`,
    );
  }
  if (data > SECCOMP_RET_DATA) {
    throw unreadable(text, `data is at most ${SECCOMP_RET_DATA}`);
  }
  return (action | data) >>> 0;
}

/**
 * Replaces a return value by the simplest one that the kernel treats alike, so
 * that equal numbers mean equal treatment.
 *
 * According to `__seccomp_filter()` of kernel/seccomp.c (Linux 6.1), an errno
 * beyond 4095 is 4095; the data of TRAP and TRACE reach the process or its
 * tracer; the data of other actions is ignored; an unknown action is treated as
 * KILL_PROCESS. One effect is ignored: a core dump of a killed process shows
 * the data as `si_errno`. Kernels before 4.14 know only KILL_THREAD, so an
 * unknown action means that.
 *
 * This applies to the final answer. If filters are stacked, first choose the
 * winner by `precedence` of the raw values.
 *
 * @example Errno is capped
 * ```ts
 * import { effective } from "./return_value.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(effective(0x0005_1388), 0x0005_0fff);
 * ```
 *
 * @param value A u32.
 * @returns A u32 with a known action.
 */
export function effective(value: number): number {
  const action = actionOf(value);
  switch (action) {
    case SECCOMP_RET_ERRNO:
      return (action | Math.min(dataOf(value), MAX_ERRNO)) >>> 0;
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_TRACE:
      return value;
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_USER_NOTIF:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
      return action;
    default:
      return SECCOMP_RET_KILL_PROCESS;
  }
}

/**
 * Extracts the action from a return value.
 *
 * @param value A u32.
 * @returns The value without its data, a u32.
 */
export function actionOf(value: number): number {
  return (value & SECCOMP_RET_ACTION_FULL) >>> 0;
}

function dataOf(value: number): number {
  return value & SECCOMP_RET_DATA;
}

function unreadable(text: string, why: string): SyntaxError {
  return new SyntaxError(
    `Cannot read return value ${JSON.stringify(text)}: ${why}`,
  );
}
