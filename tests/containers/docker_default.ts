/**
 * Docker's default profile as `linux.seccomp` for an x86_64 container with
 * Docker's default capabilities: a second, small reader of the format, which
 * shares no code with `profile/formats/docker.ts`.
 *
 * @module
 */

import { assert } from "@std/assert";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { DEFAULT_CAPABILITIES } from "./config.ts";

// Aliases, not interfaces: only those may be used as a `Json` value.

/** A comparison as the profile has it. */
export type ProfileArg = {
  readonly index: number;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: string;
};

/** One entry of `linux.seccomp.syscalls`. */
export type ProfileEntry = {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly ProfileArg[];
};

/** `linux.seccomp`. */
export type ProfileSection = {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly ProfileEntry[];
};

interface Filter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

type DockerEntry = ProfileEntry & {
  readonly includes?: Filter;
  readonly excludes?: Filter;
};

interface DockerProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly archMap: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[];
  }[];
  readonly syscalls: readonly DockerEntry[];
}

/**
 * Reads the embedded profile for this kernel and the default capabilities.
 *
 * @returns The section, with x86_64, x86 and x32.
 */
export function dockerDefault(): ProfileSection {
  // The text is ours and the runtimes check it once more.
  const profile = JSON.parse(DEFAULT_PROFILE) as DockerProfile;
  const map = profile.archMap.find((m) =>
    m.architecture === "SCMP_ARCH_X86_64"
  );
  assert(map !== undefined, "the profile knows x86_64");
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined
      ? {}
      : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: [map.architecture, ...map.subArchitectures],
    syscalls: profile.syscalls.filter(applies).map((entry) => ({
      names: entry.names,
      action: entry.action,
      ...(entry.errnoRet === undefined ? {} : { errnoRet: entry.errnoRet }),
      ...(entry.args === undefined ? {} : { args: entry.args }),
    })),
  };
}

/**
 * Gives every errno of a profile a distinct number, from 77: one with which no
 * call fails by itself, and different for the default and each entry.
 *
 * @param section The profile.
 * @returns The same rules with other numbers.
 */
export function withDistinctErrnos(section: ProfileSection): ProfileSection {
  let errno = 77;
  return {
    ...section,
    defaultErrnoRet: errno++,
    syscalls: section.syscalls.map((entry) =>
      entry.action === "SCMP_ACT_ERRNO"
        ? { ...entry, errnoRet: errno++ }
        : entry
    ),
  };
}

function applies({ includes = {}, excludes = {} }: DockerEntry): boolean {
  const has = (cap: string): boolean => DEFAULT_CAPABILITIES.includes(cap);
  return !(excludes.arches?.includes("amd64") ?? false) &&
    !(excludes.caps?.some(has) ?? false) &&
    !(excludes.minKernel !== undefined &&
      kernelIsAtLeast(excludes.minKernel)) &&
    (includes.arches?.includes("amd64") ?? true) &&
    (includes.caps?.every(has) ?? true) &&
    (includes.minKernel === undefined || kernelIsAtLeast(includes.minKernel));
}

function kernelIsAtLeast(version: string): boolean {
  const numbers = (text: string): number[] => text.split(/[.-]/, 2).map(Number);
  const [major = 0, minor = 0] = numbers(Deno.osRelease());
  const [wantedMajor = 0, wantedMinor = 0] = numbers(version);
  return major > wantedMajor ||
    (major === wantedMajor && minor >= wantedMinor);
}
