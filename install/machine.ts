/**
 * Facts about the kernel and the libraries of this machine, for `status` and
 * `doctor`.
 *
 * @module
 */

import {
  describeKernel,
  type KernelFacts,
  kernelRelease,
} from "../host/machine.ts";
import {
  ALLOW_CACHE_SINCE,
  isAtLeast,
  parseKernelRelease,
} from "../profile/host.ts";

/** Facts about this machine. */
export interface Machine extends KernelFacts {
  /** Release such as `6.1.0-18-amd64`. */
  readonly kernel: string;
  readonly arch: string;
  /** True if the kernel has the bitmap of always allowed calls, since 5.11. */
  readonly allowCache: boolean;
  /** `libseccomp 2.5.4 …`; absent if none exists. */
  readonly libseccomp?: string;
}

/**
 * Detects the facts about this machine.
 *
 * @returns The facts that could be detected.
 */
export async function inspectMachine(): Promise<Machine> {
  const kernel = kernelRelease();
  const version = parseKernelRelease(kernel);
  const { hostNames } = await import("../hook/environment.ts");
  const names = await hostNames();
  return {
    ...await describeKernel(),
    kernel,
    arch: Deno.build.arch,
    allowCache: version !== undefined && isAtLeast(version, ALLOW_CACHE_SINCE),
    ...(names === undefined ? {} : { libseccomp: names.label }),
  };
}
