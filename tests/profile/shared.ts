/**
 * Builders and judges for the tests of the meaning of profiles.
 *
 * @module
 */

import { assert } from "@std/assert";
import { type Diagnostic, ProfileError } from "../../profile/diagnostic.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
  ScmpOp,
} from "../../profile/formats/oci.ts";
import {
  type Resolution,
  resolve,
  type Target,
} from "../../profile/semantics/resolve.ts";
import { type Arch, archByName, type ArchName } from "../../tables/arch.ts";
import { decide } from "../../verify/decide.ts";

export const ALLOW = 0x7fff_0000;
export const EPERM = 0x0005_0001;
export const ENOSYS = 0x0005_0026;
export const KILL = 0;
export const LOG = 0x7ffc_0000;
export const TRAP = 0x0003_0000;
export const SKIPPED = 0xffff_ffff;
export const X32 = 0x4000_0000;

/** An architecture that has a table. */
export function archOf(name: ArchName): Arch {
  const arch = archByName(name);
  assert(arch !== undefined);
  return arch;
}

/** A number of a call that the architecture has. */
export function numberOf(arch: ArchName, name: string): number {
  const nr = archOf(arch).syscalls.get(name);
  assert(nr !== undefined, `${name} on ${arch}`);
  return nr;
}

/** A comparison, `a0 == 5`; for `masked`, mask and value. */
export function arg(
  index: number,
  op: Lowercase<ScmpOp extends `SCMP_CMP_${infer Op}` ? Op : never>,
  value: bigint,
  valueTwo = 0n,
): LinuxSeccompArg {
  return {
    index,
    op: `SCMP_CMP_${op.toUpperCase()}` as ScmpOp, // its only parts are those of ScmpOp
    value,
    valueTwo,
  };
}

/** An entry without its place: names, action, conditions. */
export interface Entry {
  readonly names: string | readonly string[];
  readonly action:
    | "allow"
    | "errno"
    | "kill"
    | "kill_process"
    | "log"
    | "trap"
    | "trace";
  readonly errnoRet?: number;
  readonly args?: readonly LinuxSeccompArg[];
}

/** An entry. */
export function entry(
  names: string | readonly string[],
  action: Entry["action"],
  args?: readonly LinuxSeccompArg[],
  errnoRet?: number,
): Entry {
  return {
    names,
    action,
    args: args ?? [],
    ...(errnoRet === undefined ? {} : { errnoRet }),
  };
}

function actionOf(action: Entry["action"]): ScmpAction {
  return `SCMP_ACT_${action.toUpperCase()}` as ScmpAction; // its only parts are those of ScmpAction
}

/** A profile with a default of ERRNO(1) by default. */
export function profileOf(
  entries: readonly Entry[],
  defaultAction?: Entry["action"],
  defaultErrnoRet?: number,
): LinuxSeccomp {
  return {
    defaultAction: actionOf(defaultAction ?? "errno"),
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures: [],
    syscalls: entries.map((
      { names, action, args, errnoRet },
      i,
    ): LinuxSyscall => ({
      names: typeof names === "string" ? [names] : names,
      action: actionOf(action),
      args: args ?? [],
      path: `syscalls[${i}]`,
      ...(errnoRet === undefined ? {} : { errnoRet }),
    })),
  };
}

/** Resolves for architectures, x86_64 by default. */
export function resolved(
  seccomp: LinuxSeccomp,
  arches: readonly ArchName[] = ["x86_64"],
  options: Partial<Target> = {},
): Resolution {
  return resolve(seccomp, {
    arches: arches.map(archOf),
    semantics: "crun",
    ...options,
  });
}

/** Answers calls of a profile: architecture, name or number, arguments. */
export function verdicts(
  seccomp: LinuxSeccomp,
  arches: readonly ArchName[] = ["x86_64"],
  options: Partial<Target> = {},
): (
  arch: ArchName,
  call: string | number,
  ...args: readonly bigint[]
) => number {
  const { policy } = resolved(seccomp, arches, options);
  return (arch, call, ...args) =>
    decide(policy, {
      nr: typeof call === "number" ? call : numberOf(arch, call),
      arch: archOf(arch).auditArch,
      instructionPointer: 0n,
      args: Array.from({ length: 6 }, (_, i) => args[i] ?? 0n),
    }).value;
}

/** The diagnostics of a profile, as `severity code path: message: fix`. */
export function findings(
  seccomp: LinuxSeccomp,
  arches: readonly ArchName[] = ["x86_64"],
  options: Partial<Target> = {},
): readonly string[] {
  const text = (d: Diagnostic): string =>
    `${d.severity} ${d.code} ${d.path}: ${d.message}${
      d.fix === undefined ? "" : `: ${d.fix}`
    }`;
  try {
    return resolved(seccomp, arches, options).diagnostics.map(text);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return error.diagnostics.map(text);
  }
}

/**
 * The calls without which no container starts, allowed: avoids that warning.
 */
export const STARTS: Entry = entry(["execve", "exit_group"], "allow");
