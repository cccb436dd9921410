/**
 * Decides which answer applies if several filters of a thread disagree.
 *
 * The kernel compares actions as signed numbers, known or not, and ignores the
 * data: the stricter one has the smaller number. It runs the newest filter
 * first and uses an older filter's answer only if it is stricter. If all answer
 * ALLOW, the outcome is ALLOW without data (kernel/seccomp.c: ACTION_ONLY(),
 * seccomp_run_filters(), Linux 6.1).
 *
 * @module
 */

import { SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ALLOW } from "./uapi.ts";

/**
 * Ranks a return value by strictness.
 *
 * @param value A return value of a filter, a u32.
 * @returns An integer from −2³¹ (KILL_PROCESS) to 0x7fff_0000 (ALLOW); less is stricter.
 */
export function precedence(value: number): number {
  return value & SECCOMP_RET_ACTION_FULL;
}

/**
 * Chooses the answer that applies.
 *
 * @param values Return values of the filters of a thread, oldest first; u32.
 * @returns The strictest one, or the newest of equally strict ones; ALLOW if
 * there are no filters.
 */
export function prevailing(values: readonly number[]): number {
  return values.reduceRight(
    (newer, older) => precedence(older) < precedence(newer) ? older : newer,
    values.at(-1) ?? SECCOMP_RET_ALLOW,
  );
}
