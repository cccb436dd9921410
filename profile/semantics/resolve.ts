/**
 * Converts a profile to a policy: names become numbers, actions become return
 * values, and every quirk of the runtimes becomes an ordered rule. Nothing
 * below this module knows that a runtime exists.
 *
 * ```text
 * LinuxSeccomp ─▶ entries that count ─▶ rules per (arch, nr) ─▶ ordered rules
 *                 (not the default's     (multiplexers, pseudo    (precedence.ts)
 *                  own action)            numbers, x32 bit)
 * ```
 *
 * Facts about libseccomp were observed on 2.5.4 and 2.6.1; quirks.ts has those
 * about crun and runc.
 *
 * @module
 */

import { type Arch, archByScmp, type ArchName } from "../../tables/arch.ts";
import { SECCOMP_RET_KILL_THREAD } from "../../tables/uapi.ts";
import { returnValue } from "./action.ts";
import { asRead, checkReading } from "./as_read.ts";
import { checkEntries, checkErrnos, repeatsIndex } from "../formats/entries.ts";
import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import {
  checkNames,
  type KnownCalls,
  restrictTable,
  type UnknownNames,
} from "./names.ts";
import type { LinuxSeccomp, LinuxSyscall } from "../formats/oci.ts";
import type { ArchPolicy, Policy, Rule } from "../policy.ts";
import { checkDenials, checkLostRules } from "./lost_rules.ts";
import { orderCalls } from "./order.ts";
import type { PendingRule } from "./precedence.ts";
import { readingOf, type RuntimeReading } from "./quirks.ts";
import { checkRefusals } from "./refusals.ts";
import { checkStartup } from "./startup.ts";
import { enosysStub, largestNumber } from "./stub.ts";
import type { Semantics } from "./versions.ts";

/** The machine and runtime for which a profile is resolved. */
export interface Target {
  /** The architectures to filter, the native one first. */
  readonly arches: readonly Arch[];
  /** Runtime whose semantics apply, such as `crun` or `runc@1.1.5`. */
  readonly semantics: Semantics;
  /**
   * Reports whether a call exists, for example in the host's libseccomp; by
   * default, all calls of the built-in tables exist.
   */
  readonly knows?: KnownCalls;
  /** Treatment of a name that exists nowhere; `deny-error` by default. */
  readonly unknown?: UnknownNames;
  /** True if doubtful constructs that the runtimes accept are errors. */
  readonly strict?: boolean;
}

/** A policy and its diagnostics. */
export interface Resolution {
  /** The meaning of the profile. */
  readonly policy: Policy;
  /** Warnings and notes, in the order of the profile. */
  readonly diagnostics: readonly Diagnostic[];
  /** Names without a rule because they exist nowhere, sorted. */
  readonly unknownNames: readonly string[];
}

/**
 * Lists the architectures that a profile filters on a host: always the native
 * one, then those of the profile in order, once each.
 *
 * @param native The host.
 * @param architectures `SCMP_ARCH_*` names of the profile; an empty list means
 * only the host's.
 * @returns The architectures, the native one first.
 * @throws {ProfileError} if a name is unknown or byte orders differ.
 */
export function targetArches(
  native: Arch,
  architectures: readonly string[],
): readonly Arch[] {
  const arches: Arch[] = [native];
  const diagnostics: Diagnostic[] = [];
  for (const [i, scmp] of architectures.entries()) {
    const path = `architectures[${i}]`;
    const arch = archByScmp(scmp);
    if (arch === undefined) {
      diagnostics.push({
        severity: "error",
        code: "unsupported-architecture",
        path,
        message: `Cannot filter architecture "${scmp}": no system call table`,
        fix: "remove it, or compile for a host that does not need it",
      });
    } else if (arch.littleEndian !== native.littleEndian) {
      diagnostics.push({
        severity: "error",
        code: "byte-order",
        path,
        message:
          `Cannot filter architecture "${scmp}" on ${native.name}: byte orders differ`,
        fix: "remove it; the runtimes also refuse the container",
      });
    } else if (!arches.includes(arch)) arches.push(arch);
  }
  if (diagnostics.length > 0) throw new ProfileError(diagnostics);
  return arches;
}

/**
 * Resolves a profile for a target.
 *
 * @param written The profile, already selected for a host.
 * @param asked Machine and runtime.
 * @returns The policy with warnings.
 * @throws {ProfileError} if the runtime would refuse the profile, or if a rule
 * that denies names a call that does not exist.
 * @throws {RangeError} if the version of the runtime is malformed.
 */
