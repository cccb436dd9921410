/**
 * The oracle's knowledge of a machine.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";

/** The oracle's knowledge of an architecture. */
export type OracleArch = Omit<Arch, "name">;

/** Behavior of one version of a runtime besides libseccomp. */
export interface Manner {
  /** Number of comparisons of one entry that are read. */
  readonly comparisons: number;
  /** True if `defaultErrnoRet` has an effect. */
  readonly defaultErrno: boolean;
  /** True if an action without data may have some. */
  readonly idleErrno: boolean;
  /** True if names may be empty. */
  readonly emptyNames: boolean;
  /** runc's stub: none, for listed architectures, or for the native one as well. */
  readonly stub: "none" | "listed" | "native";
  /** True if that stub answers number 0 of s390. */
  readonly stubAnswersSetup: boolean;
}

/** Numbers of a version. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * Looks up the behavior of a runtime, from its releases.
 *
 * @param runtime The runtime.
 * @param version The version; the newest by default.
 * @returns Its behavior.
 */
export function mannerOf(
  runtime: "crun" | "runc",
  version?: Version,
): Manner {
  const [major, minor, patch] = version ?? [99, 0, 0];
  const at = (major * 1000 + minor) * 1000 + patch;
  return runtime === "crun"
    ? {
      comparisons: at < 1_030_000 ? 6 : Infinity,
      defaultErrno: at >= 19_000,
      idleErrno: at < 19_000,
      emptyNames: true,
      stub: "none",
      stubAnswersSetup: false,
    }
    : {
      comparisons: Infinity,
      defaultErrno: true,
      idleErrno: true,
      emptyNames: false,
      stub: at < 1_001_015 ? "listed" : "native",
      stubAnswersSetup: at >= 1_001_003,
    };
}

/** The machine and the knowledge of its libseccomp. */
export interface OracleHost {
  /** The machine. */
  readonly native: OracleArch;
  /** The runtime. */
  readonly semantics: "crun" | "runc";
  /** Its behavior. */
  readonly manner: Manner;
  /** Finds an architecture by its OCI name. */
  find(scmp: string): OracleArch | undefined;
  /** Reports whether the library knows a name on any architecture. */
  known(name: string): boolean;
}

/** The bit that x32 adds to its numbers. */
export const X32_BIT = 0x4000_0000;

/** Its OCI name. */
export const X86_64 = "SCMP_ARCH_X86_64";
