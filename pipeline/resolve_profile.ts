/**
 * Resolves a profile for one machine: parsing, conditions, architectures,
 * names. Every command, hook and benchmark uses this module.
 *
 * ```text
 * text ─parseProfile▶ profile ─selectFor▶ section ─targetArches, resolve▶ Policy
 * ```
 *
 * @module
 */

import { type Diagnostic, ProfileError } from "../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../profile/formats/oci.ts";
import { type ParsedProfile, parseProfile } from "../profile/formats/parse.ts";
import {
  DOCKER_DEFAULT_CAPABILITIES,
  type Host,
  type KernelVersion,
  PODMAN_DEFAULT_CAPABILITIES,
} from "../profile/host.ts";
import { locate } from "../profile/json/path.ts";
import { selectFor } from "../profile/select.ts";
import type { Policy } from "../profile/policy.ts";
import { resolve, targetArches } from "../profile/semantics/resolve.ts";
import type { Semantics } from "../profile/semantics/versions.ts";
import { type Arch, archByName, type ArchName } from "../tables/arch.ts";

/**
 * The machine, container and runtime that will use a profile.
 *
 * @category Compile
 */
export interface ProfileTarget {
  /**
   * Native architecture, which adds the architectures that the profile lists;
   * or all architectures to filter, the native one first.
   */
  readonly arch: ArchName | readonly ArchName[];
  /** Running kernel; if absent, a profile with `minKernel` is an error. */
  readonly kernel?: KernelVersion | undefined;
  /**
   * Capabilities of the container; by default those of Docker or Podman,
   * depending on the profile.
   */
  readonly capabilities?: ReadonlySet<string>;
  /**
   * Runtime whose semantics apply, such as `crun` or `runc@1.1.5`; `crun` by
   * default.
   */
  readonly semantics?:
    | "crun"
    | "runc"
    | `crun@${string}`
    | `runc@${string}`;
  /**
   * Reports whether a call exists, for example in the host's libseccomp; by
   * default, all calls of the built-in tables exist.
   */
  readonly knows?: (name: string, arch?: Arch) => boolean;
  /**
   * Treatment of a name that exists nowhere. By default, `deny-error`: an error
   * if the lost rule would be stricter than the default, otherwise a warning.
   */
  readonly unknown?: "ignore" | "warn" | "deny-error" | "error";
  /** True if doubtful constructs that the runtimes accept are errors. */
  readonly strict?: boolean;
}

/**
 * The meaning of a profile for a target.
 *
 * @category Compile
 */
export interface ResolvedProfile {
  /** The meaning of the profile. */
  readonly policy: Policy;
  /** Warnings and notes, in the order of the profile. */
  readonly diagnostics: readonly Diagnostic[];
  /** Names without a rule because they exist nowhere, sorted. */
  readonly unknownNames: readonly string[];
  /** The target, with all defaults filled in. */
  readonly assumed: {
    /** Architectures of the filter, the native one first. */
    readonly arches: readonly ArchName[];
    /** Runtime whose semantics apply, such as `crun` or `runc@1.1.5`. */
    readonly semantics: NonNullable<ProfileTarget["semantics"]>;
    /** Capabilities of the container; absent if the format has no conditions. */
    readonly capabilities?: ReadonlySet<string>;
    /** Running kernel; absent if unknown, or if the format has no conditions. */
    readonly kernel?: KernelVersion;
  };
}

/** The target that was assumed for a profile. */
export type Assumed = ResolvedProfile["assumed"];

/** The meaning of a profile, with the section that a runtime would receive. */
export interface ResolvedSection extends ResolvedProfile {
  /** The section that a runtime would receive. */
  readonly seccomp: LinuxSeccomp;
  /** Architectures of the filter, the native one first. */
  readonly arches: readonly Arch[];
}

/** Diagnostics of `selectFor` about the profile's list of architectures. */
const ARCHITECTURE_CODES: readonly string[] = ["native-only", "native-added"];

/**
 * Resolves a profile for a target, without making a filter.
 *
 * @example Docker's default allows `mount` to a container that may administer
 * ```ts
 * import { DEFAULT_PROFILE, resolveProfile, simulate } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const { policy } = resolveProfile(DEFAULT_PROFILE, {
 *   arch: "x86_64",
 *   kernel: { major: 6, minor: 1 },
 *   capabilities: new Set(["CAP_SYS_ADMIN"]),
 * });
 * const { action } = simulate(policy, { arch: "x86_64", call: "mount" });
 * assertEquals(action, "ALLOW");
 * ```
 *
 * @param source The profile as text or as UTF-8; its format is detected.
 * @param target The machine, container and runtime.
 * @returns The policy, and all warnings and notes with their positions.
 * @throws {ProfileError} if the profile cannot be used; it has every problem.
 * @throws {RangeError} if the target names no architecture, an unknown one, or two of different byte order.
 * @category Compile
 */
