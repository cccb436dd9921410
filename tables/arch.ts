/**
 * The architectures that a filter can name: what the kernel puts into
 * `seccomp_data.arch`, how wide an argument comparison is, and which numbers
 * the system calls have.
 *
 * The data lies in `syscalls/`, which `generate.ts` writes. A table is read
 * when it is first asked for, so that a start pays for those it needs.
 *
 * @example Where a name is on x86
 * ```ts
 * import { archByName } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const x86 = archByName("x86");
 * assertEquals(x86?.syscalls.get("openat"), 295);
 * assertEquals(x86?.multiplexed[0], { name: "socket", nr: 102, call: 1 });
 * ```
 *
 * @module
 */

import {
  type ArchData,
  hasRun,
  type MultiplexerData,
  type OtherArch,
  readRuns,
} from "./arch_data.ts";
import { AARCH64 } from "./syscalls/aarch64.ts";
import { ARM } from "./syscalls/arm.ts";
import { LOONGARCH64 } from "./syscalls/loongarch64.ts";
import { MIPS } from "./syscalls/mips.ts";
import { MIPS64 } from "./syscalls/mips64.ts";
import { MIPS64EL } from "./syscalls/mips64el.ts";
import { MIPS64N32 } from "./syscalls/mips64n32.ts";
import { MIPSEL } from "./syscalls/mipsel.ts";
import { MIPSEL64N32 } from "./syscalls/mipsel64n32.ts";
import { OTHER_ARCHES, OTHER_NAMES, VERSION } from "./syscalls/other.ts";
import { PPC } from "./syscalls/ppc.ts";
import { PPC64 } from "./syscalls/ppc64.ts";
import { PPC64LE } from "./syscalls/ppc64le.ts";
import { RISCV64 } from "./syscalls/riscv64.ts";
import { S390 } from "./syscalls/s390.ts";
import { S390X } from "./syscalls/s390x.ts";
import { X32 } from "./syscalls/x32.ts";
import { X86 } from "./syscalls/x86.ts";
import { X86_64 } from "./syscalls/x86_64.ts";

/** Short name of an architecture, as libseccomp and the command line spell it. */
export type ArchName =
  | "x86_64"
  | "x86"
  | "x32"
  | "aarch64"
  | "arm"
  | "riscv64"
  | "s390x"
  | "s390"
  | "ppc64le"
  | "loongarch64"
  | "mips64el"
  | "mipsel"
  | "mipsel64n32"
  | "ppc64"
  | "ppc"
  | "mips64"
  | "mips"
  | "mips64n32";

/** One call that a multiplexer serves, such as `socketcall(2)` or `ipc(2)`. */
export interface MultiplexedCall {
  /** Name of the call, such as `socket`. */
  readonly name: string;
  /** Number of the multiplexer in `seccomp_data.nr`. */
  readonly nr: number;
  /** Value of the multiplexer's argument 0 that selects the call. */
  readonly call: number;
}

/** Everything a filter needs to know about an architecture. */
export interface Arch {
  /** Short name. */
  readonly name: ArchName;
  /** Name in OCI profiles, such as `SCMP_ARCH_X86_64`. */
  readonly scmp: string;
  /** libseccomp's token, a u32; differs from `auditArch` for x32 only. */
  readonly scmpToken: number;
  /** `AUDIT_ARCH_*`, a u32: what `seccomp_data.arch` holds. */
  readonly auditArch: number;
  /** Width of an argument comparison; x32 counts as 32. */
  readonly bits: 32 | 64;
  /** Byte order. */
  readonly littleEndian: boolean;
  /** Bits or-ed into every number: 0x4000_0000 on x32, 0 elsewhere. */
  readonly syscallBit: number;
  /** Name to number as in `seccomp_data.nr`, in rising order of number. */
  readonly syscalls: ReadonlyMap<string, number>;
  /** Calls reachable through `socketcall` or `ipc`; empty if not multiplexed. */
  readonly multiplexed: readonly MultiplexedCall[];
}

