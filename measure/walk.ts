/**
 * The emulation that the kernel runs when a filter is attached, to find the
 * calls that are always allowed (kernel/seccomp.c: seccomp_cache_prepare(),
 * Linux 5.11).
 *
 * @module
 */

import { emulate } from "../bpf/const_allow.ts";
import type { Program } from "../bpf/instruction.ts";
import { COUNTED_NUMBERS } from "../compiler/cost.ts";
import type { Arch } from "../tables/arch.ts";
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from "../tables/uapi.ts";

/**
 * Adds up the instructions that the kernel's emulator runs at attach: all
 * numbers of the native table and of the compat table, even those that the
 * filter does not test.
 *
 * @param program The filter.
 * @param arches Its architectures, native one first; an empty list means
 * x86_64.
 */
export function walkOf(program: Program, arches: readonly Arch[]): number {
  const [native] = arches;
  const compat = arches.find((arch) =>
    arch !== native && arch.bits === 32 && arch.syscallBit === 0
  );
  const walks = native === undefined || native.auditArch === AUDIT_ARCH_X86_64
    ? [AUDIT_ARCH_X86_64, AUDIT_ARCH_I386]
    : [native.auditArch, ...(compat === undefined ? [] : [compat.auditArch])];
  let walked = 0;
  for (const auditArch of walks) {
    for (let nr = 0; nr < COUNTED_NUMBERS; nr++) {
      walked += emulate(program, auditArch, nr).steps;
    }
  }
  return walked;
}
