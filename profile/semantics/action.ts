/**
 * Converts the actions of a profile to return values of a filter.
 *
 * @module
 */

import type { ScmpAction } from "../formats/oci.ts";
import type { ReturnValue } from "../policy.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";

/** Default data of ERRNO and TRACE: EPERM in both runtimes. */
const DEFAULT_ERRNO_RET = 1;

/**
 * Largest errno that libseccomp accepts; from 4095 on, it returns EINVAL and
 * the runtimes abort. Source: libseccomp 2.5.4 and 2.6.1, by experiment.
 */
export const MAX_ERRNO_RET = 4094;

/**
 * Converts an action to the return value of the filter.
 *
 * @example An errno
 * ```ts
 * import { returnValue } from "./action.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(returnValue("SCMP_ACT_ERRNO", 38), 0x0005_0026);
 * assertEquals(returnValue("SCMP_ACT_ERRNO", undefined), 0x0005_0001);
 * ```
 *
 * @param action The action.
 * @param errnoRet Its data, 0 to 65535; EPERM by default.
 * @returns Action and data in one u32; the data is used only for ERRNO and
 * TRACE.
 */
export function returnValue(
  action: ScmpAction,
  errnoRet: number | undefined,
): ReturnValue {
  const data = (errnoRet ?? DEFAULT_ERRNO_RET) & 0xffff;
  switch (action) {
    case "SCMP_ACT_KILL":
    case "SCMP_ACT_KILL_THREAD":
      return SECCOMP_RET_KILL_THREAD;
    case "SCMP_ACT_KILL_PROCESS":
      return SECCOMP_RET_KILL_PROCESS;
    case "SCMP_ACT_TRAP":
      return SECCOMP_RET_TRAP;
    case "SCMP_ACT_ERRNO":
      return SECCOMP_RET_ERRNO + data;
    case "SCMP_ACT_TRACE":
      return SECCOMP_RET_TRACE + data;
    case "SCMP_ACT_ALLOW":
      return SECCOMP_RET_ALLOW;
    case "SCMP_ACT_LOG":
      return SECCOMP_RET_LOG;
    case "SCMP_ACT_NOTIFY":
      return SECCOMP_RET_USER_NOTIF;
  }
}
