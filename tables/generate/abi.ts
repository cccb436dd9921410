/**
 * The generator's configuration for each architecture: the headers to read, and
 * the compiler whose macros to define. All numbers come from those headers and
 * from libseccomp.
 *
 * @module
 */

/** How to read the headers of one architecture. */
export interface Abi {
  /** Short name, and the file name in `tables/syscalls/`. */
  readonly name: string;
  /** Constant in the generated file. */
  readonly constant: string;
  /** Debian suite whose `linux-libc-dev` has its headers. */
  readonly suite: "sid" | "trixie";
  /** Folder in `usr/include` that contains its `asm/`. */
  readonly triplet: string;
  /**
   * Macros that the architecture's compiler predefines and the headers require.
   */
  readonly defines: readonly string[];
  /** Macro in linux/audit.h. */
  readonly audit: string;
  /** Number of bits in a user-space `long`, the type of an argument. */
  readonly bits: 32 | 64;
  /**
   * Name of the architecture of the other byte order that has the same calls.
   */
  readonly twin?: string;
}

/**
 * All architectures, in the order of `ARCHES`.
 *
 * arm64, riscv64 and loongarch64 choose their names by the width of `long`, so
 * the width is always passed. Linux 6.19 and later have no 31-bit s390 and give
 * its users 64-bit numbers: the headers of Debian 13 are the newest with a
 * table for it.
 */
export const ABIS: readonly Abi[] = [
  {
    name: "x86_64",
    constant: "X86_64",
    suite: "sid",
    triplet: "x86_64-linux-gnu",
    defines: ["__x86_64__"],
    audit: "AUDIT_ARCH_X86_64",
    bits: 64,
  },
  {
    name: "x86",
    constant: "X86",
    suite: "sid",
    triplet: "i386-linux-gnu",
    defines: ["__i386__"],
    audit: "AUDIT_ARCH_I386",
    bits: 32,
  },
  {
    name: "x32",
    constant: "X32",
    suite: "sid",
    triplet: "x86_64-linux-gnux32",
    defines: ["__x86_64__", "__ILP32__"],
    audit: "AUDIT_ARCH_X86_64",
    bits: 32,
  },
  {
    name: "aarch64",
    constant: "AARCH64",
    suite: "sid",
    triplet: "aarch64-linux-gnu",
    defines: ["__aarch64__"],
    audit: "AUDIT_ARCH_AARCH64",
    bits: 64,
  },
  {
    name: "arm",
    constant: "ARM",
    suite: "sid",
    triplet: "arm-linux-gnueabihf",
    defines: ["__arm__", "__ARM_EABI__"],
    audit: "AUDIT_ARCH_ARM",
    bits: 32,
  },
  {
    name: "riscv64",
    constant: "RISCV64",
    suite: "sid",
    triplet: "riscv64-linux-gnu",
    defines: ["__riscv", "__riscv_xlen=64"],
    audit: "AUDIT_ARCH_RISCV64",
    bits: 64,
  },
  {
    name: "s390x",
    constant: "S390X",
    suite: "sid",
    triplet: "s390x-linux-gnu",
    defines: ["__s390x__"],
    audit: "AUDIT_ARCH_S390X",
    bits: 64,
  },
  {
    name: "s390",
    constant: "S390",
    suite: "trixie",
    triplet: "s390x-linux-gnu",
    defines: ["__s390__"],
    audit: "AUDIT_ARCH_S390",
    bits: 32,
  },
  {
    name: "ppc64le",
    constant: "PPC64LE",
    suite: "sid",
    triplet: "powerpc64le-linux-gnu",
    defines: ["__powerpc__", "__powerpc64__"],
    audit: "AUDIT_ARCH_PPC64LE",
    bits: 64,
  },
  {
    name: "loongarch64",
    constant: "LOONGARCH64",
    suite: "sid",
    triplet: "loongarch64-linux-gnu",
    defines: ["__loongarch__", "__loongarch_grlen=64"],
    audit: "AUDIT_ARCH_LOONGARCH64",
    bits: 64,
  },
  {
    name: "mips64el",
    constant: "MIPS64EL",
    suite: "sid",
    triplet: "mips64el-linux-gnuabi64",
    defines: ["__mips__", "_MIPS_SIM=_MIPS_SIM_ABI64", "_MIPS_SZLONG=64"],
    audit: "AUDIT_ARCH_MIPSEL64",
    bits: 64,
  },
  {
    name: "mipsel",
    constant: "MIPSEL",
    suite: "sid",
    triplet: "mipsel-linux-gnu",
    defines: ["__mips__", "_MIPS_SIM=_MIPS_SIM_ABI32", "_MIPS_SZLONG=32"],
    audit: "AUDIT_ARCH_MIPSEL",
    bits: 32,
  },
  {
    name: "mipsel64n32",
    constant: "MIPSEL64N32",
    suite: "sid",
    triplet: "mips64el-linux-gnuabi64",
    defines: ["__mips__", "_MIPS_SIM=_MIPS_SIM_NABI32", "_MIPS_SZLONG=32"],
    audit: "AUDIT_ARCH_MIPSEL64N32",
    bits: 32,
  },
  {
    name: "ppc64",
    constant: "PPC64",
    suite: "sid",
    triplet: "powerpc64-linux-gnu",
    defines: ["__powerpc__", "__powerpc64__"],
    audit: "AUDIT_ARCH_PPC64",
    bits: 64,
    twin: "ppc64le",
  },
  {
    name: "ppc",
    constant: "PPC",
    suite: "sid",
    triplet: "powerpc-linux-gnu",
    defines: ["__powerpc__"],
    audit: "AUDIT_ARCH_PPC",
    bits: 32,
  },
  {
    name: "mips64",
    constant: "MIPS64",
    suite: "sid",
    triplet: "mips64-linux-gnuabi64",
    defines: ["__mips__", "_MIPS_SIM=_MIPS_SIM_ABI64", "_MIPS_SZLONG=64"],
    audit: "AUDIT_ARCH_MIPS64",
    bits: 64,
    twin: "mips64el",
  },
  {
    name: "mips",
    constant: "MIPS",
    suite: "sid",
    triplet: "mips-linux-gnu",
    defines: ["__mips__", "_MIPS_SIM=_MIPS_SIM_ABI32", "_MIPS_SZLONG=32"],
    audit: "AUDIT_ARCH_MIPS",
    bits: 32,
    twin: "mipsel",
  },
  {
    name: "mips64n32",
    constant: "MIPS64N32",
    suite: "sid",
    triplet: "mips64-linux-gnuabi64",
    defines: ["__mips__", "_MIPS_SIM=_MIPS_SIM_NABI32", "_MIPS_SZLONG=32"],
    audit: "AUDIT_ARCH_MIPS64N32",
    bits: 32,
    twin: "mipsel64n32",
  },
];

/** libseccomp's own name of an architecture, as in `SCMP_ARCH_*`. */
export function libraryName(abi: Abi): string {
  return abi.name === "mips64el" ? "mipsel64" : abi.name;
}

/**
 * Finds the architecture whose table another one shares.
 *
 * @param abi The architecture.
 * @returns Its twin, which comes earlier in `ABIS`; `undefined` if it has none.
 */
export function twinOf({ twin }: Abi): Abi | undefined {
  return ABIS.find(({ name }) => name === twin);
}
