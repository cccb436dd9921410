/**
 * The second opinion on the meaning of a profile: an interpreter of the OCI
 * section that models the runtimes and libseccomp, call by call. It shares no
 * code with `profile/` and `compiler/`; production turns the rules into an
 * ordered list, while this keeps libseccomp's tree of tests (`tree.ts`) and
 * evaluates it.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
} from "../../profile/formats/oci.ts";
import {
  type Arch,
  archByName,
  ARCHES,
  type ArchName,
  isKnownName,
} from "../../tables/arch.ts";
import {
  mannerOf,
  type OracleArch,
  type OracleHost,
  type Version,
  X32_BIT,
  X86_64,
} from "./host.ts";
import { ArchRules } from "./arch_rules.ts";
import { isAboveStub, stubLimits } from "./stub.ts";
import { ExistsError } from "./tree.ts";

/** The runtime and the machine. */
export interface Target {
  /** The machine. */
  readonly native: ArchName;
  /** The runtime. */
  readonly semantics: "crun" | "runc";
  /** Its version; the newest by default. */
  readonly version?: Version;
}

/** The runtime does not start the container. */
export interface Refused {
  /**
   * The errno of libseccomp, or a mark that the runtime refuses before it calls
   * it.
   */
  readonly refused: "EEXIST" | "EINVAL" | "EDOM" | "runtime";
  /** Description of what was refused. */
  readonly reason: string;
}

/** Answers calls. */
export type Verdicts = (data: SeccompData) => number;

const KILL = 0;
/** `ENOSYS` of asm-generic/errno.h, and of MIPS. */
const ENOSYS = 38;
const MIPS_ENOSYS = 89;
const SKIPPED = 0xffff_ffff;

const ACTIONS: Readonly<Record<ScmpAction, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};

/**
 * Returns the meaning of a profile for one call.
 *
 * @param seccomp The section.
 * @param target The machine and the runtime.
 * @param data The call.
 * @returns The return value of the filter, a u32, or the reason of a refusal.
 */
export function meaning(
  seccomp: LinuxSeccomp,
  target: Target,
  data: SeccompData,
): number | Refused {
  const verdicts = interpret(seccomp, hostOf(target));
  return typeof verdicts === "function" ? verdicts(data) : verdicts;
}

/**
 * Finds an architecture in the tables.
 *
 * @param name Its short name.
 * @returns The architecture.
 */
export function archOf(name: ArchName): Arch {
  const arch = archByName(name);
  if (arch === undefined) throw new Error(`Unreachable: no table of ${name}`);
  return arch;
}

/**
 * Makes a host of the tables of the project.
 *
 * @param target The machine and the runtime.
 * @returns A host whose library knows every name of the tables.
 */
export function hostOf(target: Target): OracleHost {
  return {
    native: archOf(target.native),
    semantics: target.semantics,
    manner: mannerOf(target.semantics, target.version),
    find: (scmp) => ARCHES.find((arch) => arch.scmp === scmp),
    known: isKnownName,
  };
}

/**
 * Reads a profile once, for many calls.
 *
 * @param seccomp The section.
 * @param host The machine.
 * @returns The function that answers calls, or the reason of a refusal.
 */
