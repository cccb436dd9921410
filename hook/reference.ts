/**
 * The filter that a container gets without this program, for comparison: the
 * one that the host's libseccomp builds for crun.
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import type { FilterRule, FilterSpec, Libseccomp } from "../ffi/libseccomp.ts";
import { returnValue } from "../profile/semantics/action.ts";
import { asRead } from "../profile/semantics/as_read.ts";
import type { Semantics } from "../profile/semantics/versions.ts";
import { readingOf } from "../profile/semantics/quirks.ts";
import { repeatsIndex } from "../profile/formats/entries.ts";
import type { LinuxSeccomp, LinuxSeccompArg } from "../profile/formats/oci.ts";
import type { Arch } from "../tables/arch.ts";

const COMPARE = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_MASKED_EQ: "maskedEq",
} as const;

/**
 * Builds a profile with the host's libseccomp.
 *
 * @param library The library.
 * @param seccomp The section.
 * @param arches Architectures, the native one first.
 * @param optimize 1 for the list that crun loads, 2 for the binary tree.
 * @returns The program; `undefined` if the library refuses.
 */
export function referenceProgram(
  library: Libseccomp,
  seccomp: LinuxSeccomp,
  arches: readonly Arch[],
  optimize: 1 | 2,
): Program | undefined {
  const spec = referenceSpec(seccomp, arches, { optimize });
  const result = library.exportFilter(spec);
  return result.kind === "filter" ? decode(result.bytes) : undefined;
}

/** Options of a reference. */
export interface ReferenceOptions {
  /** 1 for the list that crun loads, 2 for the binary tree. */
  readonly optimize: 1 | 2;
  /** The crun that reads the section; the newest known one by default. */
  readonly semantics?: Semantics;
}

/**
 * Lists the calls that crun makes to libseccomp for a section.
 *
 * @param written The section.
 * @param arches Architectures, the native one first.
 * @param options Form of the filter, and version of crun.
 * @returns The calls.
 */
export function referenceSpec(
  written: LinuxSeccomp,
  arches: readonly Arch[],
  { optimize, semantics = "crun" }: ReferenceOptions,
): FilterSpec {
  const seccomp = asRead(written, readingOf(semantics).quirks);
  const defaultAction = returnValue(
    seccomp.defaultAction,
    seccomp.defaultErrnoRet,
  );
  const rules: FilterRule[] = [];
  for (const entry of seccomp.syscalls) {
    const { names, action: scmp, errnoRet, args } = entry;
    const action = returnValue(scmp, errnoRet);
    if (action === defaultAction) continue;
    const alternatives = repeatsIndex(entry)
      ? args.map((arg) => [arg])
      : [args];
    for (const name of names) {
      for (const list of alternatives) {
        rules.push({ action, name, args: list.map(toArg) });
      }
    }
  }
  return {
    defaultAction,
    architectures: arches.map((arch) => arch.scmpToken),
    rules,
    optimize,
  };
}

function toArg(arg: LinuxSeccompArg): FilterRule["args"][number] {
  return {
    arg: arg.index,
    op: COMPARE[arg.op],
    a: arg.value,
    b: arg.valueTwo,
  };
}
