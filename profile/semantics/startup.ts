/**
 * Checks whether a container can run at all under a policy. The most common
 * mistake in a profile is a default that denies, with a list that lacks calls
 * that every container needs; the messages of the runtimes do not explain it.
 *
 * Only failures that are certain are reported. The runtime attaches the filter
 * to a process that then calls execve(2) to start the container, always as a
 * program of the native architecture (crun and runc); and every C library, and
 * Go's runtime, ends a process with exit_group(2). Other calls before execve
 * depend on the runtime, its version and the container.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Policy } from "../policy.ts";

/** Actions after which a call may run. */
const RUNS: readonly number[] = [
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_USER_NOTIF,
];

/**
 * Warns if no container could start or exit.
 *
 * @param policy The policy.
 * @param native The architecture of the runtime.
 * @returns At most one warning for each of the two calls.
 */
export function checkStartup(policy: Policy, native: Arch): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  if (!mayRun(policy, native, "execve")) {
    diagnostics.push({
      severity: "warning",
      code: "cannot-start",
      path: "defaultAction",
      message:
        `Container cannot start: no rule allows "execve" on ${native.name}, which the runtime needs to start it`,
      fix: "allow execve, exit_group and the calls that the program needs",
    });
  }
  if (!mayRun(policy, native, "exit_group")) {
    diagnostics.push({
      severity: "warning",
      code: "cannot-end",
      path: "defaultAction",
      message:
        `Programs cannot exit: no rule allows "exit_group" on ${native.name}`,
      fix: "allow exit_group",
    });
  }
  return diagnostics;
}

/**
 * Reports whether some arguments of a call lead to an action after which it may
 * run.
 */
function mayRun(policy: Policy, native: Arch, name: string): boolean {
  const nr = native.syscalls.get(name);
  const arch = policy.arches.find((a) => a.auditArch === native.auditArch);
  if (nr === undefined || arch === undefined) return true;
  for (const { first, last, conditions, value } of arch.rules) {
    if (nr < first || nr > last) continue;
    if (runs(value)) return true;
    if (conditions.length === 0) return false;
  }
  return runs(policy.defaultValue);
}

function runs(value: number): boolean {
  return RUNS.includes((value & SECCOMP_RET_ACTION_FULL) >>> 0);
}
