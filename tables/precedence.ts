/**
 * Which answer prevails when several filters of a thread disagree.
 *
 * The kernel compares actions as signed numbers, known or not, and leaves the data
 * out: the stricter one has the smaller number. It asks the newest filter first and
 * takes an older one's answer only if that is stricter; if all answer ALLOW, the
 * outcome is ALLOW without data (kernel/seccomp.c: ACTION_ONLY(),
 * seccomp_run_filters(), Linux 6.1).
 *
 * @module
 */

import { SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ALLOW } from "./uapi.ts";

/**
 * Ranks a return value by strictness.
 *
 * @param value A u32, as a filter returned it.
 * @returns An integer from −2³¹ (KILL_PROCESS) to 0x7fff_0000 (ALLOW); less is stricter.
 */
export function precedence(value: number): number {
  return value & SECCOMP_RET_ACTION_FULL;
}

/**
 * Picks the answer that prevails.
 *
 * @param values What the filters of a thread returned, oldest first; u32.
 * @returns The strictest one, of equally strict ones the newest; ALLOW if none exists.
 */
export function prevailing(values: readonly number[]): number {
  return values.reduceRight(
    (newer, older) => precedence(older) < precedence(newer) ? older : newer,
    values.at(-1) ?? SECCOMP_RET_ALLOW,
  );
}