export function resolveProfile(
  source: string | Uint8Array,
  target: ProfileTarget,
): ResolvedProfile {
  return resolveParsed(parseProfile(source), target);
}

/**
 * Resolves a profile that is already parsed.
 *
 * @param profile The profile.
 * @param target The machine, container and runtime.
 * @returns The policy, the section, and all warnings and notes with their
 * positions.
 * @throws {ProfileError} if the profile cannot be used; it has every problem.
 * @throws {RangeError} if the target names no architecture, an unknown one, or two of different byte order.
 */
export function resolveParsed(
  profile: ParsedProfile,
  target: ProfileTarget,
): ResolvedSection {
  const named = archesOf(target);
  const host: Host = {
    arch: named.native.name,
    kernel: target.kernel,
    capabilities: target.capabilities ??
      (profile.kind === "podman"
        ? PODMAN_DEFAULT_CAPABILITIES
        : DOCKER_DEFAULT_CAPABILITIES),
  };
  const { seccomp, diagnostics } = selectFor(profile, host);
  if (seccomp === undefined) throw unconfined(profile);
  const { semantics = "crun", knows, unknown, strict } = target;
  return placing(profile, (place) => {
    const arches = named.all ??
      targetArches(named.native, seccomp.architectures);
    const resolution = resolve(listing(seccomp, named.all), {
      arches,
      semantics,
      ...(knows === undefined ? {} : { knows }),
      ...(unknown === undefined ? {} : { unknown }),
      ...(strict === undefined ? {} : { strict }),
    });
    return {
      ...resolution,
      diagnostics: [
        ...profile.diagnostics,
        // A caller who lists the architectures knows that the profile's list is
        // ignored.
        ...diagnostics.filter(({ code }) =>
          named.all === undefined || !ARCHITECTURE_CODES.includes(code)
        ),
        ...resolution.diagnostics.map(place),
      ],
      seccomp,
      arches,
      assumed: assumedFor(profile, host, arches, semantics),
    };
  });
}

/**
 * Adds the architectures that a target names beyond the native one to those
 * that the section lists, because some versions of runc treat listed ones
 * differently.
 */
function listing(
  seccomp: LinuxSeccomp,
  all: readonly Arch[] = [],
): LinuxSeccomp {
  const { architectures } = seccomp;
  const named = all.slice(1).map(({ scmp }) => scmp);
  return {
    ...seccomp,
    architectures: [...new Set([...architectures, ...named])],
  };
}

/** Finds the architectures that a target names. */
function archesOf({ arch }: ProfileTarget): {
  readonly native: Arch;
  /** Absent if the profile lists the others. */
  readonly all?: readonly Arch[];
} {
  const names = typeof arch === "string" ? [arch] : arch;
  const all = [...new Set(names)].map((name) => {
    const found = archByName(name);
    if (found !== undefined) return found;
    throw new RangeError(
      `Cannot compile for ${JSON.stringify(name)}: unknown architecture`,
    );
  });
  const [native] = all;
  if (native === undefined) {
    throw new RangeError("Cannot compile for no architecture; name one");
  }
  const other = all.find((a) => a.littleEndian !== native.littleEndian);
  if (other !== undefined) {
    throw new RangeError(
      `Cannot compile for ${native.name} and ${other.name} together: byte orders differ`,
    );
  }
  return typeof arch === "string" ? { native } : { native, all };
}

function unconfined({ sectionPath }: ParsedProfile): ProfileError {
  return new ProfileError([{
    severity: "error",
    code: "unconfined",
    path: "",
    message: `Cannot compile: the configuration has no ${sectionPath} section`,
    fix: "an unconfined container has no filter",
  }]);
}

/**
 * Runs a function and completes its diagnostics: rules know their full path,
 * other parts of a section only their path within it, and positions come from
 * the document.
 */
function placing<T>(
  profile: ParsedProfile,
  work: (place: (diagnostic: Diagnostic) => Diagnostic) => T,
): T {
  const { document, sectionPath } = profile;
  const place = (diagnostic: Diagnostic): Diagnostic => {
    const isInside = diagnostic.path === "" ||
      diagnostic.path.startsWith(`${sectionPath}.`);
    const path = sectionPath === "" || isInside
      ? diagnostic.path
      : `${sectionPath}.${diagnostic.path}`;
    return { ...diagnostic, path, ...(locate(document, path) ?? {}) };
  };
  try {
    return work(place);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw new ProfileError(error.diagnostics.map(place));
  }
}

function assumedFor(
  { kind }: ParsedProfile,
  { kernel, capabilities }: Host,
  arches: readonly Arch[],
  semantics: Semantics,
): Assumed {
  const base = { arches: arches.map(({ name }) => name), semantics };
  if (kind === "podman") return { ...base, capabilities };
  if (kind !== "docker" && kind !== "docker-legacy") return base;
  return { ...base, capabilities, ...(kernel === undefined ? {} : { kernel }) };
}
