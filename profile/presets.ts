/**
 * Presets: small profiles that deny one thing and allow everything else, in
 * Docker's format, so that each machine gets its own architectures.
 *
 * Values that the kernel truncates to 32 bits are compared under a mask.
 * Otherwise, a program could evade the comparison by setting a higher bit,
 * which the kernel ignores.
 *
 * @module
 */

import { ARCH_SPELLINGS } from "./host.ts";

/** An entry of a preset. */
interface PresetEntry {
  readonly names: readonly string[];
  readonly errnoRet?: number;
  /** Bits of an argument, and their values; all must be equal. */
  readonly args?: readonly {
    readonly index: number;
    readonly mask: number;
    readonly value: number;
  }[];
  /**
   * Docker's names of the architectures to which the entry is limited, or that
   * it excludes.
   */
  readonly includes?: readonly string[];
  readonly excludes?: readonly string[];
}

/** A preset. */
export interface Preset {
  readonly name: string;
  /** The denied calls, without a final period. */
  readonly brief: string;
  readonly entries: readonly PresetEntry[];
}

/** All bits of an `int`. */
const INT = 0xffff_ffff;
const ENOSYS = 38;
/** Machines on which the flags are the second argument of clone(2). */
const S390 = ["s390", "s390x"];
/** Machines on which TIOCSTI has another number. */
const MIPS = Object.values(ARCH_SPELLINGS).map(({ docker }) => docker)
  .filter((name) => name.startsWith("mips"));

/** linux/sched.h: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NEW_NAMESPACES = [
  ...[0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000],
  ...[0x1000_0000, 0x2000_0000, 0x4000_0000],
];
/** Only unshare(2) and clone3(2) take it: the low byte of clone is a signal. */
const CLONE_NEWTIME = 0x80;

function always(...names: readonly string[]): readonly PresetEntry[] {
  return [{ names }];
}

function domain(value: number, ...names: readonly string[]): PresetEntry[] {
  return [{ names, args: [{ index: 0, mask: INT, value }] }];
}

function anyBit(
  index: number,
  bits: readonly number[],
  entry: Omit<PresetEntry, "args">,
): readonly PresetEntry[] {
  return bits.map((bit) => ({
    ...entry,
    args: [{ index, mask: bit, value: bit }],
  }));
}

/** PROT_WRITE and PROT_EXEC. */
const WRITE_AND_EXECUTE = 6;

/** All presets. */
export const PRESETS: readonly Preset[] = [
  {
    name: "no-unix-sockets",
    brief: "socket and socketpair of AF_UNIX",
    entries: domain(1, "socket", "socketpair"),
  },
  {
    name: "no-af-alg",
    brief: "socket of AF_ALG, the kernel's cryptography",
    entries: domain(38, "socket"),
  },
  {
    name: "no-vsock",
    brief: "socket of AF_VSOCK, the connection to the hypervisor",
    entries: domain(40, "socket"),
  },
  {
    name: "no-io-uring",
    brief: "io_uring_setup, io_uring_enter and io_uring_register",
    entries: always("io_uring_setup", "io_uring_enter", "io_uring_register"),
  },
  { name: "no-ptrace", brief: "ptrace", entries: always("ptrace") },
  {
    name: "no-new-namespaces",
    brief:
      "unshare and clone with a CLONE_NEW flag; clone3 gets ENOSYS, because its flags are in memory",
    entries: [
      ...anyBit(0, [CLONE_NEWTIME, ...NEW_NAMESPACES], { names: ["unshare"] }),
      ...anyBit(0, NEW_NAMESPACES, { names: ["clone"], excludes: S390 }),
      ...anyBit(1, NEW_NAMESPACES, { names: ["clone"], includes: S390 }),
      { names: ["clone3"], errnoRet: ENOSYS },
    ],
  },
  {
    name: "no-keyring",
    brief: "add_key, request_key and keyctl",
    entries: always("add_key", "request_key", "keyctl"),
  },
  { name: "no-bpf", brief: "bpf", entries: always("bpf") },
  {
    name: "no-tiocsti",
    brief: "ioctl TIOCSTI, input for a terminal",
    entries: [
      {
        names: ["ioctl"],
        args: [{ index: 1, mask: INT, value: 0x5412 }],
        excludes: MIPS,
      },
      {
        names: ["ioctl"],
        args: [{ index: 1, mask: INT, value: 0x5472 }],
        includes: MIPS,
      },
    ],
  },
  {
    name: "w-xor-x",
    brief:
      "mmap, mmap2, mprotect and pkey_mprotect of memory that is both writable and executable",
    entries: [{
      names: ["mmap", "mmap2", "mprotect", "pkey_mprotect"],
      args: [{ index: 2, mask: WRITE_AND_EXECUTE, value: WRITE_AND_EXECUTE }],
    }],
  },
];

/** Architectures with their companions, as in Docker's default profile. */
const ARCH_MAP: Readonly<Record<string, readonly string[]>> = {
  X86_64: ["X86", "X32"],
  X86: [],
  AARCH64: ["ARM"],
  ARM: [],
  RISCV64: [],
  LOONGARCH64: [],
  S390X: ["S390"],
  PPC64LE: [],
  MIPS64: ["MIPS", "MIPS64N32"],
  MIPSEL64: ["MIPSEL", "MIPSEL64N32"],
};

/**
 * Writes a preset as a profile in Docker's format.
 *
 * @example Denied calls of a preset
 * ```ts
 * import { presetProfile } from "./presets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { defaultAction, syscalls } = JSON.parse(presetProfile("no-bpf") ?? "");
 * assertEquals([defaultAction, syscalls[0].names], ["SCMP_ACT_ALLOW", ["bpf"]]);
 * ```
 *
 * @param name Its name, such as `no-af-alg`.
 * @returns JSON, or `undefined` if there is no such preset.
 */
export function presetProfile(name: string): string | undefined {
  const preset = PRESETS.find((one) => one.name === name);
  if (preset === undefined) return undefined;
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    archMap: Object.entries(ARCH_MAP).map(([architecture, others]) => ({
      architecture: `SCMP_ARCH_${architecture}`,
      subArchitectures: others.map((other) => `SCMP_ARCH_${other}`),
    })),
    syscalls: preset.entries.map((entry) => ({
      names: entry.names,
      action: "SCMP_ACT_ERRNO",
      errnoRet: entry.errnoRet ?? 1,
      args: entry.args?.map(({ index, mask, value }) => ({
        index,
        value: mask,
        valueTwo: value,
        op: "SCMP_CMP_MASKED_EQ",
      })),
      ...entry.includes && { includes: { arches: entry.includes } },
      ...entry.excludes && { excludes: { arches: entry.excludes } },
    })),
  });
}
