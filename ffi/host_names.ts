/**
 * Which system calls exist for the runtimes of this host: those that its
 * libseccomp knows, on each architecture.
 *
 * @module
 */

import type { Arch } from "../tables/arch.ts";
import type { Libseccomp } from "./libseccomp.ts";

/**
 * Asks a library which calls exist, to resolve profiles with.
 *
 * A name may be known and have no number on one architecture: 2.5.4 has
 * `map_shadow_stack` on x86_64 and not on x32. Calls that a multiplexer serves have
 * negative numbers in the library, and one of their own beside; an
 * architecture that it does not know at all keeps our table.
 *
 * @param library The host's libseccomp.
 * @returns Whether a call exists: on an architecture, or on any if none is given.
 */
export function hostCalls(
  library: Libseccomp,
): (name: string, arch?: Arch) => boolean {
  return (name, arch) =>
    arch === undefined
      ? library.known(name)
      : (library.resolveName(arch.scmpToken, name) ?? 0) >= 0 ||
        arch.multiplexed.some((call) => call.name === name);
}
