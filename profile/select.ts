/**
 * Selects the rules and the architectures of a profile for one host.
 *
 * @module
 */

import type { DockerSeccomp, DockerSyscall } from "./formats/docker.ts";
import { decideFilter } from "./formats/docker_filter.ts";
import { type Diagnostic, ProfileError } from "./diagnostic.ts";
import { ARCH_SPELLINGS, type Host } from "./host.ts";
import { locate } from "./json/path.ts";
import type { LinuxSeccomp, LinuxSyscall } from "./formats/oci.ts";
import type { ParsedProfile } from "./formats/parse.ts";

/** The part of a profile that applies to a host. */
export interface SelectedSection {
  /**
   * The section as a runtime receives it; `undefined` for an unconfined
   * container.
   */
  readonly seccomp: LinuxSeccomp | undefined;
  /** Assumptions and warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Selects the part of a profile that applies to a host. The order of the rules
 * is kept.
 *
 * @example Docker's default for a container without extra capabilities
 * ```ts
 * import { DEFAULT_PROFILE } from "./default_profile.ts";
 * import { DOCKER_DEFAULT_CAPABILITIES } from "./host.ts";
 * import { parseProfile } from "./formats/parse.ts";
 * import { selectFor } from "./select.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), {
 *   arch: "x86_64",
 *   kernel: { major: 6, minor: 1 },
 *   capabilities: DOCKER_DEFAULT_CAPABILITIES,
 * });
 * assertEquals(seccomp?.architectures, [
 *   "SCMP_ARCH_X86_64",
 *   "SCMP_ARCH_X86",
 *   "SCMP_ARCH_X32",
 * ]);
 * ```
 *
 * @param profile The profile.
 * @param host The host.
 * @returns The section and the assumptions.
 * @throws {ProfileError} if a rule depends on the kernel and the host's is
 * unknown.
 */
export function selectFor(profile: ParsedProfile, host: Host): SelectedSection {
  const { section, sectionPath } = profile;
  if (section === undefined) return { seccomp: undefined, diagnostics: [] };
  const isPodman = profile.kind === "podman";
  const errors: Diagnostic[] = [];
  const diagnostics: Diagnostic[] = [];
  const syscalls: LinuxSyscall[] = [];
  for (const rule of section.syscalls) {
    const verdict = decideFilter(rule, host);
    if (verdict === "needs-kernel" && !isPodman) {
      errors.push(kernelNeeded(profile, rule.path));
    }
    if (verdict === "needs-manager" && (isPodman || profile.guessed)) {
      diagnostics.push(readingsDiffer(profile, rule.path, host));
    }
    const counts = verdict === "counts" ||
      (isPodman && verdict !== "skipped");
    if (!counts) continue;
    syscalls.push(withoutFilters(rule));
  }
  if (errors.length > 0) throw new ProfileError(errors);
  const { archMap: _archMap, ...rest } = section;
  const architectures = chooseArchitectures(section, host);
  const finding = judgeArchitectures(section, architectures, host);
  const path = sectionPath === ""
    ? "architectures"
    : `${sectionPath}.architectures`;
  return {
    seccomp: { ...rest, architectures, syscalls },
    diagnostics: finding === undefined ? diagnostics : [
      ...diagnostics,
      { ...finding, path, ...(locate(profile.document, path) ?? {}) },
    ],
  };
}

/** The rule as a runtime gets it. */
function withoutFilters(rule: DockerSyscall): LinuxSyscall {
  if (rule.includes === undefined && rule.excludes === undefined) return rule;
  const { includes: _includes, excludes: _excludes, ...syscall } = rule;
  return syscall;
}

/** Chooses the architectures: the profile's list, or those of the first entry for the host. */
function chooseArchitectures(
  section: DockerSeccomp,
  host: Host,
): readonly string[] {
  const native = ARCH_SPELLINGS[host.arch].scmp;
  const entry = section.archMap?.find((arch) => arch.architecture === native);
  return entry === undefined
    ? section.architectures
    : [entry.architecture, ...entry.subArchitectures];
}

/** Reports how the list of architectures was interpreted. */
function judgeArchitectures(
  section: DockerSeccomp,
  architectures: readonly string[],
  host: Host,
): Omit<Diagnostic, "path"> | undefined {
  const native = ARCH_SPELLINGS[host.arch].scmp;
  if (architectures.length === 0) {
    const message = section.archMap === undefined
      ? `Profile lists no architectures: the filter is only for ${host.arch}`
      : `Profile has no archMap entry for ${native}: the filter is only for ${host.arch}`;
    return { severity: "note", code: "native-only", message };
  }
  if (architectures.includes(native)) return undefined;
  return {
    severity: "warning",
    code: "native-added",
    message: `Profile does not list ${native}: libseccomp filters it anyway`,
    fix: "list it",
  };
}

/** Builds the warning about a rule that Docker skips and Podman applies. */
function readingsDiffer(
  profile: ParsedProfile,
  path: string,
  { kernel }: Host,
): Diagnostic {
  const isPodman = profile.kind === "podman";
  return {
    severity: "warning",
    code: "min-kernel",
    path,
    message:
      `Docker skips this rule on kernel ${kernel?.major}.${kernel?.minor}, Podman ignores minKernel and applies it: read as ${
        isPodman ? "Podman" : "Docker"
      } takes it`,
    fix: isPodman
      ? "remove the rule, or its minKernel"
      : "name the reader: --from docker or --from podman",
    ...(locate(profile.document, path) ?? {}),
  };
}

/** Builds the error for a condition on an unknown kernel. */
function kernelNeeded(profile: ParsedProfile, path: string): Diagnostic {
  return {
    severity: "error",
    code: "kernel-unknown",
    path,
    message: "Cannot decide minKernel: the kernel version is unknown",
    fix: "give it, such as 6.1",
    ...(locate(profile.document, path) ?? {}),
  };
}
