/**
 * The target of a profile: the options that apply to every profile.
 *
 * @module
 */

import { quoteText } from "../../tables/printable.ts";
import { messageOf } from "../../host/reason.ts";
import type { Assumed, ProfileTarget } from "../../pipeline/resolve_profile.ts";
import { hostArch, kernelRelease } from "../../host/machine.ts";
import {
  type KernelVersion,
  parseCapabilities,
  parseKernelRelease,
  parseKernelVersion,
  PODMAN_DEFAULT_CAPABILITIES,
} from "../../profile/host.ts";
import type { UnknownNames } from "../../profile/semantics/names.ts";
import { describeSemantics } from "../../profile/semantics/quirks.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import type { Arch } from "../../tables/arch.ts";
import { archByAnyName } from "../../tables/arch_names.ts";
import { archRemedy } from "../output/names.ts";
import type { SourceKind } from "./source_kinds.ts";
import { MachineError, UsageError } from "../error.ts";

/** The options as given by the user. */
export interface TargetFlags {
  readonly arch?: readonly string[];
  readonly caps?: string;
  readonly kernel?: string;
  /** The newest known crun by default. */
  readonly semantics?: Semantics;
  /** Built-in by default. */
  readonly names?: "builtin" | "host";
  readonly unknown: UnknownNames;
  readonly strict: boolean;
  readonly from?: SourceKind;
}

/** The architecture of this machine. */
export function nativeArch(): Arch {
  const arch = hostArch();
  if (arch === undefined) {
    throw new MachineError(
      `Cannot determine the architecture: ${Deno.build.arch} has no table; pass --arch`,
    );
  }
  return arch;
}

/**
 * Fills in the missing options from this machine.
 *
 * @param flags The options.
 * @returns The target of a profile.
 */
export async function targetFor(
  flags: TargetFlags,
): Promise<ProfileTarget & { readonly kernel: KernelVersion | undefined }> {
  const knows = await knownCalls(flags);
  return {
    arch: flags.arch === undefined
      ? nativeArch().name
      : archesOf(flags.arch).map(({ name }) => name),
    kernel: kernelOf(flags.kernel),
    ...(flags.caps === undefined
      ? {}
      : { capabilities: capabilitiesOf(flags.caps, flags.from) }),
    ...(flags.semantics === undefined ? {} : { semantics: flags.semantics }),
    unknown: flags.unknown,
    strict: flags.strict,
    ...(knows === undefined ? {} : { knows }),
  };
}

/**
 * Source of syscall names; the host's library is opened only on first use.
 *
 * @throws {MachineError} if it is not installed.
 *
 * @param flags The option.
 */
export async function knownCalls(
  flags: Pick<TargetFlags, "names">,
): Promise<ProfileTarget["knows"]> {
  if (flags.names !== "host") return undefined;
  const { openLibseccomp }: typeof import("../../ffi/libseccomp.ts") =
    await import("../../ffi/libseccomp.ts" as string);
  const library = openLibseccomp();
  if (library === undefined) {
    throw new MachineError(
      "Cannot use --names host: libseccomp.so.2 is not installed; install libseccomp2, or use --names builtin",
    );
  }
  const { hostCalls }: typeof import("../../ffi/host_names.ts") = await import(
    "../../ffi/host_names.ts" as string
  );
  return hostCalls(library);
}

/**
 * Finds the architecture of `--arch`.
 *
 * @param name Value of the option, any usual name.
 * @returns The architecture.
 * @throws {UsageError} if the name is unknown.
 */
export function archOf(name: string): Arch {
  const arch = archByAnyName(name);
  if (arch === undefined) {
    throw new UsageError(
      `Cannot read --arch ${quoteText(name)}: unknown architecture; ${
        archRemedy(name)
      }`,
    );
  }
  return arch;
}

/**
 * Finds the architectures that `--arch` lists, each once.
 *
 * @param words Values of the option.
 * @throws {UsageError} if one is unknown, or they differ in byte order.
 */
export function archesOf(words: readonly string[]): readonly Arch[] {
  const [first, ...others] = new Set(words.map(archOf));
  if (first === undefined) throw new Error("Unreachable: --arch is empty");
  const other = others.find((a) => a.littleEndian !== first.littleEndian);
  if (other !== undefined) {
    throw new UsageError(
      `Cannot use --arch ${first.name},${other.name}: their byte orders differ; compile for each by itself`,
    );
  }
  return [first, ...others];
}

/**
 * Reads the version of `--kernel`.
 *
 * @param text Value of the option; this machine's kernel if absent.
 * @returns The version, or `undefined` if this machine's kernel does not report
 * it.
 * @throws {UsageError} if the word is not a version.
 */
export function kernelOf(text: string | undefined): KernelVersion | undefined {
  if (text === undefined) return parseKernelRelease(kernelRelease());
  const version = parseKernelVersion(text);
  if (version === undefined) {
    throw new UsageError(
      `Cannot read --kernel ${
        quoteText(text)
      }: not a version; write two numbers, such as 6.1`,
    );
  }
  return version;
}

function capabilitiesOf(
  text: string,
  from: SourceKind | undefined,
): ReadonlySet<string> {
  try {
    return from === "podman"
      ? parseCapabilities(text, PODMAN_DEFAULT_CAPABILITIES)
      : parseCapabilities(text);
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

/**
 * Describes the assumed target of a profile.
 *
 * @param assumed The target.
 * @param flags The options of the user.
 * @returns Comma-separated words.
 */
export function assumedWords(
  { arches, semantics, capabilities, kernel }: Assumed,
  flags: Pick<TargetFlags, "caps" | "names" | "from">,
): string {
  const parts = [
    `architectures ${arches.join("+")}`,
    `semantics ${describeSemantics(semantics)}`,
    `names ${flags.names ?? "builtin"}`,
  ];
  if (capabilities !== undefined && flags.from === "podman") {
    parts.push(`capabilities ${flags.caps ?? "default"} of Podman`);
  } else if (capabilities !== undefined) {
    parts.push(
      `capabilities ${flags.caps ?? "default"}`,
      kernel === undefined
        ? "kernel unknown"
        : `kernel ${kernel.major}.${kernel.minor}`,
    );
  }
  return parts.join(", ");
}
