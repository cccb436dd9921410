/**
 * The stub that runc puts in front of a filter: ENOSYS for numbers above every
 * number that the profile mentions.
 *
 * @module
 */

import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { type OracleArch, type OracleHost, X32_BIT, X86_64 } from "./host.ts";

/** Reports whether runc's stub answers. */
export function isAboveStub(
  nr: number,
  { scmp, syscallBit }: OracleArch,
  limit: number | undefined,
  { manner }: OracleHost,
): boolean {
  if (limit === undefined) return false;
  if (scmp === X86_64 || syscallBit !== 0) {
    const isX32 = (nr & X32_BIT) !== 0;
    if (isX32 !== (syscallBit !== 0)) return false;
  }
  const isSetup = scmp.startsWith("SCMP_ARCH_S390") && nr === 0;
  return nr > limit || (isSetup && manner.stubAnswersSetup);
}

/** Largest number to which the names of a profile resolve, by architecture. */
export function stubLimits(
  seccomp: LinuxSeccomp,
  arches: readonly OracleArch[],
  host: OracleHost,
): Map<OracleArch, number> {
  const limits = new Map<OracleArch, number>();
  if (
    ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(
      seccomp.defaultAction,
    )
  ) return limits;
  for (const arch of arches) {
    const isListed = seccomp.architectures.includes(arch.scmp);
    if (!isListed && host.manner.stub === "listed") continue;
    let limit = 0;
    for (const { names } of seccomp.syscalls) {
      for (const name of names) {
        // A multiplexed name resolves to a negative number, wired or not.
        const isMultiplexed = arch.multiplexed.some((c) => c.name === name);
        if (!isMultiplexed && host.known(name)) {
          limit = Math.max(limit, arch.syscalls.get(name) ?? 0);
        }
      }
    }
    if (limit > 0) limits.set(arch, limit);
  }
  return limits;
}