export function resolve(written: LinuxSeccomp, asked: Target): Resolution {
  const target = withKnownCalls(asked);
  const reading = readingOf(target.semantics);
  const seccomp = asRead(written, reading.quirks);
  const defaultValue = returnValue(
    seccomp.defaultAction,
    seccomp.defaultErrnoRet,
  );
  const diagnostics: Diagnostic[] = checkErrnos(seccomp);
  const entries = seccomp.syscalls.filter((entry) =>
    returnValue(entry.action, entry.errnoRet) !== defaultValue
  );
  diagnostics.push(
    ...checkRefusals(seccomp, reading),
    ...checkReading(written, entries, reading, target),
    ...checkEntries(entries, target),
  );
  const names = checkNames(seccomp, entries, defaultValue, target);
  diagnostics.push(
    ...names.diagnostics,
    ...checkLostRules(entries, defaultValue, target, names.skip),
  );

  const rules = new Map<Arch, readonly Rule[]>();
  for (const arch of target.arches) {
    const pending = pendingRules(entries, arch, names.skip);
    const ordered = orderCalls(pending, arch, {
      native: arch === target.arches[0],
    });
    rules.set(arch, ordered.rules);
    diagnostics.push(...ordered.diagnostics);
  }
  refuseErrors(diagnostics);
  diagnostics.push(
    ...checkDenials(seccomp, defaultValue, target, rules.values()),
  );
  refuseErrors(diagnostics);
  const native = target.arches[0];
  if (native === undefined) throw new Error("Unreachable: no architecture");
  const policy: Policy = {
    defaultValue,
    badArchValue: SECCOMP_RET_KILL_THREAD,
    littleEndian: native.littleEndian,
    arches: archPolicies(
      seccomp,
      { ...target, native, reading },
      rules,
      names.skip,
    ),
  };
  diagnostics.push(...checkStartup(policy, native));
  return {
    policy,
    diagnostics,
    unknownNames: [...names.skip].sort(),
  };
}

function refuseErrors(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some((d) => d.severity === "error")) {
    throw new ProfileError(diagnostics);
  }
}

/**
 * A call for which the library has no number does not exist on that
 * architecture.
 */
function withKnownCalls(target: Target): Target {
  const { arches, knows } = target;
  if (knows === undefined) return target;
  return { ...target, arches: arches.map((a) => restrictTable(a, knows)) };
}

/**
 * Rules of one architecture by number, or by name if the call does not exist
 * there.
 */
function pendingRules(
  entries: readonly LinuxSyscall[],
  arch: Arch,
  skip: ReadonlySet<string>,
): ReadonlyMap<number | string, PendingRule[]> {
  const pending = new Map<number | string, PendingRule[]>();
  const add = (key: number | string, rule: PendingRule): void => {
    const list = pending.get(key);
    if (list === undefined) pending.set(key, [rule]);
    else list.push(rule);
  };
  const multiplexed = new Map(arch.multiplexed.map((m) => [m.name, m]));
  for (const entry of entries) {
    const value = returnValue(entry.action, entry.errnoRet);
    const source = entry.path;
    const alternatives = repeatsIndex(entry)
      ? entry.args.map((condition) => [condition])
      : [entry.args];
    for (const name of entry.names) {
      if (skip.has(name)) continue;
      const nr = arch.syscalls.get(name);
      const behind = multiplexed.get(name);
      for (const args of alternatives) {
        if (behind !== undefined) {
          // The call number replaces any condition on argument 0.
          const call = {
            index: 0,
            op: "SCMP_CMP_EQ",
            value: BigInt(behind.call),
            valueTwo: 0n,
          } as const;
          add(behind.nr, {
            args: [call, ...args.filter((a) => a.index !== 0)],
            value,
            source,
          });
        }
        // Without a number on this architecture, the rule is in libseccomp's
        // tree and never emitted, but can contradict others; a multiplexing
        // architecture drops names that it does not have.
        if (nr !== undefined) add(nr, { args, value, source });
        else if (behind !== undefined || arch.multiplexed.length === 0) {
          add(name, { args, value, source });
        }
      }
    }
  }
  return pending;
}

/**
 * Merges architectures of one audit value, and prepends guards and stubs.
 */
function archPolicies(
  seccomp: LinuxSeccomp,
  target: Target & {
    readonly native: Arch;
    readonly reading: RuntimeReading;
  },
  rules: ReadonlyMap<Arch, readonly Rule[]>,
  skip: ReadonlySet<string>,
): readonly ArchPolicy[] {
  const { quirks } = target.reading;
  const values = new Set(target.arches.map((arch) => arch.auditArch));
  return [...values].map((auditArch) => {
    const arches = target.arches.filter((a) => a.auditArch === auditArch);
    const stub = enosysStub(seccomp, arches, target.native, {
      quirks,
      largest: (arch) => largestNumber(seccomp, arch, skip),
    });
    return {
      auditArch,
      names: arches.map((arch) => arch.name as ArchName),
      rules: [
        ...stub,
        ...x32Guard(arches),
        ...arches.flatMap((arch) => rules.get(arch) ?? []),
      ],
    };
  });
}

/**
 * x86_64 and x32 share an audit value. If one of the two is not filtered, its
 * numbers get the action of unknown architectures, whatever the default is; −1,
 * which a tracer writes to skip a call, goes through the rules.
 */
function x32Guard(arches: readonly Arch[]): readonly Rule[] {
  const kinds = new Set(arches.map((arch) => arch.name));
  const guard = {
    conditions: [],
    value: SECCOMP_RET_KILL_THREAD,
    source: "x32 guard",
  };
  if (kinds.has("x86_64") && !kinds.has("x32")) {
    return [{ first: 0x4000_0000, last: 0xffff_fffe, ...guard }];
  }
  if (kinds.has("x32") && !kinds.has("x86_64")) {
    return [{ first: 0, last: 0x3fff_ffff, ...guard }];
  }
  return [];
}
