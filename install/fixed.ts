/**
 * The filter of `static`: one profile compiled and proved once, for all
 * containers.
 *
 * @module
 */

import { encodeBase64 } from "../bpf/base64.ts";
import { hostNames } from "../hook/environment.ts";
import { compileParsed } from "../pipeline/compile_profile.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import type { Diagnostic } from "../profile/diagnostic.ts";
import type { KernelVersion } from "../profile/host.ts";
import { hostArch } from "../host/machine.ts";
import type { Semantics } from "../profile/semantics/versions.ts";
import { InstallError } from "./error.ts";

/** Options of the filter. */
export interface FixedOptions {
  /** Reading; without a version, the newest known one. */
  readonly semantics: Semantics;
  readonly names: "host" | "builtin";
  /**
   * Kernel that containers will run on, for which Docker would evaluate
   * `minKernel`.
   */
  readonly kernel?: KernelVersion | undefined;
}

/** One filter for all containers. */
export interface FixedFilter {
  /** The filter as base64. */
  readonly filter: string;
  /** Warnings and notes about the profile. */
  readonly findings: readonly Diagnostic[];
}

/**
 * Compiles and proves a profile.
 *
 * @param text The profile, in Docker's format or that of the runtime
 * specification.
 * @param options The target containers, and the source of names.
 * @returns The filter as base64, and diagnostics about the profile.
 * @throws {ProfileError} if the profile cannot be used; it has every problem.
 * @throws {InstallError} if there is no source of names, or the filter is not proved.
 */
export async function compileFixed(
  text: string,
  { semantics, names, kernel }: FixedOptions,
): Promise<FixedFilter> {
  const host = names === "host" ? await hostNames() : undefined;
  if (names === "host" && host === undefined) {
    throw new InstallError(
      "not-found",
      "Cannot resolve names with the host's libseccomp: libseccomp.so.2 is not installed; install it, or pass --names builtin",
    );
  }
  const native = hostArch();
  if (native === undefined) {
    throw new InstallError(
      "usage",
      `Cannot compile for ${Deno.build.arch}: no system call table`,
    );
  }
  // Podman and CRI-O read profiles with the same code (containers/common).
  const profile = parseProfile(text, { kind: "podman" });
  const filter = compileParsed(profile, {
    arch: native.name,
    kernel,
    semantics,
    ...(host?.knows === undefined ? {} : { knows: host.knows }),
  });
  if (filter.kind === "unproved") {
    throw new InstallError("not-proved", filter.message);
  }
  return {
    filter: encodeBase64(filter.bytes),
    findings: filter.diagnostics,
  };
}
