/**
 * The stub that runc puts in front of a filter: numbers above the largest one
 * that the profile names get ENOSYS, so that programs built for newer kernels
 * use a fallback instead of failing with EPERM.
 *
 * Source: runc 1.0.0-rc93 and later, libcontainer/seccomp/patchbpf, by reading
 * and by experiment; quirks.ts lists the differences between versions.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { SECCOMP_RET_ERRNO } from "../../tables/uapi.ts";
import type { LinuxSeccomp, ScmpAction } from "../formats/oci.ts";
import type { Rule } from "../policy.ts";
import type { QuirkName } from "./quirks.ts";

/** ENOSYS of errno.h; mips has its own numbers. */
const ENOSYS = 38;
const ENOSYS_MIPS = 89;

/** Source of the rules of a stub. */
export const STUB_SOURCE = "runc's ENOSYS stub";

/** Inputs of a stub besides the profile. */
export interface StubOptions {
  /** Quirks of the runtime. */
  readonly quirks: ReadonlySet<QuirkName>;
  /** Returns the largest number that the profile names on an architecture. */
  readonly largest: (arch: Arch) => number;
}

/** Default actions without a stub: they let calls run. */
const WITHOUT_STUB: ReadonlySet<ScmpAction> = new Set([
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_TRACE",
]);

/**
 * Makes the rules of the stub for the architectures of one audit value.
 *
 * An architecture whose largest number is 0 gets no stub.
 *
 * @param seccomp The profile.
 * @param arches Architectures that share an audit value: one, or x86_64 and x32.
 * @param native The host: runc returns the ENOSYS of the machine for which it
 * was built.
 * @param options The runtime, and the numbers of its library.
 * @returns Rules to prepend; empty if the runtime has no stub.
 */
export function enosysStub(
  seccomp: LinuxSeccomp,
  arches: readonly Arch[],
  native: Arch,
  { quirks, largest }: StubOptions,
): readonly Rule[] {
  if (!quirks.has("enosys-stub") || WITHOUT_STUB.has(seccomp.defaultAction)) {
    return [];
  }
  const rules: Rule[] = [];
  const enosys = native.name.startsWith("mips") ? ENOSYS_MIPS : ENOSYS;
  const add = (first: number, last: number): void => {
    if (first > last) return;
    rules.push({
      first,
      last,
      conditions: [],
      value: SECCOMP_RET_ERRNO + enosys,
      source: STUB_SOURCE,
    });
  };
  for (const arch of arches) {
    const isMeant = !quirks.has("stub-of-listed-only") ||
      seccomp.architectures.includes(arch.scmp);
    const max = isMeant ? largest(arch) : 0;
    if (max === 0) continue;
    switch (arch.name) {
      case "x86_64":
        // Bit 30 selects the maximum of x32, or leads straight to the filter.
        add(max + 1, 0x3fff_ffff);
        add(0x8000_0000, 0xbfff_ffff);
        break;
      case "x32":
        add(max + 1, 0x7fff_ffff);
        add(0xc000_0000, 0xffff_ffff);
        break;
      case "s390":
      case "s390x":
        if (quirks.has("stub-answers-setup")) add(0, 0);
        add(max + 1, 0xffff_ffff);
        break;
      default:
        add(max + 1, 0xffff_ffff);
    }
  }
  return rules.sort((a, b) => a.first - b.first);
}

/**
 * Finds the largest number that a profile names.
 *
 * Names of every entry count, including entries that make no rule. Calls of a
 * multiplexer have pseudo numbers in libseccomp and do not count.
 *
 * @param seccomp The profile.
 * @param arch The architecture.
 * @param skip Names that the library does not know.
 * @returns The number; 0 if no name has one.
 */
export function largestNumber(
  seccomp: LinuxSeccomp,
  arch: Arch,
  skip: ReadonlySet<string>,
): number {
  const pseudo = new Set(arch.multiplexed.map((call) => call.name));
  let max = 0;
  for (const entry of seccomp.syscalls) {
    for (const name of entry.names) {
      if (skip.has(name) || pseudo.has(name)) continue;
      max = Math.max(max, arch.syscalls.get(name) ?? 0);
    }
  }
  return max;
}
