/**
 * Sources: one word for anything that contains a policy or a filter.
 *
 * ```text
 * FILE  -         profile, config.json, or a filter in any form, as the content shows
 * FILE.yaml#NAME  one of several SeccompProfiles
 * FILE.json#NAME  one of several filters of Firecracker
 * default:docker  the embedded profile
 * default:podman, default:containerd, default:crio  those of this machine
 * preset:NAME     a profile that denies one thing
 * pid:N           the filters of a live process, oldest first
 * bundle:DIR      the annotation in config.json of a bundle, else its profile
 * oci:DIR         the only profile in an OCI image layout
 * oci:DIR@sha256:DIGEST  a profile or filter in it, by the digest of its manifest
 * ```
 *
 * @module
 */

import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import type { Arch } from "../../tables/arch.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { ReportedError, UsageError } from "../error.ts";
import { tellDiagnostics } from "../exit.ts";
import type { Io } from "../io.ts";
import type { SourceKind } from "./source_kinds.ts";

/** A policy as its author wrote it. */
export interface ProfileSource {
  readonly kind: "profile";
  /** The source word. */
  readonly name: string;
  readonly profile: ParsedProfile;
}

/**
 * Filters as the kernel runs them: all run, and the strictest answer wins.
 */
export interface BareFilters extends ParsedFilters {
  readonly kind: "programs";
  /** The source word. */
  readonly name: string;
  /** Its format, such as `base64`. */
  readonly form: string;
  /** Architecture of the machine, if the filters are those of a live process. */
  readonly native?: Arch;
  /** `SECCOMP_FILTER_FLAG_LOG` of each filter, if known. */
  readonly logs?: readonly (boolean | undefined)[];
}

/** Result of reading a source word. */
export type Source = ProfileSource | BareFilters;

/** Options of reading a source. */
export interface SourceOptions {
  /** A kind to require. */
  readonly from?: SourceKind;
  /**
   * Architecture of `--arch`: its byte order is used if the bytes do not show
   * one.
   */
  readonly arch?: readonly string[];
  /** Names that exist, for the policies of other tools. */
  readonly names?: "builtin" | "host";
  /**
   * True for problems that the caller reports itself: they are thrown as they
   * are, and not printed.
   */
  readonly leaves?: (error: ProfileError) => boolean;
}

/**
 * Reads a source that is not the embedded profile: see sources/read.ts. It is
 * loaded on use, because it is half of the code for sources.
 */
export type SourceReader = (
  io: Io,
  word: string,
  options: SourceOptions,
) => Promise<Source>;

/**
 * Reads a source.
 *
 * @param io Streams for standard input and warnings.
 * @param word The word.
 * @param options A kind to require, and the architecture.
 * @throws {InputError} if it cannot be read.
 * @throws {ReportedError} if the profile is invalid, after its problems were
 * printed.
 */
export async function loadSource(
  io: Io,
  word: string,
  options: SourceOptions = {},
): Promise<Source> {
  if (word === "") {
    throw new UsageError('Cannot read source "": empty; give a file, or -');
  }
  if (word === "default:docker") {
    return {
      kind: "profile",
      name: word,
      profile: parseProfile(DEFAULT_PROFILE, {
        kind: options.from === "podman" ? "podman" : "docker",
      }),
    };
  }
  if (word.startsWith("default:")) {
    const { hostDefault }: typeof import("./sources/host_default.ts") =
      await import("./sources/host_default.ts" as string);
    const found = await hostDefault(word);
    const from = options.from ??
      (found.startsWith("bundle:") ? "config" : "podman");
    return { ...await loadSource(io, found, { ...options, from }), name: word };
  }
  const { readOther }: { readonly readOther: SourceReader } = await import(
    "./sources/read.ts" as string
  );
  return await readOther(io, word, options);
}

/**
 * Reads a source for a command that takes only profiles. For a bundle with an
 * annotation, reads the profile from which the annotation was made.
 *
 * @param io Streams for standard input and warnings.
 * @param word The word.
 * @param options A kind to require, and the architecture.
 * @param refuse Creates the error for filters.
 * @throws {InputError} if it cannot be read.
 * @throws {ReportedError} if the profile is invalid, after its problems were
 * printed.
 */
export async function loadProfile(
  io: Io,
  word: string,
  options: SourceOptions,
  refuse: (source: BareFilters) => Error,
): Promise<ProfileSource> {
  const isBundle = word.startsWith("bundle:");
  const from = options.from ?? (isBundle ? "config" : undefined);
  const source = await loadSource(io, word, {
    ...options,
    ...(from && { from }),
  });
  if (source.kind === "programs") throw refuse(source);
  return source;
}

/**
 * Runs a function that may find a profile invalid, and reports its problems
 * with the name of the source.
 */
export async function tellingProfile<T>(
  io: Io,
  name: string,
  work: () => T | Promise<T>,
  { leaves }: Pick<SourceOptions, "leaves"> = {},
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProfileError) || leaves?.(error)) throw error;
    tellDiagnostics(io, name, error.diagnostics);
    throw new ReportedError("profile", { cause: error });
  }
}

/**
 * Refuses two or more words that stand for standard input.
 *
 * @param words Source words, and files of other flags.
 */
export function refuseTwoStdins(
  ...words: readonly (string | undefined)[]
): void {
  if (words.filter((word) => word === "-").length > 1) {
    throw new UsageError(
      "Cannot read standard input twice; give a file for all but one",
    );
  }
}
