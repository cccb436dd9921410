/**
 * The filter that a container would get without this program, for comparison:
 * the host's libseccomp builds it for crun or runc.
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import type { Instruction, Program } from "../bpf/instruction.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { FilterRule, FilterSpec, Libseccomp } from "../ffi/libseccomp.ts";
import { returnValue } from "../profile/semantics/action.ts";
import { asRead } from "../profile/semantics/as_read.ts";
import {
  compareVersions,
  type Semantics,
} from "../profile/semantics/versions.ts";
import { readingOf } from "../profile/semantics/quirks.ts";
import { enosysStub } from "../profile/semantics/stub.ts";
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
  /**
   * 1 for a list, 2 for the binary tree; by default the form that the runtime
   * loads.
   */
  readonly optimize?: 1 | 2;
  /** The runtime that reads the section; the newest known crun by default. */
  readonly semantics?: Semantics;
}

/**
 * First runc that loads the binary tree, and the number of names above which it
 * does.
 */
const TREE_SINCE = "1.2.0-rc1";
const TREE_ABOVE = 32;

/**
 * Lists the calls that a runtime makes to libseccomp for a section.
 *
 * @param written The section.
 * @param arches Architectures, the native one first.
 * @param options Form of the filter, and version of the runtime.
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
    optimize: optimize ?? formOf(written, semantics),
  };
}

function formOf({ syscalls }: LinuxSeccomp, semantics: Semantics): 1 | 2 {
  const { runtime, readAs } = readingOf(semantics);
  const names = syscalls.reduce((sum, { names }) => sum + names.length, 0);
  return runtime === "runc" && names > TREE_ABOVE &&
      compareVersions(readAs, TREE_SINCE) >= 0
    ? 2
    : 1;
}

/**
 * Prepends what a runtime itself adds to the library's filter: runc's ENOSYS
 * stub.
 *
 * @param program The library's filter.
 * @param seccomp The section.
 * @param arches Architectures, the native one first.
 * @param options Version of the runtime, and the largest number that the
 * library finds for a name of the section on an architecture.
 * @returns The filter that the runtime would load.
 */
export function withStub(
  program: Program,
  seccomp: LinuxSeccomp,
  arches: readonly Arch[],
  options: {
    readonly semantics: Semantics;
    readonly largest: (arch: Arch) => number;
  },
): Program {
  const [native] = arches;
  if (native === undefined) return program;
  const { quirks } = readingOf(options.semantics);
  const { largest } = options;
  const stub: Instruction[] = [];
  for (const value of new Set(arches.map(({ auditArch }) => auditArch))) {
    const group = arches.filter(({ auditArch }) => auditArch === value);
    const answers = enosysStub(seccomp, group, native, { quirks, largest })
      .flatMap(({ first, last, value }): Instruction[] => [
        { op: "jge.k", jt: 0, jf: 2, k: first },
        { op: "jgt.k", jt: 1, jf: 0, k: last },
        { op: "ret.k", jt: 0, jf: 0, k: value },
      ]);
    if (answers.length === 0) continue;
    stub.push(
      { op: "ld.abs", jt: 0, jf: 0, k: ARCH_OFFSET },
      { op: "jeq.k", jt: 0, jf: answers.length + 1, k: value },
      { op: "ld.abs", jt: 0, jf: 0, k: NR_OFFSET },
      ...answers,
    );
  }
  return [...stub, ...program];
}

function toArg(arg: LinuxSeccompArg): FilterRule["args"][number] {
  return {
    arg: arg.index,
    op: COMPARE[arg.op],
    a: arg.value,
    b: arg.valueTwo,
  };
}
