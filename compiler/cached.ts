/**
 * The compiler's own check of its output: every call that is always allowed
 * must stay in the kernel's allow cache.
 *
 * @module
 */

import { constAllows } from "../bpf/const_allow.ts";
import type { Program } from "../bpf/instruction.ts";
import { SECCOMP_RET_ALLOW } from "../tables/uapi.ts";
import type { DecidedInterval } from "./cost.ts";

/** Numbers from here on are never cached: the kernel's tables are shorter. */
const END_OF_TABLES = 0x2000;

/**
 * Finds a number that is allowed for any arguments, but that the kernel's
 * emulator would not recognize. Every number of the kernel's tables is checked.
 *
 * @param program The program.
 * @param auditArch The architecture.
 * @param intervals Numbers and their decisions.
 * @returns Such a number; `undefined` if there is no such number.
 */
export function findUncached(
  program: Program,
  auditArch: number,
  intervals: readonly DecidedInterval[],
): number | undefined {
  const allows = constAllows(program, auditArch, END_OF_TABLES);
  for (const { first, last, node } of intervals) {
    if (node.kind !== "leaf" || node.value !== SECCOMP_RET_ALLOW) continue;
    const nr = allows.subarray(first, last + 1).indexOf(0);
    if (nr >= 0) return first + nr;
  }
  return undefined;
}
