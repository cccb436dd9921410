/**
 * The system calls that exist for the runtimes of this host: those that its
 * libseccomp knows, on each architecture.
 *
 * @module
 */

import type { Arch } from "../tables/arch.ts";
import type { Libseccomp } from "./libseccomp.ts";

/**
 * Makes the test for existing calls, used to resolve profiles, from a library.
 *
 * A name may be known and have no number on one architecture: 2.5.4 has
 * `map_shadow_stack` on x86_64 and not on x32. The library gives negative
 * numbers to calls that a multiplexer serves, in addition to their direct
 * number if there is one. For an architecture that the library does not know,
 * our table applies.
 *
 * @param library The host's libseccomp.
 * @returns A test for calls: on an architecture, or on any if none is given.
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
