/**
 * What the oracle knows of a machine.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";

/** What the oracle knows of an architecture. */
export type OracleArch = Omit<Arch, "name">;

/** The machine and what its libseccomp knows. */
export interface OracleHost {
  /** The machine. */
  readonly native: OracleArch;
  /** The runtime. */
  readonly semantics: "crun" | "runc";
  /** Finds an architecture by its OCI name. */
  find(scmp: string): OracleArch | undefined;
  /** Whether the library has a name at all, on any architecture. */
  known(name: string): boolean;
}

/** The bit that x32 adds to its numbers. */
export const X32_BIT = 0x4000_0000;

/** Its OCI name. */
export const X86_64 = "SCMP_ARCH_X86_64";
