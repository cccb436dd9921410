/**
 * Suggests the most likely meaning of a name that is not a system call: a call
 * with a prefix or a blank, a function of the C library, or a misspelled call.
 *
 * @module
 */

import { type Arch, isKnownName } from "../../tables/arch.ts";
import { callsOfLibc } from "../../tables/libc_names.ts";
import { successorsOf } from "../../tables/successors.ts";
import { didYouMean } from "../../tables/suggest.ts";

/**
 * Prefixes of calls in source texts: macros of C libraries, and the kernel's
 * own functions (Linux, include/linux/syscalls.h and
 * arch/x86/include/asm/syscall_wrapper.h).
 */
const PREFIX =
  /^(?:__nr3264_|__nr_|__(?:x64|ia32|x32|arm64|riscv|s390x|s390|powerpc)_(?:compat_)?sys_|__(?:se|do)_(?:compat_)?sys_|(?:compat_|k)?sys_)/;

/** Search options. */
export interface HintOptions {
  /** Architectures whose calls are preferred. */
  readonly arches: readonly Arch[];
  /**
   * True to also search for the nearest name, which compares all names.
   */
  readonly near: boolean;
}

/**
 * Suggests a replacement for a name that is not a system call.
 *
 * A function of the C library has priority over the nearest name: for `pread`,
 * the nearest name is `read`, and a user who followed that hint in a denying
 * rule would lose read(2).
 *
 * @param name The name as written.
 * @param options Architectures, and extent of the search.
 * @returns A text such as `did you mean "openat"`; `undefined` if no name is
 * near.
 */
export function hintFor(
  name: string,
  { arches, near }: HintOptions,
): string | undefined {
  const simple = name.trim().toLowerCase().replace(/\s*\(\d?\)$/, "");
  const bare = simple.replace(PREFIX, "");
  for (const core of [simple, bare]) {
    if (isKnownName(core)) return `write ${listOf(presentOn(arches, [core]))}`;
    const calls = presentOn(arches, callsOfLibc(core));
    if (calls.length > 0) {
      const what = calls.length === 1 ? "system call" : "system calls";
      return `did you mean ${listOf(calls)}, the ${what} of ${core}()`;
    }
  }
  if (!near || !/[a-z]/.test(simple)) return undefined;
  const meant = didYouMean(
    bare,
    arches.flatMap((arch) => [...arch.syscalls.keys()]),
  );
  return meant === undefined ? undefined : `did you mean "${meant}"`;
}

/**
 * Finds a call on an architecture, including multiplexed calls.
 *
 * @param arch The architecture.
 * @param name Name of the call.
 * @returns True if a rule can be made for it.
 */
export function hasCall(arch: Arch, name: string): boolean {
  return arch.syscalls.has(name) ||
    arch.multiplexed.some((call) => call.name === name);
}

/**
 * Replaces calls that no architecture has by their successors there.
 *
 * @param arches The architectures.
 * @param names Names of calls.
 * @returns Names of calls there; the given ones if no architecture has a
 * successor.
 */
function presentOn(
  arches: readonly Arch[],
  names: readonly string[],
): readonly string[] {
  const isHere = (name: string): boolean =>
    arches.some((arch) => hasCall(arch, name));
  const present = names.filter(isHere);
  if (present.length > 0) return present;
  const successors = names.flatMap(successorsOf).filter(isHere);
  return successors.length > 0 ? [...new Set(successors)] : names;
}

/** Lists names: `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
function listOf(names: readonly string[]): string {
  const shown = names.map((name) => `"${name}"`);
  const last = shown.at(-1) ?? "";
  return shown.length === 1
    ? last
    : `${shown.slice(0, -1).join(", ")} or ${last}`;
}
