/**
 * For whom a profile is meant: the options that go with every profile.
 *
 * @module
 */

import { ProfileError } from "../../profile/diagnostic.ts";
import {
  type Host,
  parseCapabilities,
  parseKernelRelease,
  parseKernelVersion,
} from "../../profile/host.ts";
import { locate } from "../../profile/json/path.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import {
  type Resolution,
  resolve,
  type Target,
  targetArches,
} from "../../profile/semantics/resolve.ts";
import { selectFor } from "../../profile/select.ts";
import type { Diagnostic } from "../../profile/diagnostic.ts";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import { InputError, MachineError, messageOf, UsageError } from "../error.ts";

/** The options as they were given. */
export interface TargetFlags {
  readonly arch?: readonly string[];
  readonly caps?: string;
  readonly kernel?: string;
  readonly semantics: "crun" | "runc";
  readonly names: "builtin" | "host";
  readonly unknown: "error" | "warn" | "ignore";
  readonly strict: boolean;
}

/** A profile resolved for a target. */
export interface ResolvedProfile extends Resolution {
  /** The section that a runtime would get. */
  readonly seccomp: LinuxSeccomp;
  /** The architectures, native one first. */
  readonly arches: readonly Arch[];
  /** The kernel, where it is known. */
  readonly kernel: Host["kernel"];
  /** What was assumed, in words. */
  readonly assumed: string;
}

/** Deno's names of architectures. */
const NATIVE: Readonly<Record<string, string>> = {
  "x86_64": "x86_64",
  "aarch64": "aarch64",
};

/** The architecture of this machine. */
export function nativeArch(): Arch {
  const arch = archByName(NATIVE[Deno.build.arch] ?? "");
  if (arch === undefined) {
    throw new MachineError(
      `Cannot tell the architecture: ${Deno.build.arch} has no table: pass --arch`,
    );
  }
  return arch;
}

/**
 * Resolves a profile.
 *
 * @param profile The profile as read.
 * @param flags The options.
 * @returns The policy and what was assumed.
 * @throws {InputError} when the source has no section, so that no filter is asked for.
 * @throws {ProfileError} with the places of all problems.
 */
export async function resolveProfile(
  profile: ParsedProfile,
  flags: TargetFlags,
): Promise<ResolvedProfile> {
  const named = flags.arch?.map(archOf);
  const native = named?.[0] ?? nativeArch();
  const host: Host = {
    arch: native.name,
    kernel: kernelOf(flags.kernel),
    capabilities: capabilitiesOf(flags.caps ?? "default"),
  };
  const { seccomp, diagnostics } = selectFor(profile, host);
  if (seccomp === undefined) {
    throw new InputError(
      "Cannot compile: the configuration has no linux.seccomp section: an unconfined container has no filter",
    );
  }
  const place = (d: Diagnostic): Diagnostic => placed(profile, d);
  const knows = await knownCalls(flags);
  try {
    const arches = named ?? targetArches(native, seccomp.architectures);
    const resolution = resolve(seccomp, {
      ...targetOf(flags),
      arches: dedupe(arches),
      ...(knows === undefined ? {} : { knows }),
    });
    return {
      ...resolution,
      diagnostics: [
        ...profile.diagnostics,
        ...(named === undefined ? diagnostics : []),
        ...resolution.diagnostics.map(place),
      ],
      seccomp,
      arches: dedupe(arches),
      kernel: host.kernel,
      assumed: assumption(profile, flags, host, arches),
    };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw new ProfileError(error.diagnostics.map(place));
  }
}

function targetOf(
  flags: TargetFlags,
): Pick<Target, "semantics" | "unknown" | "strict"> {
  return {
    semantics: flags.semantics,
    unknown: flags.unknown === "error" ? "deny-error" : flags.unknown,
    strict: flags.strict,
  };
}

/** Which names exist; the host's library is opened only where it is asked. */
async function knownCalls(
  flags: TargetFlags,
): Promise<Target["knows"]> {
  if (flags.names === "builtin") return undefined;
  const { openLibseccomp } = await import("../../ffi/libseccomp.ts");
  const library = openLibseccomp();
  if (library === undefined) {
    throw new MachineError(
      "Cannot use --names host: libseccomp.so.2 is not installed: install libseccomp2, or use --names builtin",
    );
  }
  const { hostCalls } = await import("../../ffi/host_names.ts");
  return hostCalls(library);
}

function placed(profile: ParsedProfile, diagnostic: Diagnostic): Diagnostic {
  const path = profile.sectionPath === "" || diagnostic.path === ""
    ? diagnostic.path
    : `${profile.sectionPath}.${diagnostic.path}`;
  return { ...diagnostic, path, ...(locate(profile.document, path) ?? {}) };
}

/**
 * Finds the architecture that `--arch` names.
 *
 * @param name The word after the option.
 * @returns The architecture.
 * @throws {UsageError} when there is none of this name.
 */
export function archOf(name: string): Arch {
  const arch = archByName(name);
  if (arch === undefined) {
    throw new UsageError(
      `Cannot use --arch ${name}: unknown: use one of ${
        ARCHES.map((a) => a.name).join(", ")
      }`,
    );
  }
  return arch;
}

function dedupe(arches: readonly Arch[]): readonly Arch[] {
  const [first] = arches;
  for (const arch of arches) {
    if (arch.littleEndian !== first?.littleEndian) {
      throw new UsageError(
        `Cannot use --arch ${first?.name},${arch.name}: byte orders differ`,
      );
    }
  }
  return [...new Set(arches)];
}

/** What `uname -r` says. */
function kernelRelease(): string {
  try {
    // Deno.osRelease() takes 8 ms at the first call.
    return Deno.readTextFileSync("/proc/sys/kernel/osrelease");
  } catch {
    // Without --allow-all, or without /proc.
    return Deno.osRelease();
  }
}

function kernelOf(text: string | undefined): Host["kernel"] {
  if (text === undefined) return parseKernelRelease(kernelRelease());
  const version = parseKernelVersion(text);
  if (version === undefined) {
    throw new UsageError(
      `Cannot use --kernel ${text}: not a version: write two numbers, such as 6.1`,
    );
  }
  return version;
}

function capabilitiesOf(text: string): ReadonlySet<string> {
  try {
    return parseCapabilities(text);
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

function assumption(
  profile: ParsedProfile,
  flags: TargetFlags,
  host: Host,
  arches: readonly Arch[],
): string {
  const parts = [
    `architectures ${dedupe(arches).map((a) => a.name).join("+")}`,
    `semantics ${flags.semantics}`,
    `names ${flags.names}`,
  ];
  if (profile.kind === "docker" || profile.kind === "docker-legacy") {
    const { kernel } = host;
    parts.push(
      `capabilities ${flags.caps ?? "default"}`,
      kernel === undefined
        ? "kernel unknown"
        : `kernel ${kernel.major}.${kernel.minor}`,
    );
  }
  return parts.join(", ");
}