export function interpret(
  seccomp: LinuxSeccomp,
  host: OracleHost,
): Verdicts | Refused {
  try {
    return build(seccomp, host);
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly refusal: Refused;

  constructor(refused: Refused["refused"], reason: string) {
    super(reason);
    this.refusal = { refused, reason };
  }
}

function build(seccomp: LinuxSeccomp, host: OracleHost): Verdicts {
  const defaultValue = actionValue(
    seccomp.defaultAction,
    host.manner.defaultErrno ? seccomp.defaultErrnoRet : undefined,
    host,
    "default action",
  );
  checkNotify(seccomp, host);
  checkData(defaultValue, "default action");
  const arches = archesOf(seccomp, host);
  const filters = arches.map((arch) => new ArchRules(arch));
  for (const entry of seccomp.syscalls) {
    const value = actionValue(entry.action, entry.errnoRet, host, entry.path);
    if (!host.manner.emptyNames && entry.names.includes("")) {
      throw new RefusedError("runtime", `${entry.path}: empty name`);
    }
    if (value === defaultValue) continue;
    for (const name of entry.names) {
      if (!host.known(name)) continue;
      checkData(value, entry.path);
      for (const args of ruleArgs(entry, host)) {
        for (const filter of filters) {
          try {
            filter.add(name, args, value);
          } catch (error) {
            if (!(error instanceof ExistsError)) throw error;
            throw new RefusedError("EEXIST", `${entry.path} (${name})`);
          }
        }
      }
    }
  }
  const limits = host.manner.stub !== "none"
    ? stubLimits(seccomp, arches, host)
    : new Map<OracleArch, number>();
  // runc has the number of the machine that it was built for.
  const enosys = ACTIONS.SCMP_ACT_ERRNO +
    (host.native.scmp.startsWith("SCMP_ARCH_MIPS") ? MIPS_ENOSYS : ENOSYS);
  const byArch = Map.groupBy(filters, ({ arch }) => arch.auditArch);
  return ({ nr, arch, args }) => {
    const own = byArch.get(arch);
    if (own === undefined) return KILL;
    for (const { arch } of own) {
      if (isAboveStub(nr, arch, limits.get(arch), host)) return enosys;
    }
    const [{ arch: first }] = own as [ArchRules]; // groups are never empty
    if (own.length === 1) {
      if (first.syscallBit !== 0 && nr < X32_BIT) return KILL;
      if (first.scmp === X86_64 && nr >= X32_BIT && nr !== SKIPPED) return KILL;
    }
    for (const filter of own) {
      const value = filter.verdict(nr, args);
      if (value !== undefined) return value;
    }
    return defaultValue;
  };
}

function actionValue(
  action: ScmpAction,
  errnoRet: number | undefined,
  host: OracleHost,
  where: string,
): number {
  const takesData = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  if (!takesData && errnoRet !== undefined && !host.manner.idleErrno) {
    throw new RefusedError("runtime", `${where}: errnoRet with ${action}`);
  }
  const data = takesData ? (errnoRet ?? 1) % 0x1_0000 : 0;
  return ACTIONS[action] + data;
}

/** libseccomp takes errno data up to 4094. */
function checkData(value: number, where: string): void {
  if (value >= 0x0005_0fff && value <= 0x0005_ffff) {
    throw new RefusedError("EINVAL", `${where}: errno ${value % 0x1_0000}`);
  }
}

/** runc needs `write` to pass on its listener. */
function checkNotify(seccomp: LinuxSeccomp, host: OracleHost): void {
  if (host.semantics !== "runc") return;
  const isWrite = seccomp.syscalls.some(({ action, names }) =>
    action === "SCMP_ACT_NOTIFY" && names.includes("write")
  );
  if (seccomp.defaultAction === "SCMP_ACT_NOTIFY" || isWrite) {
    throw new RefusedError("runtime", "SCMP_ACT_NOTIFY by default or on write");
  }
}

function archesOf(seccomp: LinuxSeccomp, host: OracleHost): OracleArch[] {
  const arches: OracleArch[] = [host.native];
  for (const scmp of seccomp.architectures) {
    const arch = host.find(scmp);
    if (arch === undefined) {
      throw new RefusedError("runtime", `unknown architecture ${scmp}`);
    }
    if (arches.some((other) => other.scmp === scmp)) continue;
    if (arch.littleEndian !== host.native.littleEndian) {
      throw new RefusedError("EDOM", `${scmp} has another byte order`);
    }
    arches.push(arch);
  }
  return arches;
}

/** An entry that names an index twice becomes one rule for each comparison. */
function ruleArgs(
  { args: written, path }: LinuxSyscall,
  { manner }: OracleHost,
): readonly (readonly LinuxSeccompArg[])[] {
  const args = written.filter((_, i) => i < manner.comparisons);
  if (args.some(({ index }) => index > 5)) {
    throw new RefusedError("EINVAL", `${path}: argument index above 5`);
  }
  const isRepeated = new Set(args.map(({ index }) => index)).size < args.length;
  return isRepeated ? args.map((arg) => [arg]) : [args];
}