const TABLES: readonly (readonly [ArchName, ArchData])[] = [
  ["x86_64", X86_64],
  ["x86", X86],
  ["x32", X32],
  ["aarch64", AARCH64],
  ["arm", ARM],
  ["riscv64", RISCV64],
  ["s390x", S390X],
  ["s390", S390],
  ["ppc64le", PPC64LE],
  ["loongarch64", LOONGARCH64],
  ["mips64el", MIPS64EL],
  ["mipsel", MIPSEL],
  ["mipsel64n32", MIPSEL64N32],
  ["ppc64", PPC64],
  ["ppc", PPC],
  ["mips64", MIPS64],
  ["mips", MIPS],
  ["mips64n32", MIPS64N32],
];

/** All architectures with a table, each before its companions. */
export const ARCHES: readonly Arch[] = TABLES.map(([name, data]) =>
  readArch(name, data)
);

/**
 * Architectures that a profile may list and that have no table: so that they
 * are distinguished from misspelled ones.
 */
export const OTHER_SCMP_ARCHES: readonly OtherArch[] = OTHER_ARCHES;

/** The kernel that the tables reach, and the libseccomps they agree with. */
export const SYSCALL_TABLE_VERSION: string = VERSION;

/** Names on architectures without a table only. */
const OTHER_SYSCALLS: ReadonlySet<string> = new Set(OTHER_NAMES);

/**
 * Finds an architecture by its short name.
 *
 * @example Known and unknown
 * ```ts
 * import { archByName } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(archByName("aarch64")?.auditArch, 0xc000_00b7);
 * assertEquals(archByName("vax"), undefined);
 * ```
 *
 * @param name Short name, such as `x86_64`, in lower case.
 * @returns The architecture, or `undefined` if there is no table for it.
 */
export function archByName(name: string): Arch | undefined {
  return ARCHES.find((arch) => arch.name === name);
}

/**
 * Finds an architecture by its name in OCI profiles.
 *
 * @example Little-endian MIPS
 * ```ts
 * import { archByScmp } from "./arch.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(archByScmp("SCMP_ARCH_MIPSEL64")?.name, "mips64el");
 * ```
 *
 * @param scmp Name such as `SCMP_ARCH_X86_64`, in upper case.
 * @returns The architecture, or `undefined` if there is no table for it.
 */
export function archByScmp(scmp: string): Arch | undefined {
  return ARCHES.find((arch) => arch.scmp === scmp);
}

/**
 * Reports whether a name is a system call anywhere: on an architecture with a
 * table, through a multiplexer, or on another that libseccomp knows. A profile
 * may list names of any architecture; one that is on none is misspelled, or
 * newer than {@linkcode SYSCALL_TABLE_VERSION}.
 *
 * @example A name of m68k
 * ```ts
 * import { isKnownName } from "./arch.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isKnownName("getpagesize"), true);
 * assertEquals(isKnownName("opnat"), false);
 * ```
 *
 * @param name Name as in a profile.
 * @returns True when some architecture has it.
 */
export function isKnownName(name: string): boolean {
  return TABLES.some(([, { syscalls, multiplexers }]) =>
    hasRun(syscalls, name) ||
    multiplexers.some(({ calls }) => hasRun(calls, name))
  ) || OTHER_SYSCALLS.has(name);
}

/**
 * Makes an architecture of what a generated file says. Reading all tables
 * takes 3 ms of a cold start, those of x86_64 and its companions a quarter of
 * that: hence the two getters, each of which reads once and then keeps.
 */
function readArch(name: ArchName, data: ArchData): Arch {
  let syscalls: ReadonlyMap<string, number> | undefined;
  let multiplexed: readonly MultiplexedCall[] | undefined;
  return {
    name,
    scmp: data.scmp,
    scmpToken: data.scmpToken,
    auditArch: data.auditArch,
    bits: data.bits,
    littleEndian: data.littleEndian,
    syscallBit: data.syscallBit,
    get syscalls(): ReadonlyMap<string, number> {
      return syscalls ??= readRuns(data.syscalls);
    },
    get multiplexed(): readonly MultiplexedCall[] {
      return multiplexed ??= data.multiplexers.flatMap(readCalls);
    },
  };
}

/** Reads the calls that one multiplexer serves. */
function readCalls({ nr, calls }: MultiplexerData): MultiplexedCall[] {
  return [...readRuns(calls)].map(([name, call]) => ({ name, nr, call }));
}
