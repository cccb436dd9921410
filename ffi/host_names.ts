/**
 * Which system calls exist for the runtimes of this host: those that its
 * libseccomp knows, on each architecture.
 *
 * @module
 */

import type { Arch } from "../tables/arch.ts";
import type { Libseccomp } from "./libseccomp.ts";

/** The names of the host's libseccomp. */
export interface HostNames {
  /** Whether a name exists on any architecture. */
  readonly knows: (name: string) => boolean;
  /**
   * An architecture without the calls that the library has no number for
   * there: 2.5.4 has `map_shadow_stack` on x86_64 and not on x32.
   */
  readonly restrict: (arch: Arch) => Arch;
}

/**
 * Reads the names of a library.
 *
 * @param library The host's libseccomp.
 * @returns What it knows, to resolve profiles with.
 */
export function hostNames(library: Libseccomp): HostNames {
  // Calls behind a multiplexer have negative numbers in the library, and a
  // number of their own beside; an architecture that it does not know at all
  // keeps our table.
  const exists = (arch: Arch, name: string): boolean =>
    (library.resolveName(arch.scmpToken, name) ?? 0) >= 0 ||
    arch.multiplexed.some((call) => call.name === name);
  return {
    knows: (name) => library.known(name),
    restrict: (arch) => ({
      ...arch,
      syscalls: new Map(
        [...arch.syscalls].filter(([name]) => exists(arch, name)),
      ),
    }),
  };
}
