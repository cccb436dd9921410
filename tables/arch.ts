/**
 * The architectures that a filter can name: what the kernel puts into
 * `seccomp_data.arch`, how wide an argument comparison is, and which numbers
 * the system calls have.
 *
 * @module
 */

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
  | "mipsel64n32";

/** One call behind a multiplexer such as `socketcall(2)` or `ipc(2)`. */
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
  /** Calls reachable through `socketcall` or `ipc`; empty where not multiplexed. */
  readonly multiplexed: readonly MultiplexedCall[];
}
